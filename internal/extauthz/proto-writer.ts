/** One byte each in UTF-8, and long enough that a call into the runtime beats a loop. */
const LONG = 48;
const START_BYTES = 4096;
/** Up to this length a loop beats a call into the runtime. */
const SHORT = 16;

/**
 * Writes protobuf from its end to its beginning, so that the length of an embedded message is known when its tag is
 * due: write the fields of a message last to first, then `endMessage` with what `mark` was before them.
 */
export class ProtoWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(START_BYTES);
  /** Index of the first byte written so far. */
  #position = START_BYTES;

  /** Forgets what was written. */
  reset(): void {
    this.#position = this.#bytes.length;
  }

  /** How many bytes are written. */
  get mark(): number {
    return this.#bytes.length - this.#position;
  }

  /** A copy of what is written. */
  finish(): Buffer {
    return this.#copied(Buffer.allocUnsafe(this.mark));
  }

  /** A copy of what was written since `mark` was `before`; it may be kept for long. */
  written(before: number): Buffer {
    return this.#copied(Buffer.allocUnsafeSlow(this.mark - before));
  }

  #copied(copy: Buffer): Buffer {
    this.#bytes.copy(copy, 0, this.#position, this.#position + copy.length);
    return copy;
  }

  /** Writes ASCII over what stands so far behind the beginning of what is written. */
  overwrite(at: number, text: string): void {
    copyAscii(text, this.#bytes, this.#position + at);
  }

  /** Bytes that are encoded already, tags included. */
  raw(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#reserve(length);
    this.#position -= length;
    if (length > SHORT) this.#bytes.set(bytes, this.#position);
    else copyShort(bytes, this.#bytes, this.#position);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#position -= 1;
    this.#bytes[this.#position] = value;
  }

  /** An unsigned number of at most 32 bits. */
  varint(value: number): void {
    let length = 1;
    for (let rest = value >>> 7; rest !== 0; rest >>>= 7) length += 1;
    this.#reserve(length);
    this.#position -= length;
    let at = this.#position;
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) {
      this.#bytes[at] = (rest & 0x7f) | 0x80;
      at += 1;
    }
    this.#bytes[at] = rest;
  }

  /** Length and tag of the embedded message that was begun when `mark` was `before`. */
  endMessage(tag: number, before: number): void {
    this.varint(this.mark - before);
    this.varint(tag);
  }

  /** Text, its length and its tag. A lone surrogate, which no UTF-8 holds, becomes U+FFFD. */
  text(tag: number, text: string): void {
    const before = this.mark;
    this.#characters(text);
    this.endMessage(tag, before);
  }

  #characters(text: string): void {
    const { length } = text;
    if (length > LONG) {
      this.#utf8(text);
      return;
    }
    this.#reserve(length);
    const start = this.#position - length;
    if (copyAscii(text, this.#bytes, start)) this.#position = start;
    else this.#utf8(text);
  }

  #utf8(text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length);
    this.#position -= length;
    this.#bytes.write(text, this.#position, length, 'utf8');
  }

  #reserve(length: number): void {
    if (length > this.#position) this.#grow(length);
  }

  #grow(length: number): void {
    const { mark } = this;
    const larger = Buffer.allocUnsafeSlow(2 * (mark + length));
    this.#bytes.copy(larger, larger.length - mark, this.#position);
    this.#position = larger.length - mark;
    this.#bytes = larger;
  }
}

/** @returns false where the text is not ASCII alone: what was copied of it is nothing then */
function copyAscii(text: string, to: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return false;
    to[start + i] = unit;
  }
  return true;
}

function copyShort(bytes: Uint8Array, to: Buffer, start: number): void {
  for (let i = 0; i < bytes.length; i += 1) to[start + i] = bytes[i] ?? 0;
}

/** One field of text, as it stands in any message. */
export function encodedText(tag: number, text: string): Uint8Array {
  const writer = new ProtoWriter();
  writer.text(tag, text);
  return writer.finish();
}
