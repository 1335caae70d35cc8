// HTTP/2 by hand: a peer that sends what a real client never would. Only what the tests need of RFC 9113 and RFC 7541.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CHECK_PATH } from './door-client.ts';

export const FRAME_TYPES = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
  UNKNOWN: 0x42,
} as const;
export type FrameName = keyof typeof FRAME_TYPES;

export const END_STREAM = 1;
export const END_HEADERS = 4;
const ACK = 1;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(name: FrameName, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(FRAME_TYPES[name], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal field without indexing and without Huffman coding (RFC 7541 §6.2.2). */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length < 0x7f) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [0x7f];
  let rest = bytes.length - 0x7f;
  for (; rest > 0x7f; rest >>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

/** The header block of a Check. */
export function checkFields(more: readonly (readonly [string, string])[] = []): Buffer {
  const fields: readonly (readonly [string, string])[] = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', CHECK_PATH],
    [':authority', 'door.example.org'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...more,
  ];
  return Buffer.concat(fields.map(([name, value]) => field(name, value)));
}

export const requestHeaders = (stream: number, more: readonly (readonly [string, string])[] = []): Buffer =>
  frame('HEADERS', END_HEADERS, stream, checkFields(more));

/** A whole Check on a stream of its own. */
export function checkFrames(stream: number, message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([requestHeaders(stream), frame('DATA', END_STREAM, stream, Buffer.concat([prefix, message]))]);
}

export class H2Client {
  readonly #socket: Socket;
  readonly #frames: Frame[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #onFrame: (() => void) | undefined = undefined;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#onFrame?.();
    });
  }

  /** Connects and sends the preface and settings; acknowledges the server's settings by itself. */
  static async connect(port: number, settings: Uint8Array = Buffer.alloc(0)): Promise<H2Client> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return H2Client.#begin(socket, settings);
  }

  /** The same by TLS, whoever the server says it is. */
  static async connectTls(port: number, settings: Uint8Array = Buffer.alloc(0)): Promise<H2Client> {
    const socket = connectTls({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return H2Client.#begin(socket, settings);
  }

  static #begin(socket: Socket, settings: Uint8Array): H2Client {
    const client = new H2Client(socket);
    client.send(Buffer.concat([PREFACE, frame('SETTINGS', 0, 0, settings)]));
    return client;
  }

  send(bytes: Uint8Array): boolean {
    return !this.#isClosed && this.#socket.write(bytes);
  }

  /** The first frame that fits, already come or still to come; undefined when the connection ends without it. */
  async next(wanted: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const index = this.#frames.findIndex(wanted);
      const [found] = index === -1 ? [] : this.#frames.splice(index, 1);
      if (found !== undefined || this.#isClosed) return found;
      await new Promise<void>((resolve) => {
        this.#onFrame = resolve;
      });
    }
  }

  ofType(name: FrameName): Promise<Frame | undefined> {
    return this.next(({ type, flags }) => type === FRAME_TYPES[name] && !(name === 'SETTINGS' && flags === ACK));
  }

  /** The server's settings by their number. */
  async settings(): Promise<ReadonlyMap<number, number>> {
    const { payload = Buffer.alloc(0) } = (await this.ofType('SETTINGS')) ?? {};
    const pairs = Array.from({ length: payload.length / 6 }, (_, i) => [
      payload.readUInt16BE(i * 6),
      payload.readUInt32BE(i * 6 + 2),
    ]);
    return new Map(pairs as [number, number][]);
  }

  /** The message on a stream, without its prefix. */
  async messageOf(stream: number): Promise<Buffer | undefined> {
    const data = await this.next((each) => each.stream === stream && each.type === FRAME_TYPES.DATA);
    return data?.payload.subarray(5);
  }

  /** Fields of the last header block on a stream, as far as they are spelt out: grpc-status is, in what servers send. */
  async trailersOf(stream: number): Promise<ReadonlyMap<string, string>> {
    const isLast = ({ flags }: Frame): boolean => (flags & END_STREAM) !== 0;
    const last = await this.next((each) => each.stream === stream && each.type === FRAME_TYPES.HEADERS && isLast(each));
    return new Map([['grpc-status', grpcStatusIn(last?.payload ?? Buffer.alloc(0))]]);
  }

  /** Reads nothing more until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when the connection has ended, broken or not. */
  async closed(): Promise<void> {
    if (this.#isClosed) return;
    await new Promise((resolve) => this.#socket.on('close', resolve));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < 9 + length) break;
      const [type = 0, flags = 0] = this.#rest.subarray(3, 5);
      const stream = this.#rest.readUInt32BE(5) & 0x7fff_ffff;
      this.#frames.push({ type, flags, stream, payload: this.#rest.subarray(9, 9 + length) });
      this.#rest = this.#rest.subarray(9 + length);
      if (type === FRAME_TYPES.SETTINGS && flags !== ACK) this.send(frame('SETTINGS', ACK, 0));
    }
    this.#onFrame?.();
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** grpc-status as nghttp2 spells it: the name Huffman-coded, then one or two digits, Huffman-coded or not. */
const GRPC_STATUS_NAME = Buffer.from([0x88, 0x9a, 0xca, 0xc8, 0xb2, 0x12, 0x34, 0xda, 0x8f]);

function grpcStatusIn(block: Buffer): string {
  const at = block.indexOf(GRPC_STATUS_NAME);
  if (at === -1) return 'none';
  const start = at + GRPC_STATUS_NAME.length;
  const length = block[start] ?? 0;
  return digits(block.subarray(start + 1, start + 1 + (length & 0x7f)), (length & 0x80) !== 0);
}

/** Digits 0 to 2 have codes of five bits, the others of six (RFC 7541, appendix B). */
function digits(bytes: Buffer, isHuffman: boolean): string {
  if (!isHuffman) return bytes.toString('latin1');
  let bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let found = '';
  while (bits.length >= 5) {
    const five = Number.parseInt(bits.slice(0, 5), 2);
    const six = Number.parseInt(bits.slice(0, 6), 2);
    if (five <= 2) found += String(five);
    else if (bits.length >= 6 && six >= 0x19 && six <= 0x1f) found += String(six - 0x16);
    else break;
    bits = bits.slice(five <= 2 ? 5 : 6);
  }
  return found;
}
