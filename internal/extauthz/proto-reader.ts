import { PosternError } from '../core/error.ts';
import { decodeText } from './wire-text.ts';

/** Wire types of protobuf. Groups (3, 4) are not proto3 and are refused. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
const FIXED32 = 5;

/** A field's number and wire type in one: what `next` returns, and what a `case` names. */
export const tagOf = (field: number, wireType: number): number => ((field << 3) | wireType) >>> 0;

export function malformed(why: string): PosternError {
  return new PosternError('ERR_POSTERN_WIRE', `The message cannot be read: ${why}`);
}

/**
 * Reads the fields of protobuf messages one after the other, in place. One reader serves a whole message: `enter` and
 * `leave` go into an embedded one and out again. Every step is checked against the end of the innermost message, and
 * moves on by at least a byte, so that no bytes can make it read past them or loop.
 *
 * Every method throws a PosternError, ERR_POSTERN_WIRE, on bytes that are no protobuf.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class ProtoReader {
  readonly #bytes: Buffer;
  #position: number;
  /** End of the innermost message. */
  #limit: number;
  #wireType = VARINT;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = 0;
    this.#limit = bytes.byteLength;
  }

  /** Tag of the next field, 0 at the end of the innermost message. A field that is not read must be skipped. */
  next(): number {
    if (this.#position >= this.#limit) return 0;
    const tag = this.#varint32();
    if (tag < 8) throw malformed('a field has the number 0');
    this.#wireType = tag & 7;
    return tag;
  }

  skip(): void {
    switch (this.#wireType) {
      case VARINT:
        this.#skipVarint();
        return;
      case FIXED64:
        this.#advance(8);
        return;
      case BYTES:
        this.#advance(this.#varint32());
        return;
      case FIXED32:
        this.#advance(4);
        return;
      default:
        throw malformed(`wire type ${this.#wireType}`);
    }
  }

  /** Goes into the embedded message; returns what `leave` wants back. */
  enter(): number {
    const length = this.#varint32();
    const outer = this.#limit;
    const end = this.#position + length;
    if (end > outer) throw malformed('it ends too early');
    this.#limit = end;
    return outer;
  }

  leave(outer: number): void {
    this.#position = this.#limit;
    this.#limit = outer;
  }

  /** The field's bytes; a view, not a copy. */
  bytes(): Buffer {
    const start = this.span();
    return this.#bytes.subarray(start, this.#position);
  }

  /** Where a field's bytes begin; it reads over them, so that `position` is where they end. */
  span(): number {
    const length = this.#varint32();
    const start = this.#position;
    this.#advance(length);
    return start;
  }

  get position(): number {
    return this.#position;
  }

  /** Text as `decodeText` reads it. */
  text(): string {
    const start = this.span();
    return decodeText(this.#bytes, start, this.#position);
  }

  bool(): boolean {
    let value = 0;
    for (let i = 0; i < 10; i += 1) {
      const byte = this.#byte();
      value |= byte & 0x7f;
      if (byte < 0x80) return value !== 0;
    }
    throw malformed('a number of more than ten bytes');
  }

  /** A signed 64-bit number, rounded where a double cannot hold it. */
  int64(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 0x80) return high * 0x1_0000_0000 + (low >>> 0);
    }
    throw malformed('a number of more than ten bytes');
  }

  double(): number {
    const start = this.#position;
    this.#advance(8);
    return this.#bytes.readDoubleLE(start);
  }

  #advance(length: number): void {
    const end = this.#position + length;
    if (end > this.#limit) throw malformed('it ends too early');
    this.#position = end;
  }

  #byte(): number {
    if (this.#position >= this.#limit) throw malformed('it ends too early');
    const byte = this.#bytes[this.#position] ?? 0;
    this.#position += 1;
    return byte;
  }

  /** Tags and lengths: at most 32 bits in at most five bytes, as protobuf's own parsers take them. */
  #varint32(): number {
    // Nearly all are of one byte.
    if (this.#position < this.#limit) {
      const only = this.#bytes[this.#position] ?? 0;
      if (only < 0x80) {
        this.#position += 1;
        return only;
      }
    }
    return this.#longVarint32();
  }

  #longVarint32(): number {
    const first = this.#byte();
    let value = first & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.#byte();
    if (last > 0x0f) throw malformed('a tag or length of more than 32 bits');
    return (value | (last << 28)) >>> 0;
  }

  #skipVarint(): void {
    for (let i = 0; i < 10; i += 1) if (this.#byte() < 0x80) return;
    throw malformed('a number of more than ten bytes');
  }
}
