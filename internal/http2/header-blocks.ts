import type { Http2Bounds } from './bounds.ts';
import { ERROR } from './codes.ts';
import { ConnectionError, tooMuch } from './connection-error.ts';
import { HeaderDecoder, staticFieldsFor } from './hpack/decoder.ts';
import { type RequestHead, RequestHeadReader } from './request-head.ts';

/** Blocks longer than this are read anew each time: comparing them would cost as much. */
const MAX_REPEATED_BYTES = 512;

/**
 * A call whose fields come to more than it may have is refused, and its connection goes on; one that comes to so many times
 * as much is an attack, for indexes of one byte each can stand for thousands.
 */
const FAR = 4;

/** The same for all connections. */
const STATICS = staticFieldsFor(new RequestHeadReader(0));

/** Puts header blocks together and reads them, for one connection. */
export class HeaderBlocks {
  readonly #bounds: Http2Bounds;
  readonly #reader: RequestHeadReader;
  readonly #decoder: HeaderDecoder;
  /** A block whose end is still to come. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  #stream = 0;
  #endsStream = false;
  /** The block that was read last, and what it was, while reading it again would make no difference. */
  #last: Buffer | undefined = undefined;
  #lastBytes = 0;
  #lastHead: RequestHead | undefined = undefined;

  constructor(bounds: Http2Bounds) {
    this.#bounds = bounds;
    this.#reader = new RequestHeadReader(FAR * bounds.maxHeaderBytes);
    this.#decoder = new HeaderDecoder(this.#reader, bounds.headerTableBytes, STATICS);
  }

  /** The stream whose block is not whole; 0 where there is none. */
  get openStream(): number {
    return this.#stream;
  }

  /** Of the block that was put together last, as it came. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the block that was put together last ends its stream. */
  get endsStream(): boolean {
    return this.#endsStream;
  }

  /** The first piece of a block, of which CONTINUATION frames bring the rest. */
  begin(stream: number, endsStream: boolean, bytes: Buffer, start: number, end: number): void {
    this.#stream = stream;
    this.#endsStream = endsStream;
    this.#bytes = 0;
    this.#add(bytes, start, end);
  }

  /** @returns the head where it is the last piece */
  continue(isLast: boolean, bytes: Buffer, start: number, end: number): RequestHead | undefined {
    if (this.#pieces.length > this.#bounds.maxContinuations)
      throw tooMuch('continuations', `More than ${this.#bounds.maxContinuations} CONTINUATION frames of a block`);
    this.#add(bytes, start, end);
    if (!isLast) return undefined;
    const block = Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.#stream = 0;
    return this.read(block, 0, block.length);
  }

  /** A whole block. @throws {ConnectionError} COMPRESSION_ERROR, or ENHANCE_YOUR_CALM for one that is far too large */
  read(bytes: Buffer, start: number, end: number): RequestHead {
    if (this.#lastHead !== undefined && this.#isLast(bytes, start, end)) return this.#lastHead;
    if (end - start > this.#bounds.maxHeaderBytes) throw this.#tooLarge();
    const { changes } = this.#decoder;
    this.#decoder.decode(bytes, start, end);
    const head = this.#reader.take();
    const isRepeatable = this.#decoder.changes === changes && end - start <= MAX_REPEATED_BYTES;
    this.#lastHead = isRepeatable ? head : undefined;
    if (isRepeatable) {
      this.#last ??= Buffer.allocUnsafe(MAX_REPEATED_BYTES);
      this.#lastBytes = bytes.copy(this.#last, 0, start, end);
    }
    return head;
  }

  /** Copied: it may lie in a piece of the socket that is much larger, and come slowly. */
  #add(bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.#bytes > this.#bounds.maxHeaderBytes) throw this.#tooLarge();
    this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
  }

  #isLast(bytes: Buffer, start: number, end: number): boolean {
    const last = this.#last;
    if (last === undefined || this.#lastBytes !== end - start) return false;
    for (let i = 0; i < this.#lastBytes; i += 1) if (last[i] !== bytes[start + i]) return false;
    return true;
  }

  #tooLarge(): ConnectionError {
    return tooMuch('header_bytes', `A header block is larger than ${this.#bounds.maxHeaderBytes} bytes`);
  }
}

/** What lies between the padding and the priority of HEADERS and DATA. */
export interface Payload {
  start: number;
  end: number;
}

/** @throws {ConnectionError} PROTOCOL_ERROR where the padding is longer than the frame */
export function withoutPadding(bytes: Buffer, start: number, end: number, into: Payload): void {
  const padding = start < end ? (bytes[start] ?? 0) : end;
  if (padding > end - start - 1) throw new ConnectionError(ERROR.protocol, 'Padding is longer than its frame');
  into.start = start + 1;
  into.end = end - padding;
}
