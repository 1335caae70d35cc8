import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../../test/components/until.ts';
import { inOneGo } from '../../core/breather.ts';
import { anEvaluation } from '../../core/evaluation.fixture.ts';
import { ProblemList } from '../../core/problem.ts';
import { compileRateLimits } from '../../phases/ratelimit/compile.ts';
import { at } from '../../phases/ratelimit/counter-store.contract.ts';
import type { Rate, Take } from '../../phases/ratelimit/counter-store.ts';
import { createRateLimitPorts, rateLimitStep } from '../../phases/ratelimit/ratelimit.ts';
import { rateLimitsSpec } from '../../phases/ratelimit/spec.ts';
import { writeAnswer } from './answer-frames.ts';
import { AskReader, writeAsk } from './ask-frames.ts';
import { FrameWriter } from './frame-writer.ts';
import { FrameSplitter, TAKE } from './frames.ts';
import { socketPathOf } from './peer-bounds.ts';
import type { PeerCounters, PeerCountersOptions } from './peer-counters.ts';
import { aDirectory, aMemory, aPeer, somePeers } from './peers.fixture.ts';

const RATE: Rate = { algorithm: 'FixedWindow', requests: 100, windowMs: 3_600_000 };
const owned = (owner: number, key = 'k', cost = 1): Take[] => [
  { key, rate: RATE, cost, namespace: 'shop', tag: owner },
];
const WITHIN = [{ isWithin: true, remaining: 1, waitMs: 0 }];

/** An owner that does what the test says: a socket, and the ids of what it was asked. */
interface Scripted {
  readonly peer: PeerCounters;
  readonly directory: string;
  readonly troubles: string[];
  readonly ids: number[];
  readonly socket: () => Socket;
  readonly server: Server;
}

async function besideScripted(t: TestContext, bounds: PeerCountersOptions['bounds'] = {}): Promise<Scripted> {
  const directory = aDirectory(t);
  const troubles: string[] = [];
  const ids: number[] = [];
  let last: Socket | undefined;
  const server = createServer((socket) => {
    last = socket;
    const reader = new AskReader(() => undefined);
    const splitter = new FrameSplitter((bytes, from, to) => ids.push(reader.read(bytes, from, to).id));
    socket.on('data', (chunk: Buffer) => splitter.push(chunk));
    socket.on('error', () => undefined);
    t.after(() => socket.destroy());
  });
  server.listen(socketPathOf(directory, 1, 0));
  await once(server, 'listening');
  t.after(() => server.close());
  const onTrouble = (why: string): number => troubles.push(why);
  const peer = aPeer({ index: 0, count: 2, directory, onTrouble, bounds });
  t.after(() => peer.close());
  await peer.open();
  await peer.connected();
  await until(() => last !== undefined);
  return { peer, directory, troubles, ids, server, socket: () => last ?? assert.fail('nobody has connected') };
}

function answer(id: number, states = WITHIN): Buffer {
  const writer = new FrameWriter();
  writeAnswer(writer, id, states);
  return writer.take();
}

