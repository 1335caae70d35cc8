// What a door answers on each stream of a connection that is sent these very bytes.
import { once } from 'node:events';
import { connect } from 'node:net';
import { FrameReader } from '../../../internal/http2/frame-reader.ts';
import { HeaderDecoder } from '../../../internal/http2/hpack/decoder.ts';
import { END_STREAM, FRAME_TYPES, frame, PREFACE } from '../../door/h2-client.ts';

/** What came back on one stream. */
export interface StreamAnswer {
  /** Of HTTP; undefined where no fields came. */
  http?: string;
  grpcStatus?: string;
  grpcMessage?: string;
  /** All of DATA, in hexadecimal. */
  data: string;
  /** The code of RST_STREAM; undefined where the stream was not reset. */
  reset?: number;
  isWhole: boolean;
}

export interface Answers {
  readonly streams: ReadonlyMap<number, StreamAnswer>;
  /** The code of a GOAWAY that says that something was wrong. */
  readonly goaway: number | undefined;
  /** It was closed before the answer that was waited for. */
  readonly isCutOff: boolean;
}

const ACK = 1;
const SETTINGS_ACK = frame('SETTINGS', ACK, 0);
const OPEN = frame('WINDOW_UPDATE', 0, 0, Buffer.of(0x3f, 0, 0, 0));
const WIDE = frame('SETTINGS', 0, 0, Buffer.of(0, 4, 0x3f, 0xff, 0xff, 0xff));

/** Opens a connection as a client does. */
export const OPENING: Buffer = Buffer.concat([PREFACE, WIDE, OPEN]);

export interface Asking {
  /** The stream whose answer is waited for. */
  readonly awaited: number;
  /** Acknowledgements are among the bytes already: a second one would break the rules. */
  readonly isRecorded?: boolean;
  readonly patienceMs?: number;
}

/** Sends bytes and reads until a stream has been answered, or the connection has ended. */
export async function answersTo(
  port: number,
  bytes: Buffer,
  { awaited, isRecorded = false, patienceMs = 20_000 }: Asking,
): Promise<Answers> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const reading = new Reading(awaited);
  socket.on('error', () => undefined);
  const closed = once(socket, 'close').catch(() => undefined);
  socket.on('data', (chunk: Buffer) => {
    const back = reading.read(chunk);
    if (!isRecorded && back.length > 0 && socket.writable) socket.write(back);
  });
  const timer = setTimeout(() => socket.destroy(), patienceMs);
  socket.write(bytes);
  await Promise.race([closed, reading.over]);
  clearTimeout(timer);
  socket.destroy();
  await closed;
  return { streams: reading.streams, goaway: reading.goaway, isCutOff: !reading.isOver };
}

class Reading {
  readonly streams = new Map<number, StreamAnswer>();
  goaway: number | undefined = undefined;
  isOver = false;
  readonly over: Promise<void>;
  readonly #end: () => void;
  readonly #awaited: number;
  readonly #reader = new FrameReader(this);
  readonly #names: string[] = [''];
  readonly #decoder = new HeaderDecoder(this, 4096);
  #block: Buffer[] = [];
  #fields: (readonly [string, string])[] = [];
  #back: Buffer[] = [];

  constructor(awaited: number) {
    this.#awaited = awaited;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#end = resolve;
  }

  /** @returns what a client has to say to it */
  read(chunk: Buffer): Buffer {
    this.#back = [];
    this.#reader.read(chunk);
    return Buffer.concat(this.#back);
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const payload = bytes.subarray(start, end);
    if (type === FRAME_TYPES.SETTINGS && (flags & ACK) === 0) this.#back.push(SETTINGS_ACK);
    if (type === FRAME_TYPES.PING && (flags & ACK) === 0) this.#back.push(frame('PING', ACK, 0, payload));
    if (type === FRAME_TYPES.GOAWAY && payload.readUInt32BE(4) !== 0) this.goaway = payload.readUInt32BE(4);
    if (id === 0) return;
    const answer = this.#of(id);
    if (type === FRAME_TYPES.DATA) answer.data += payload.toString('hex');
    if (type === FRAME_TYPES.RST_STREAM) {
      // A stream that was answered, and whose rest is not wanted, has its answer.
      if (!answer.isWhole) answer.reset = payload.readUInt32BE(0);
      answer.isWhole = true;
    }
    if (type === FRAME_TYPES.HEADERS || type === FRAME_TYPES.CONTINUATION) this.#headers(answer, flags, payload);
    if ((flags & END_STREAM) !== 0 && (type === FRAME_TYPES.DATA || type === FRAME_TYPES.HEADERS))
      answer.isWhole = true;
    if (id === this.#awaited && answer.isWhole) {
      this.isOver = true;
      this.#end();
    }
  }

  slotOf(name: string): number {
    return this.#names.push(name) - 1;
  }

  field(slot: number, value: string): void {
    this.#fields.push([this.#names[slot] ?? '', value]);
  }

  #headers(answer: StreamAnswer, flags: number, payload: Buffer): void {
    this.#block.push(payload);
    if ((flags & 4) === 0) return;
    const block = Buffer.concat(this.#block);
    this.#block = [];
    this.#fields = [];
    this.#decoder.decode(block, 0, block.length);
    for (const [name, value] of this.#fields) {
      if (name === ':status') answer.http = value;
      if (name === 'grpc-status') answer.grpcStatus = value;
      if (name === 'grpc-message') answer.grpcMessage = value;
    }
  }

  #of(id: number): StreamAnswer {
    const known = this.streams.get(id);
    if (known !== undefined) return known;
    const answer: StreamAnswer = { data: '', isWhole: false };
    this.streams.set(id, answer);
    return answer;
  }
}
