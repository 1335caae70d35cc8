import { PosternError } from '../core/error.ts';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const malformed = (why: string): PosternError => new PosternError('ERR_POSTERN_WIRE', `The message cannot be read: ${why}`);

/**
 * Reads protobuf fields one after the other from a stretch of bytes, without copying. Every read is checked against
 * the end; groups, which proto3 has not, are refused.
 *
 * @throws {PosternError} ERR_POSTERN_WIRE on truncated or malformed bytes
 * @see protobuf encoding: https://protobuf.dev/programming-guides/encoding/
 */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  #position: number;
  readonly #end: number;
  #wireType = VARINT;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  /** Number of the next field, 0 at the end. */
  next(): number {
    if (this.#position >= this.#end) return 0;
    const tag = this.#varint32();
    this.#wireType = tag & 7;
    const field = tag >>> 3;
    if (field === 0) throw malformed('a field has the number 0');
    return field;
  }

  /** Whether the field at hand is of variable length: a message, text or bytes. */
  get isBytes(): boolean {
    return this.#wireType === BYTES;
  }

  get isVarint(): boolean {
    return this.#wireType === VARINT;
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
        this.#advance(this.#length());
        return;
      case FIXED32:
        this.#advance(4);
        return;
      default:
        throw malformed(`wire type ${this.#wireType}`);
    }
  }

  /** A reader over the embedded message; this one goes on behind it. */
  message(): ProtoReader {
    const start = this.#bytesStart();
    return new ProtoReader(this.#bytes, start, this.#position);
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(this.#bytesStart(), this.#position);
  }

  /** UTF-8 text; each byte that is not becomes a lone surrogate, U+DC00 + byte, so that different bytes stay different. */
  text(): string {
    const start = this.#bytesStart();
    return decodeText(this.#bytes, start, this.#position);
  }

  /** A signed 64-bit number as far as a double holds it. */
  int64(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift === 28) {
        low |= (byte & 0x0f) << 28;
        high |= (byte & 0x7f) >> 4;
      } else if (shift < 63) high |= (byte & 0x7f) << (shift - 32);
      else high |= (byte & 0x01) << 31;
      if (byte < 0x80) return high * 0x1_0000_0000 + (low >>> 0);
    }
    throw malformed('a number of more than ten bytes');
  }

  double(): number {
    if (this.#wireType !== FIXED64) throw malformed('a number of the wrong kind');
    const start = this.#position;
    this.#advance(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + start, 8).getFloat64(0, true);
  }

  #bytesStart(): number {
    const length = this.#length();
    const start = this.#position;
    this.#advance(length);
    return start;
  }

  #length(): number {
    if (this.#wireType !== BYTES) throw malformed('a field of the wrong kind');
    return this.#varint32();
  }

  #advance(length: number): void {
    this.#position += length;
    if (this.#position > this.#end) throw malformed('it ends too early');
  }

  #byte(): number {
    const byte = this.#bytes[this.#position];
    if (byte === undefined || this.#position >= this.#end) throw malformed('it ends too early');
    this.#position += 1;
    return byte;
  }

  /** Tags and lengths: at most 32 bits, in at most ten bytes, as every protobuf reader takes them. */
  #varint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 28) value |= (byte & 0x7f) << shift;
      else if (shift === 28) value = (value | ((byte & 0x0f) << 28)) >>> 0;
      else if ((byte & 0x7f) !== 0) throw malformed('a length of more than 32 bits');
      if (byte < 0x80) return value >>> 0;
    }
    throw malformed('a number of more than ten bytes');
  }

  #skipVarint(): void {
    for (let i = 0; i < 10; i += 1) if (this.#byte() < 0x80) return;
    throw malformed('a number of more than ten bytes');
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Texts of a request are short and mostly ASCII: a loop beats a decoder on them. */
const SHORT = 24;

function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT) {
    let text = '';
    for (let i = start; i < end; i += 1) {
      const byte = bytes[i] ?? 0;
      if (byte >= 0x80) return decodeLong(bytes, start, end);
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return decodeLong(bytes, start, end);
}

function decodeLong(bytes: Uint8Array, start: number, end: number): string {
  const part = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  const text = part.toString('latin1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: everything that is one byte in UTF-8
  if (/^[\u0000-\u007f]*$/.test(text)) return text;
  try {
    return strict.decode(part);
  } catch {
    return escapeBadBytes(part);
  }
}

/** UTF-8 with what is not UTF-8 kept byte by byte. */
function escapeBadBytes(part: Buffer): string {
  let text = '';
  let i = 0;
  while (i < part.length) {
    const length = sequenceLength(part, i);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + (part[i] ?? 0));
      i += 1;
      continue;
    }
    text += part.toString('utf8', i, i + length);
    i += length;
  }
  return text;
}

/** Bytes of the UTF-8 sequence at a place, 0 where there is none. */
function sequenceLength(part: Buffer, at: number): number {
  const first = part[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > part.length) return 0;
  try {
    strict.decode(part.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