describe('PeerCounters, while the owner of a counter cannot answer', () => {
  it('fails a take at once, and takes its own, before the owner is there', async (t) => {
    const peer = aPeer({ index: 0, count: 2, directory: aDirectory(t) });
    t.after(() => peer.close());
    await peer.open();
    assert.equal(peer.isConnected, false);
    assert.throws(() => peer.take(owned(1), at(0)), /is away/);
    assert.throws(() => peer.giveBack(owned(1), at(0)), /is away/);
    assert.equal((await peer.take(owned(0), at(0)))[0]?.remaining, 99);
  });

  it('fails what waits when the owner goes, and asks again as soon as another process has its place', async (t) => {
    const { peer, socket, ids, directory, server } = await besideScripted(t);
    const waiting = [peer.take(owned(1), at(0)), peer.take(owned(1), at(0))];
    const rejections = waiting.map((asked) => assert.rejects(async () => asked, /is away/));
    await until(() => ids.length === 2);
    server.close();
    socket().destroy();
    await Promise.all(rejections);
    assert.throws(() => peer.take(owned(1), at(0)), /is away/);
    const replaced = aPeer({ index: 1, count: 2, directory, generations: [0, 7] });
    t.after(() => replaced.close());
    await replaced.open();
    peer.peerChanged(1, 7);
    await peer.connected();
    assert.equal((await peer.take(owned(1), at(0)))[0]?.remaining, 99);
  });

  it('connects again by itself where only the connection was lost', async (t) => {
    const { peer, socket } = await besideScripted(t);
    const before = socket();
    before.destroy();
    await until(() => socket() !== before && peer.isConnected);
    const asked = peer.take(owned(1), at(0));
    await until(() => socket().bytesRead > 0);
    socket().write(answer(0));
    assert.deepEqual(await asked, WITHIN);
  });

  it('lets no check wait for an owner that has stalled, until it answers', async (t) => {
    const { peer, ids, socket } = await besideScripted(t, { stallMs: 200 });
    await assert.rejects(async () => peer.take(owned(1), at(0)), /does not answer/);
    assert.throws(() => peer.take(owned(1), at(0)), /does not answer/);
    assert.deepEqual(ids, [0]);
    socket().write(answer(0));
    let asked: unknown;
    await until(() => {
      try {
        asked = peer.take(owned(1), at(0));
        return true;
      } catch {
        return false;
      }
    });
    // The late answer is nobody's: it is not taken for that of the next ask.
    await until(() => ids.length === 2);
    socket().write(answer(1, [{ isWithin: false, remaining: 0, waitMs: 7 }]));
    assert.deepEqual(await asked, [{ isWithin: false, remaining: 0, waitMs: 7 }]);
  });

  it('asks no more than the bound at a time', async (t) => {
    const { peer, ids, socket } = await besideScripted(t, { maxAsks: 100, stallMs: 60_000 });
    const asked = Array.from({ length: 100 }, () => peer.take(owned(1), at(0)));
    assert.throws(() => peer.take(owned(1), at(0)), /Too many asks/);
    await until(() => ids.length === 100);
    for (const id of ids) socket().write(answer(id));
    await Promise.all(asked);
    const next = peer.take(owned(1), at(0));
    await until(() => ids.length === 101);
    socket().write(answer(100));
    assert.deepEqual(await next, WITHIN);
  });

  it('holds no more for an owner that reads nothing than the bound, give-backs neither', async (t) => {
    const { peer, socket } = await besideScripted(t, { maxAsks: 1_000_000, maxUnreadBytes: 64 * 1024 });
    socket().pause();
    let given = 0;
    const most = 64 * 1024;
    await assert.rejects(async () => {
      for (; given < 1_000_000; given += 1) {
        peer.giveBack(owned(1), at(0));
        if (given % 100 === 0) await new Promise(setImmediate);
      }
    }, /Too many asks/);
    assert.ok(given > most / 200, String(given));
    assert.throws(() => peer.take(owned(1), at(0)), /Too many asks/);
  });

  for (const [what, bytes, why] of [
    ['an answer to what was not asked', answer(5), /not next/],
    ['an answer for more counters than were asked', answer(0, [...WITHIN, ...WITHIN]), /2 states to an ask of 1/],
    ['a frame without end', Buffer.from([0xff, 0xff, 0xff, 0x7f]), /a frame of 2147483647 bytes/],
    ['an answer without a head', Buffer.from([1, 0, 0, 0, 1]), /without a head/],
  ] as const) {
    it(`ends the connection for ${what}, says so, and lets nobody pass by it`, async (t) => {
      const { peer, ids, socket, troubles } = await besideScripted(t);
      const asked = assert.rejects(async () => peer.take(owned(1), at(0)), /is away/);
      await until(() => ids.length === 1);
      socket().write(bytes);
      await asked;
      assert.match(troubles.join(), why);
      assert.match(troubles.join(), /^worker 2: it answered with /);
    });
  }

  it('fails a take that the owner could not carry out, and goes on', async (t) => {
    const memory = aMemory();
    let isBroken = true;
    const local = {
      take: (...args: Parameters<typeof memory.take>) => {
        if (isBroken) throw new Error('injected');
        return memory.take(...args);
      },
      giveBack: () => {
        throw new Error('injected');
      },
    };
    const { peers, troubles } = await somePeers(t, 2, { local });
    const [asker] = peers;
    assert.ok(asker);
    await assert.rejects(async () => asker.take(owned(1), at(0)), /could not tell/);
    asker.giveBack(owned(1), at(0));
    isBroken = false;
    assert.equal((await asker.take(owned(1), at(0)))[0]?.remaining, 99);
    assert.deepEqual(troubles, []);
  });

  it('refuses takes of different owners in one call, and of none', async (t) => {
    const { peers } = await somePeers(t, 2);
    assert.throws(() => peers[0]?.take([...owned(0), ...owned(1)], at(0)), /different owners/);
    assert.throws(() => peers[0]?.take(owned(0.5), at(0)), /no owner/);
    assert.throws(() => peers[0]?.take(owned(Number.NaN), at(0)), /no owner/);
  });
});

