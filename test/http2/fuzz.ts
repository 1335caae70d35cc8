import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { CheckBytes } from '../../internal/extauthz/check.ts';
import { DoorClient, portOf, startDoor } from '../door/door-client.ts';
import { FuzzedPeer } from './fuzzed-frames.ts';

export interface FuzzOptions {
  readonly frames: number;
  /** Connections at the same time; one that the door ends is followed by another. */
  readonly connections: number;
  readonly seed: number;
  /** Told now and then of how many frames there were. */
  readonly onProgress?: (frames: number) => void;
}

export interface Fuzzed {
  readonly frames: number;
  readonly connections: number;
  readonly checks: number;
  /** Connections that the door ended, by the bound. */
  readonly endings: ReadonlyMap<string, number>;
  /** heapUsed and external that are left behind it, after a collection, beyond what there was after a first tenth. */
  readonly leakMib: number;
}

const MIB = 1024 * 1024;
/** Of a connection, before all of them are over and another client has to be served: fewer would not get far. */
const FRAMES_EACH = 500;
/** How long the door may take to read what it was sent last, and close. */
const END_MS = 10_000;

/** Throws frames at a native door; another client is served all the time. @throws what it is answered wrongly */
export async function fuzzDoor({ frames, connections, seed, onProgress }: FuzzOptions): Promise<Fuzzed> {
  const endings = new Map<string, number>();
  let checks = 0;
  // Some answers come later, some never, some are large.
  const check: CheckBytes = (bytes) => {
    checks += 1;
    const kind = (bytes[0] ?? 0) & 7;
    if (kind === 0) return turn(bytes);
    if (kind === 1) return Promise.reject(new Error('injected'));
    return kind === 2 ? Buffer.alloc(20_000, 1) : bytes;
  };
  const door = await startDoor(
    { check, onEnding: (ending) => void endings.set(ending, (endings.get(ending) ?? 0) + 1) },
    'native',
  );
  const good = new DoorClient(door.address);
  const run = new Run(portOf(door), seed);
  await run.throw(frames / 10, connections);
  await serves(good);
  const before = await used();
  while (run.frames < frames) {
    await run.throw(Math.min(frames, run.frames + Math.max(50_000, FRAMES_EACH * connections)), connections);
    await serves(good);
    onProgress?.(run.frames);
  }
  const leakMib = ((await used()) - before) / MIB;
  good.close();
  await door.drain(1000);
  return { frames: run.frames, connections: run.connections, checks, endings, leakMib };
}

async function serves(client: DoorClient): Promise<void> {
  const asked = Buffer.from('\x07still there?');
  const answer = await client.check(asked, { deadline: new Date(Date.now() + 30_000) });
  if (!answer.equals(asked)) throw new Error(`It answers ${answer.toString('hex')}`);
}

class Run {
  frames = 0;
  connections = 0;
  readonly #port: number;
  #seed: number;

  constructor(port: number, seed: number) {
    this.#port = port;
    this.#seed = seed;
  }

  /** Until there were so many frames; all connections are over then. */
  async throw(frames: number, connections: number): Promise<void> {
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (this.frames < frames) await this.#one(frames);
      }),
    );
  }

  async #one(frames: number): Promise<void> {
    this.#seed += 1;
    this.connections += 1;
    const peer = new FuzzedPeer(this.#seed);
    const socket = connect(this.#port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    const closed = once(socket, 'close').catch(() => undefined);
    socket.write(peer.begin());
    while (!socket.destroyed && socket.writable && this.frames < frames) {
      const before = peer.frames;
      const isTaken = socket.write(peer.piece());
      this.frames += peer.frames - before;
      await (isTaken ? turn() : Promise.race([once(socket, 'drain').catch(() => undefined), closed]));
    }
    // Not destroyed: what is on its way would be lost, and never read.
    socket.end();
    const late = setTimeout(() => socket.destroy(), END_MS);
    await closed;
    clearTimeout(late);
  }
}

/** Bytes after collections, and after the turns in which what was collected gives back what it held elsewhere. */
async function used(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 5; i += 1) {
    collect();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
