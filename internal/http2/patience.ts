import type { Http2Bounds } from './bounds.ts';
import { ERROR } from './codes.ts';
import { ConnectionError } from './connection-error.ts';

/** What a socket says of how much its peer has taken. */
export interface SentBytes {
  readonly bytesWritten: number;
  readonly writableLength: number;
}

/** How long the peer of one connection may take, for each thing that it has to do. */
export class Patience {
  readonly #bounds: Http2Bounds;
  readonly #openedMs: number;
  /** Its settings have come. */
  hasSettings = false;
  /** It has acknowledged ours. */
  isAcknowledged = false;
  #lastReadMs: number;
  #pingedMs: number | undefined = undefined;
  /** When a frame began that is not whole. */
  #frameMs: number | undefined = undefined;
  #framesBefore = 0;
  /** When a header block began that is not whole, and on which stream. */
  #blockMs = 0;
  #blockStream = 0;
  #sentBytes = 0;
  #sentMs: number;

  constructor(bounds: Http2Bounds, openedMs: number) {
    this.#bounds = bounds;
    this.#openedMs = openedMs;
    this.#lastReadMs = openedMs;
    this.#sentMs = openedMs;
  }

  /**
   * Something was read. Under load every piece ends within a frame; what counts is since when none has come to its end.
   *
   * @param frames      that were whole since the connection began
   * @param isInFrame   whether the rest of one is still to come
   * @param blockStream the stream of a header block whose rest is still to come, however many of its frames are whole; or 0
   */
  read(nowMs: number, frames: number, isInFrame: boolean, blockStream: number): void {
    this.#lastReadMs = nowMs;
    const isSame = frames === this.#framesBefore;
    this.#framesBefore = frames;
    if (isInFrame) this.#frameMs = isSame ? (this.#frameMs ?? nowMs) : nowMs;
    else this.#frameMs = undefined;
    if (blockStream !== this.#blockStream) this.#blockMs = nowMs;
    this.#blockStream = blockStream;
  }

  /** It is read from again: what it had no say in is not held against it. */
  resumed(nowMs: number): void {
    this.#lastReadMs = nowMs;
    if (this.#frameMs !== undefined) this.#frameMs = nowMs;
    this.#blockMs = nowMs;
  }

  /**
   * @param isRead whether it is read from: who is not cannot be heard
   * @returns whether the peer is to be asked if it is there
   * @throws {ConnectionError} where patience is at its end
   */
  look(nowMs: number, sent: SentBytes, isRead: boolean): boolean {
    const { handshakeTimeoutMs, requestTimeoutMs, stallTimeoutMs } = this.#bounds;
    const isGreeted = this.hasSettings && this.isAcknowledged;
    if (!isGreeted && nowMs - this.#openedMs > handshakeTimeoutMs)
      throw new ConnectionError(ERROR.settingsTimeout, 'The handshake is not over', 'handshake');
    if (isRead && nowMs - this.#partialSince(nowMs) > requestTimeoutMs)
      throw new ConnectionError(
        ERROR.enhanceYourCalm,
        'A frame or a header block does not come to its end',
        'slow_request',
      );
    this.#noteSent(nowMs, sent);
    if (nowMs - this.#sentMs > stallTimeoutMs)
      throw new ConnectionError(ERROR.enhanceYourCalm, 'Nothing is read', 'stalled');
    return isGreeted && isRead && this.#isToBeAsked(nowMs);
  }

  #partialSince(nowMs: number): number {
    const blockMs = this.#blockStream === 0 ? nowMs : this.#blockMs;
    return Math.min(this.#frameMs ?? nowMs, blockMs);
  }

  #noteSent(nowMs: number, { bytesWritten, writableLength }: SentBytes): void {
    const sentBytes = bytesWritten - writableLength;
    if (writableLength === 0 || sentBytes !== this.#sentBytes) this.#sentMs = nowMs;
    this.#sentBytes = sentBytes;
  }

  /** Whatever it sends says that it is there. */
  #isToBeAsked(nowMs: number): boolean {
    const { pingIntervalMs, pingTimeoutMs } = this.#bounds;
    if (this.#pingedMs !== undefined && this.#lastReadMs >= this.#pingedMs) this.#pingedMs = undefined;
    if (this.#pingedMs !== undefined && nowMs - this.#pingedMs > pingTimeoutMs)
      throw new ConnectionError(ERROR.enhanceYourCalm, 'The peer is not there', 'silent');
    if (this.#pingedMs !== undefined || nowMs - this.#lastReadMs <= pingIntervalMs) return false;
    this.#pingedMs = nowMs;
    return true;
  }
}
