import type { Http2Bounds } from './bounds.ts';
import type { Calls } from './calls.ts';
import { DEFAULT_WINDOW, ERROR, FLAG, FRAME, MAX_WINDOW } from './codes.ts';
import { ConnectionError } from './connection-error.ts';
import { type FrameSink, uint32At } from './frame-reader.ts';
import type { FrameWriter } from './frame-writer.ts';
import { HeaderBlocks, type Payload, withoutPadding } from './header-blocks.ts';
import type { RequestHead } from './request-head.ts';

/** Frames of DATA that carry less, and end nothing, cost more than they bring. */
const SMALL_DATA_BYTES = 256;
/** What a connection may send before it is told that it may send more. */
export const CONNECTION_WINDOW = 16 * 1024 * 1024;

/** What a peer says of the connection itself. */
export interface PeerNews {
  onSettings(): void;
  onSettingsAck(): void;
  onGoaway(): void;
}

const protocol = (message: string): ConnectionError => new ConnectionError(ERROR.protocol, message);
const wrongSize = (message: string): ConnectionError => new ConnectionError(ERROR.frameSize, message);

/**
 * What the frames of one peer mean (RFC 9113 §6). A rule that is broken ends the stream, where only that is concerned, or
 * the connection.
 *
 * @throws {ConnectionError} for the latter
 */
export class Incoming implements FrameSink {
  readonly #calls: Calls;
  readonly #writer: FrameWriter;
  readonly #blocks: HeaderBlocks;
  readonly #news: PeerNews;
  #hasSettings = false;
  /** Bytes of DATA that the peer may send before it is told that it may send more. */
  #window = DEFAULT_WINDOW;
  readonly #payload: Payload = { start: 0, end: 0 };

  constructor(parts: {
    readonly bounds: Http2Bounds;
    readonly calls: Calls;
    readonly writer: FrameWriter;
    readonly news: PeerNews;
  }) {
    this.#calls = parts.calls;
    this.#writer = parts.writer;
    this.#news = parts.news;
    this.#blocks = new HeaderBlocks(parts.bounds);
  }

