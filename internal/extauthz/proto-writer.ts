const VARINT = 0;
const BYTES = 2;

/** Bytes of a number as a varint. */
const varintSize = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5);

/** Bytes of a field of that many bytes, its tag and length included; all our field numbers are under 16. */
export const fieldSize = (length: number): number => 1 + varintSize(length) + length;
export const textSize = (text: string): number => fieldSize(Buffer.byteLength(text));

/** Writes protobuf fields into one buffer that grows; lengths are known before their fields, so nothing moves. */
export class ProtoWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = 1024) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** A copy of what was written; the writer may be used again after `reset`. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  reset(): void {
    this.#length = 0;
  }

  /** The tag and length of a field whose content follows. */
  open(field: number, length: number): void {
    this.#reserve(6 + length);
    this.#varint((field << 3) | BYTES);
    this.#varint(length);
  }

  text(field: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.open(field, length);
    this.#buffer.write(text, this.#length, length, 'utf8');
    this.#length += length;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A number of at most 32 bits, not negative. */
  uint(field: number, value: number): void {
    this.#reserve(6);
    this.#varint((field << 3) | VARINT);
    this.#varint(value);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length] = (rest & 0x7f) | 0x80;
      this.#length += 1;
      rest >>>= 7;
    }
    this.#buffer[this.#length] = rest;
    this.#length += 1;
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
