import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { at, counterStoreContract } from '../../phases/ratelimit/counter-store.contract.ts';
import type { CounterStore, Rate, Take } from '../../phases/ratelimit/counter-store.ts';
import type { PeerCounters } from './peer-counters.ts';
import { somePeers } from './peers.fixture.ts';

/** Counters of several workers, where each call comes from the worker that `askerOf` says; made when first asked. */
function storeAskedBy(askerOf: (call: number) => number, count: number, ends: (() => unknown)[]): CounterStore {
  let peers: Promise<readonly PeerCounters[]> | undefined;
  let calls = 0;
  const next = async (): Promise<PeerCounters> => {
    peers ??= somePeers({ after: (end) => void ends.push(end as () => unknown) }, count).then((made) => made.peers);
    const peer = (await peers)[askerOf(calls++)];
    assert.ok(peer);
    return peer;
  };
  return {
    take: async (takes, moment) => (await next()).take(takes, moment),
    async giveBack(takes, taken) {
      const peer = await next();
      peer.giveBack(takes, taken);
      // Nobody waits for what is given back; who asks over the same connection finds it given.
      await peer.take([{ ...(takes[0] as Take), cost: 0 }], taken);
    },
  };
}

describe('PeerCounters', () => {
  for (const [words, askerOf] of [
    ['asked by their owner', () => 0],
    ['asked by another worker', () => 1],
    ['asked by three workers in turn', (call: number) => call % 3],
  ] as const) {
    describe(words, () => {
      const ends: (() => unknown)[] = [];
      after(async () => {
        for (const end of ends.reverse()) await end();
      });
      counterStoreContract(() => storeAskedBy(askerOf, 3, ends), 8);
    });
  }

  const RATE: Rate = { algorithm: 'FixedWindow', requests: 100, windowMs: 3_600_000 };

  it('lets exactly 100 of 400 pass that three workers begin together', async (t) => {
    const { peers } = await somePeers(t, 3);
    const takes = (): Take[] => [{ key: 'k', rate: RATE, cost: 1, namespace: 'shop', tag: 2 }];
    const answers = await Promise.all(Array.from({ length: 400 }, async (_, i) => peers[i % 3]?.take(takes(), at(5))));
    assert.equal(answers.filter((states) => states?.[0]?.isWithin).length, 100);
  });
});
