import { DEFAULT_WINDOW, ERROR, FLAG, FRAME, FRAME_HEAD_BYTES, MAX_FRAME_BYTES, MAX_WINDOW, SETTING } from './codes.ts';
import { ConnectionError } from './connection-error.ts';
import { uint32At } from './frame-reader.ts';

/** What a peer said that concerns what is sent to it; the defaults before it says anything (RFC 9113 §6.5.2). */
export class PeerSettings {
  /** Bytes of DATA that a new stream may be sent before the peer says more. */
  initialWindow = DEFAULT_WINDOW;

  /**
   * Takes a frame of settings, of which later ones go before earlier ones, as a whole: a frame can hold thousands.
   *
   * @returns by how much windows of open streams change
   * @throws {ConnectionError} for a value that none may be
   */
  apply(bytes: Buffer, start: number, end: number): number {
    if ((end - start) % 6 !== 0) throw new ConnectionError(ERROR.frameSize, 'SETTINGS of a length that is none');
    const before = this.initialWindow;
    for (let at = start; at < end; at += 6)
      this.#set(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0), uint32At(bytes, at + 2));
    return this.initialWindow - before;
  }

  /** The peer's table is of no concern: nothing that is sent to it needs one. Nor are settings that nobody knows. */
  #set(setting: number, value: number): void {
    if (setting === SETTING.enablePush && value > 1)
      throw new ConnectionError(ERROR.protocol, `ENABLE_PUSH is ${value}`);
    if (setting === SETTING.initialWindowSize) {
      if (value > MAX_WINDOW) throw new ConnectionError(ERROR.flowControl, `INITIAL_WINDOW_SIZE is ${value}`);
      this.initialWindow = value;
    }
    // Frames are sent no larger than the least that a peer can say here, so no more is made of it.
    if (setting === SETTING.maxFrameSize && (value < MAX_FRAME_BYTES || value > 0xff_ffff))
      throw new ConnectionError(ERROR.protocol, `MAX_FRAME_SIZE is ${value}`);
  }
}

/** A frame of settings. */
export function settingsFrame(values: ReadonlyMap<number, number>): Buffer {
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + 6 * values.size);
  frame.writeUIntBE(6 * values.size, 0, 3);
  frame[3] = FRAME.settings;
  let at = FRAME_HEAD_BYTES;
  for (const [setting, value] of values) {
    frame.writeUInt16BE(setting, at);
    frame.writeUInt32BE(value, at + 2);
    at += 6;
  }
  return frame;
}

/** A whole frame of fields whose stream is put in when it is written. */
export function headersFrame(block: Buffer, isLast: boolean): Buffer {
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + block.length);
  frame.writeUIntBE(block.length, 0, 3);
  frame[3] = FRAME.headers;
  frame[4] = FLAG.endHeaders | (isLast ? FLAG.endStream : 0);
  block.copy(frame, FRAME_HEAD_BYTES);
  return frame;
}