  /** The stream whose header block is still to be completed; 0 where there is none. */
  get blockStream(): number {
    return this.#blocks.openStream;
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (this.#blocks.openStream !== 0 && (type !== FRAME.continuation || id !== this.#blocks.openStream))
      throw protocol('A header block is interrupted');
    if (!this.#hasSettings && (type !== FRAME.settings || (flags & FLAG.ack) !== 0))
      throw protocol('The first frame is not SETTINGS');
    switch (type) {
      case FRAME.headers:
        this.#headers(flags, id, bytes, start, end);
        break;
      case FRAME.data:
        this.#data(flags, id, bytes, start, end);
        break;
      case FRAME.continuation:
        this.#continuation(flags, id, bytes, start, end);
        break;
      case FRAME.windowUpdate:
        this.#windowUpdate(id, bytes, start, end);
        break;
      case FRAME.rstStream:
        this.#rstStream(id, start, end);
        break;
      case FRAME.settings:
        this.#settings(flags, id, bytes, start, end);
        break;
      case FRAME.ping:
        this.#ping(flags, id, bytes, start, end);
        break;
      case FRAME.goaway:
        this.#goaway(id, start, end);
        break;
      case FRAME.priority:
        this.#priority(id, bytes, start, end);
        break;
      case FRAME.pushPromise:
        throw protocol('A client promises nothing');
      default:
        // Frames of a type that nobody knows are passed over (RFC 9113 §4.1).
        this.#calls.rates.frame(this.#calls.nowMs, end - start);
    }
  }

  /** Tells the peer that it may send as much again, once it has sent half of what it may. */
  replenish(): void {
    const by = CONNECTION_WINDOW - this.#window;
    if (by < CONNECTION_WINDOW / 2) return;
    this.#window = CONNECTION_WINDOW;
    this.#writer.windowUpdate(0, by);
  }

  #headers(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0) throw protocol('HEADERS on stream 0');
    const payload = this.#unpadded(flags, bytes, start, end);
    if ((flags & FLAG.priority) !== 0) {
      if (payload.end - payload.start < 5) throw wrongSize('HEADERS are shorter than their priority');
      refuseSelf(id, bytes, payload.start);
      payload.start += 5;
    }
    const endsStream = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) === 0) {
      this.#blocks.begin(id, endsStream, bytes, payload.start, payload.end);
      return;
    }
    const head = this.#blocks.read(bytes, payload.start, payload.end);
    this.#head(id, head, payload.end - payload.start, endsStream);
  }

  #continuation(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (this.#blocks.openStream === 0) throw protocol('CONTINUATION without HEADERS');
    const head = this.#blocks.continue((flags & FLAG.endHeaders) !== 0, bytes, start, end);
    if (head !== undefined) this.#head(id, head, this.#blocks.bytes, this.#blocks.endsStream);
  }

  #head(id: number, head: RequestHead, blockBytes: number, endsStream: boolean): void {
    const { numbers, rates, nowMs } = this.#calls;
    const counted = rates.block(nowMs, blockBytes);
    const call = this.#calls.get(id);
    if (call !== undefined) {
      if (call.isReceiving) this.#calls.trailers(call, head, endsStream);
      else this.#calls.reset(call, ERROR.streamClosed);
    } else if (id > numbers.last && id % 2 === 1) this.#calls.begin(id, head, endsStream, counted);
    else if (numbers.isIgnored(id)) rates.frame(nowMs);
    else if (numbers.wasOpened(id)) throw new ConnectionError(ERROR.streamClosed, 'HEADERS on a closed stream');
    else throw protocol('HEADERS on a stream that a client cannot open');
  }

  #data(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0) throw protocol('DATA on stream 0');
    this.#window -= end - start;
    if (this.#window < 0) throw new ConnectionError(ERROR.flowControl, 'More DATA than the connection may send');
    const call = this.#calls.get(id);
    if (call === undefined || !call.isReceiving) {
      this.#strayData(id, end - start);
      return;
    }
    call.receiveWindow -= end - start;
    const payload = this.#unpadded(flags, bytes, start, end);
    const endsStream = (flags & FLAG.endStream) !== 0;
    if (!endsStream && payload.end - payload.start < SMALL_DATA_BYTES) this.#calls.rates.frame(this.#calls.nowMs);
    if (call.receiveWindow < 0) this.#calls.reset(call, ERROR.flowControl);
    else this.#calls.data(call, bytes, payload.start, payload.end, endsStream);
  }

  #strayData(id: number, length: number): void {
    const { numbers, rates, nowMs } = this.#calls;
    if (numbers.isIdle(id)) throw protocol('DATA on a stream that is not open');
    const call = this.#calls.get(id);
    if (call !== undefined) this.#calls.reset(call, ERROR.streamClosed);
    else if (numbers.isIgnored(id)) {
      if (length < SMALL_DATA_BYTES) rates.frame(nowMs);
    } else {
      this.#writer.reset(id, ERROR.streamClosed);
      rates.reset(nowMs);
    }
  }

  #rstStream(id: number, start: number, end: number): void {
    if (end - start !== 4) throw wrongSize('RST_STREAM of a length that is none');
    const { numbers, rates, nowMs } = this.#calls;
    if (id === 0 || numbers.isIdle(id)) throw protocol('RST_STREAM on a stream that is not open');
    const call = this.#calls.get(id);
    if (call === undefined) {
      rates.frame(nowMs);
      return;
    }
    this.#calls.drop(call);
    rates.reset(nowMs);
  }

  #windowUpdate(id: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw wrongSize('WINDOW_UPDATE of a length that is none');
    const { numbers, rates, sender, nowMs } = this.#calls;
    rates.frame(nowMs);
    const by = uint32At(bytes, start) & MAX_WINDOW;
    if (id === 0) {
      if (by === 0) throw protocol('WINDOW_UPDATE by 0');
      sender.openConnection(by, nowMs);
      return;
    }
    if (numbers.isIdle(id)) throw protocol('WINDOW_UPDATE on a stream that is not open');
    const call = this.#calls.get(id);
    if (call === undefined) return;
    if (by === 0) this.#calls.reset(call, ERROR.protocol);
    else if (!sender.openStream(call, by, nowMs)) this.#calls.reset(call, ERROR.flowControl);
  }

  #settings(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id !== 0) throw protocol('SETTINGS on a stream');
    const { rates, sender, nowMs } = this.#calls;
    rates.frame(nowMs, end - start);
    if ((flags & FLAG.ack) !== 0) {
      if (start !== end) throw wrongSize('An acknowledgement of SETTINGS holds some');
      this.#news.onSettingsAck();
      return;
    }
    const by = sender.settings.apply(bytes, start, end);
    // Acknowledged before what it lets through: the peer counts by what it knows to be in force.
    this.#writer.settingsAck();
    if (by !== 0) {
      for (const call of this.#calls.values())
        if (!sender.openStream(call, by, nowMs))
          throw new ConnectionError(ERROR.flowControl, 'INITIAL_WINDOW_SIZE makes a window larger than any may be');
    }
    if (this.#hasSettings) return;
    this.#hasSettings = true;
    this.#news.onSettings();
  }

  #ping(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id !== 0) throw protocol('PING on a stream');
    if (end - start !== 8) throw wrongSize('PING of a length that is none');
    this.#calls.rates.frame(this.#calls.nowMs);
    if ((flags & FLAG.ack) === 0) this.#writer.ping(FLAG.ack, bytes.subarray(start, end));
  }

  #goaway(id: number, start: number, end: number): void {
    if (id !== 0) throw protocol('GOAWAY on a stream');
    if (end - start < 8) throw wrongSize('GOAWAY of a length that is none');
    this.#calls.rates.frame(this.#calls.nowMs, end - start);
    this.#news.onGoaway();
  }

  #priority(id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0) throw protocol('PRIORITY on stream 0');
    if (end - start !== 5) throw wrongSize('PRIORITY of a length that is none');
    this.#calls.rates.frame(this.#calls.nowMs);
    refuseSelf(id, bytes, start);
  }

  #unpadded(flags: number, bytes: Buffer, start: number, end: number): Payload {
    const payload = this.#payload;
    payload.start = start;
    payload.end = end;
    if ((flags & FLAG.padded) !== 0) withoutPadding(bytes, start, end, payload);
    return payload;
  }
}

/** Priorities are of no consequence here; one that makes no sense is an error all the same (RFC 7540 §5.3.1). */
function refuseSelf(id: number, bytes: Buffer, at: number): void {
  if ((uint32At(bytes, at) & MAX_WINDOW) === id) throw protocol('A stream depends on itself');
}