describe('PeerCounters, between workers', () => {
  it('asks all of one turn in one write', async (t) => {
    const { peer, ids, socket } = await besideScripted(t, { stallMs: 60_000 });
    let chunks = 0;
    socket().on('data', () => {
      chunks += 1;
    });
    const asked = Array.from({ length: 100 }, () => peer.take(owned(1), at(0)));
    await until(() => ids.length === 100);
    assert.equal(chunks, 1);
    for (const id of ids) socket().write(answer(id));
    await Promise.all(asked);
  });

  it('answers what came together in one write', async (t) => {
    const { directory } = await somePeers(t, 2);
    const asker = connect(socketPathOf(directory, 1, 0));
    t.after(() => asker.destroy());
    const writer = new FrameWriter();
    for (let id = 0; id < 100; id += 1) writeAsk(writer, { kind: TAKE, id, moment: at(0), takes: owned(1) });
    asker.write(writer.take());
    const chunks: Buffer[] = [];
    asker.on('data', (chunk: Buffer) => chunks.push(chunk));
    await until(() => Buffer.concat(chunks).length >= 100 * 27);
    assert.deepEqual(
      chunks.map(({ length }) => length),
      [100 * 27],
    );
  });
});

describe('rateLimitStep(), while the owner of its counters is away', () => {
  /** A step of limits that another worker counts. */
  async function stepOf(t: TestContext, onFault: string, mode = 'Enforce') {
    const peer = aPeer({ index: 0, count: 64, directory: aDirectory(t) });
    t.after(() => peer.close());
    await peer.open();
    const written = {
      name: 'x',
      stage: 'BeforeAuthentication',
      mode,
      onFault,
      rates: [{ requests: 2, window: '24h' }],
    };
    const context = {
      ownerUid: 'u',
      namespace: 'shop',
      params: [],
      caseInsensitive: false,
      issuers: new Set<string>(),
    };
    const specs = rateLimitsSpec.parse([written]);
    const limits = inOneGo(compileRateLimits(specs, { ...context, mode: 'Enforce' }, new ProblemList('')));
    assert.notEqual((limits[0]?.tag ?? 0) % 64, 0);
    const step = rateLimitStep(limits, 'BeforeAuthentication', createRateLimitPorts(peer));
    return async (id: string) => {
      const evaluation = anEvaluation({ request: { id } });
      const refused = (await step?.(evaluation))?.reason;
      return refused ?? evaluation.findings?.[0]?.outcome ?? 'passes';
    };
  }

  it('counts in its own memory by LocalShare: never without limit', async (t) => {
    const check = await stepOf(t, 'LocalShare');
    assert.deepEqual([await check('1'), await check('2'), await check('3')], ['passes', 'passes', 'rate_limited']);
  });

  it('refuses by Deny', async (t) => {
    assert.equal(await (await stepOf(t, 'Deny'))('1'), 'limit_store_unavailable');
  });

  it('counts in its own memory in Audit, and fails no check', async (t) => {
    const check = await stepOf(t, 'Deny', 'Audit');
    assert.deepEqual([await check('1'), await check('2'), await check('3')], ['passes', 'passes', 'would-deny']);
  });
});

describe('PeerCounters, asked by a peer that is none', () => {
  const HEAD = [1, 0, 0, 0, 0, ...Array(16).fill(0)];
  const framed = (...bytes: number[]): Buffer => Buffer.from([bytes.length, 0, 0, 0, ...bytes]);

  for (const [what, bytes, why] of [
    ['a frame without end', Buffer.from([0xff, 0xff, 0xff, 0xff]), /a frame of 4294967295 bytes/],
    ['an ask of another kind', framed(9), /an ask of kind 9/],
    ['an empty frame', framed(), /shorter than what it says/],
    ['takes that are not there', framed(...HEAD, 0xff, 0xff), /shorter than what it says/],
    ['more than it says', framed(...HEAD, 0, 0, 1), /longer than what it says/],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /a frame of/],
  ] as const) {
    it(`ends a connection with ${what}, and serves the others`, async (t) => {
      const { peers, directory, troubles } = await somePeers(t, 2);
      const stranger = connect(socketPathOf(directory, 1, 0));
      stranger.on('error', () => undefined);
      stranger.write(bytes);
      await once(stranger, 'close');
      assert.match(troubles.join(), why);
      assert.equal((await peers[0]?.take(owned(1), at(0)))?.[0]?.remaining, 99);
    });
  }

  it('reads no further from one that reads no answers', async (t) => {
    const { peers, directory } = await somePeers(t, 2);
    const slow = connect(socketPathOf(directory, 1, 0)).pause();
    t.after(() => slow.destroy());
    const ask = Buffer.from([23, 0, 0, 0, ...HEAD, 0, 0]);
    const asks = Buffer.concat(Array(4096).fill(ask));
    // Each ask has an answer; once those are not read any more, asks are not either, and they stay here.
    await until(() => {
      if (slow.writableLength < 16 * asks.length) slow.write(asks);
      return slow.writableLength >= 16 * asks.length;
    });
    const before = slow.bytesWritten - slow.writableLength;
    for (let i = 0; i < 50; i += 1) await peers[0]?.take(owned(1, `k${i}`), at(0));
    assert.equal(slow.bytesWritten - slow.writableLength, before);
  });
});
