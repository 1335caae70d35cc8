import { LENGTH_BYTES, MAX_FRAME_BYTES } from './frames.ts';

const FIRST_BYTES = 16 * 1024;
/** A space that grew beyond this goes with what it holds. */
const KEPT_BYTES = 512 * 1024;

/** Frames that go out with the next write, one after the other in one space, which grows with what a turn asks. */
export class FrameWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view: DataView = viewOf(this.#bytes);
  #from = 0;
  #at = 0;

  /** Bytes of whole frames. */
  get size(): number {
    return this.#from;
  }

  /** Begins a frame; what was begun and not ended is dropped. */
  begin(): void {
    if (this.#bytes.length - this.#from < LENGTH_BYTES + MAX_FRAME_BYTES) this.#grow();
    this.#at = this.#from + LENGTH_BYTES;
  }

  /** @throws {RangeError} for a frame that the other end would not take */
  end(): void {
    const length = this.#at - this.#from - LENGTH_BYTES;
    if (length > MAX_FRAME_BYTES) throw new RangeError(`A frame has ${length} bytes, at most ${MAX_FRAME_BYTES} fit`);
    this.#view.setUint32(this.#from, length, true);
    this.#from = this.#at;
  }

  uint8(value: number): void {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
  }

  uint16(value: number): void {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  uint32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  float64(value: number): void {
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** @throws {RangeError} for a text that would not be the same when it is read */
  text(text: string): void {
    const { length } = text;
    if (length > 0xff) throw new RangeError(`A text has ${length} characters, at most 255 fit`);
    const bytes = this.#bytes;
    bytes[this.#at] = length;
    const from = this.#at + 1;
    for (let i = 0; i < length; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) throw new RangeError('A text is not ASCII');
      bytes[from + i] = unit;
    }
    this.#at = from + length;
  }

  /** The whole frames, which are the caller's from now on. */
  take(): Buffer {
    const frames = this.#bytes.subarray(0, this.#from);
    this.#from = 0;
    if (this.#bytes.length > KEPT_BYTES) {
      this.#useSpace(Buffer.allocUnsafeSlow(FIRST_BYTES));
      return frames;
    }
    // A copy: a socket may keep what it is given until long after the next turn.
    return Buffer.from(frames);
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(2 * (this.#bytes.length + MAX_FRAME_BYTES));
    this.#bytes.copy(larger, 0, 0, this.#from);
    this.#useSpace(larger);
  }

  #useSpace(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
