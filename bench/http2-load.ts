// A load of unary gRPC calls over HTTP/2 with prior knowledge, many bodies in turn, from pre-encoded frames: a client
// that costs less than the server it measures. Run as a process of its own, on a core of its own. A call follows an answer,
// or, with a rate, the clock: then what waits has no bound.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { BENCH_ID } from './bench-id.ts';

const [target = '', bodiesFile = '', seconds = '10', connections = '2', streams = '16', rate = '0'] =
  process.argv.slice(2);
const [host = '127.0.0.1', port = '0'] = target.split(':');
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const FRAME = { data: 0, headers: 1, rst: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;
const WINDOW = 0x3fff_0000;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
/** HPACK: fields of the static table by index, the others as literals that nobody remembers. */
const HEADERS = Buffer.concat([
  Buffer.from([0x83, 0x86, 0x04]),
  text('/envoy.service.auth.v3.Authorization/Check'),
  Buffer.from([0x01]),
  text('bench'),
  Buffer.from([0x0f, 0x10]),
  text('application/grpc'),
  Buffer.from([0x00]),
  text('te'),
  text('trailers'),
]);

/** A message of its own on the wire; what is sent is a copy with a stream and an id of its own. */
interface Template {
  readonly bytes: Buffer;
  /** Where the digits of Envoy's stream id stand; -1 where the message has none. */
  readonly idAt: number;
}

/** Bodies as they were written: each a length of four bytes and the message. */
function readBodies(file: string): Template[] {
  const bytes = readFileSync(file);
  const bodies: Template[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const message = bytes.subarray(at + 4, at + 4 + length);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(length, 1);
    const payload = Buffer.concat([prefix, message]);
    const wire = Buffer.concat([
      frame(FRAME.headers, END_HEADERS, 0, HEADERS),
      frame(FRAME.data, END_STREAM, 0, payload),
    ]);
    bodies.push({ bytes: wire, idAt: wire.indexOf(BENCH_ID) });
    at += 4 + length;
  }
  return bodies;
}

/** Writes a number over the last digits of an id: the same check twice would be a retry, which takes no limit. */
function writeId(bytes: Buffer, idAt: number, id: number): void {
  let rest = id;
  for (let at = idAt + BENCH_ID.length - 1; rest > 0; at -= 1) {
    bytes[at] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

const bodies = readBodies(bodiesFile);
/** Runs of the load follow each other within seconds, and none may send the ids of the one before. */
const firstId = Date.now() * 1000;
const dataAt = 9 + HEADERS.length;
const latencies: number[] = [];
let next = 0;
let done = 0;
let failed = 0;
let isOver = false;

class Connection {
  readonly #socket: Socket;
  #stream = 1;
  #left: Buffer = Buffer.alloc(0);
  #window = 65_535;
  readonly #started = new Map<number, number>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
    this.#socket = connect(Number(port), host);
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', () => undefined);
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(4, 0);
    settings.writeUInt32BE(WINDOW, 2);
    const window = Buffer.alloc(4);
    window.writeUInt32BE(WINDOW);
    this.#socket.write(
      Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0, settings), frame(FRAME.windowUpdate, 0, 0, window)]),
    );
    this.#fill();
  }

  end(): void {
    this.#socket.destroy();
  }

  /** So many calls more than are on their way, as far as the peer takes them. */
  send(count: number): void {
    this.#fill(this.#started.size + count);
  }

  #fill(most = this.#most): void {
    const out: Buffer[] = [];
    while (!isOver && this.#started.size < most) {
      const template = bodies[next % bodies.length];
      if (template === undefined || this.#window < template.bytes.length - dataAt - 9) break;
      next += 1;
      const copy = Buffer.from(template.bytes);
      copy.writeUInt32BE(this.#stream, 5);
      copy.writeUInt32BE(this.#stream, dataAt + 5);
      if (template.idAt !== -1) writeId(copy, template.idAt, firstId + next);
      this.#window -= template.bytes.length - dataAt - 9;
      this.#started.set(this.#stream, performance.now());
      this.#stream += 2;
      out.push(copy);
    }
    if (out.length > 0) this.#socket.write(Buffer.concat(out));
  }

  #read(chunk: Buffer): void {
    const bytes = this.#left.length === 0 ? chunk : Buffer.concat([this.#left, chunk]);
    let at = 0;
    while (bytes.length - at >= 9) {
      const length = bytes.readUIntBE(at, 3);
      if (bytes.length - at < 9 + length) break;
      this.#frame(
        bytes[at + 3] ?? 0,
        bytes[at + 4] ?? 0,
        bytes.readUInt32BE(at + 5),
        bytes.subarray(at + 9, at + 9 + length),
      );
      at += 9 + length;
    }
    this.#left = bytes.subarray(at);
    this.#fill();
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === FRAME.windowUpdate && stream === 0) this.#window += payload.readUInt32BE(0);
    if (type === FRAME.settings && (flags & ACK) === 0)
      this.#socket.write(frame(FRAME.settings, ACK, 0, Buffer.alloc(0)));
    if (type === FRAME.ping && (flags & ACK) === 0) this.#socket.write(frame(FRAME.ping, ACK, 0, payload));
    if (type === FRAME.rst) failed += 1;
    const isEnd = type === FRAME.rst || ((type === FRAME.headers || type === FRAME.data) && (flags & END_STREAM) !== 0);
    const startedMs = isEnd ? this.#started.get(stream) : undefined;
    if (startedMs === undefined) return;
    this.#started.delete(stream);
    done += 1;
    latencies.push(performance.now() - startedMs);
  }
}

const perSecond = Number(rate);
const all = Array.from({ length: Number(connections) }, () => new Connection(perSecond === 0 ? Number(streams) : 0));
const startMs = performance.now();
if (perSecond > 0) {
  let sent = 0;
  setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) / 1000) * perSecond) - sent;
    sent += due;
    all[sent % all.length]?.send(due);
  }, 1);
}
setTimeout(() => {
  isOver = true;
  const elapsedS = (performance.now() - startMs) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  for (const connection of all) connection.end();
  process.stdout.write(
    `${JSON.stringify({ perSecond: done / elapsedS, done, failed, p50Ms: at(0.5), p99Ms: at(0.99) })}\n`,
    () => process.exit(0),
  );
}, Number(seconds) * 1000);
