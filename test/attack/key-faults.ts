import { LRUCache } from 'lru-cache';
import { systemClock } from '../../internal/core/clock.ts';
import { discoverKeys } from '../../internal/keys/discovery.ts';
import type { Fetched } from '../../internal/keys/outbound.ts';
import { RemoteKeys, type RemoteKeysOptions } from '../../internal/keys/remote-keys.ts';
import type { KeySet, KeySource } from '../../internal/phases/authn/key-source.ts';
import type { TokenCache } from '../../internal/phases/authn/token-cache.ts';
import { AT_ONCE, EVERY, type Fault, type FaultCase, failing, NO_ANSWER, put } from './fault.ts';
import { KEYS, SIGNER } from './fault-world.ts';

/** Keys that verify as the fault has it: jose asks a key that is a function. */
const failingKeys = (fault: Fault): KeySet => ({
  ...KEYS,
  keys: [{ ...SIGNER.key, key: failing(fault) as never }],
});
const newerKeys = (fault: Fault): KeySet => ({
  ids: new Set(['newer']),
  keys: [{ ...SIGNER.key, id: 'newer', kid: 'k9', key: failing(fault) as never }],
});

/** The port of token verification: what it has now, and what it can fetch. */
const sources: FaultCase[] = [
  ...put({
    at: 'current keys',
    faults: AT_ONCE,
    asks: 'token',
    becomes: 500,
    parts: (fault) => ({ keys: { current: failing(fault), fetch: () => Promise.resolve(KEYS) } }),
  }),
  ...put({
    at: 'first keys',
    faults: EVERY,
    asks: 'token',
    becomes: 500,
    but: { hangs: 503 },
    parts: (fault) => ({ keys: { current: () => undefined, fetch: failing(fault) } }),
  }),
  ...put({
    at: 'newer keys',
    faults: EVERY,
    asks: 'other token',
    becomes: 500,
    but: { hangs: 503 },
    parts: (fault) => ({ keys: { current: () => KEYS, fetch: failing(fault) } }),
  }),
  ...put({
    at: 'verification',
    faults: EVERY,
    asks: 'token',
    becomes: 401,
    but: { hangs: 503 },
    parts: (fault) => ({ keys: always(failingKeys(fault)) }),
  }),
  ...put({
    at: 'verification by newer keys',
    faults: EVERY,
    asks: 'other token',
    becomes: 401,
    but: { hangs: 503 },
    parts: (fault) => ({ keys: { current: () => KEYS, fetch: () => Promise.resolve(newerKeys(fault)) } }),
  }),
];

const always = (keys: KeySet): KeySource => ({ current: () => keys, fetch: () => Promise.resolve(keys) });

/** Real sources of fetched keys over ports that fail. */
const remote = (options: Partial<RemoteKeysOptions>): KeySource =>
  new RemoteKeys({
    locate: () => Promise.resolve('https://sso.example.org/keys'),
    get: () => Promise.resolve(PUBLISHED),
    clock: systemClock,
    random: () => 0.5,
    observe: () => undefined,
    ...options,
  });

const jwk = { ...SIGNER.publicKey.export({ format: 'jwk' }), kid: 'k1' };
const PUBLISHED: Fetched = { body: JSON.stringify({ keys: [jwk] }), cacheControl: '' };

const fetches: FaultCase[] = [
  ...put({
    at: 'fetch of keys',
    faults: EVERY,
    asks: 'token',
    becomes: 503,
    parts: (fault) => ({ keys: remote({ get: failing(fault) }) }),
  }),
  ...put({
    at: 'place of keys',
    faults: EVERY,
    asks: 'token',
    becomes: 503,
    parts: (fault) => ({
      keys: remote({
        locate: failing(fault),
        get: (url) => (url === undefined ? failing('rejects')() : Promise.resolve(PUBLISHED)),
      }),
    }),
  }),
  ...put({
    at: 'discovery',
    faults: EVERY,
    asks: 'token',
    becomes: 503,
    parts: (fault) => ({ keys: remote({ locate: () => discoverKeys('https://sso.example.org', failing(fault)) }) }),
  }),
  ...put({
    at: 'report of a fetch',
    faults: AT_ONCE,
    asks: 'token',
    becomes: 500,
    parts: (fault) => ({ keys: remote({ observe: failing(fault) }) }),
  }),
  ...put({
    at: 'jitter of a fetch',
    faults: AT_ONCE,
    asks: 'token',
    becomes: 500,
    parts: (fault) => ({ keys: remote({ random: failing(fault) }) }),
  }),
  // Old keys serve while newer ones cannot be had, so the check that must be refused asks for a key nobody published.
  ...put({
    at: 'refresh behind the check',
    faults: NO_ANSWER,
    asks: 'other token',
    becomes: 401,
    but: { hangs: 503 },
    parts: (fault) => ({ keys: stale(fault) }),
  }),
];

/** Keys fetched once and past their time, whose refresh fails. */
function stale(fault: Fault): KeySource {
  let nowMs = 0;
  let isFirst = true;
  const fail: () => Promise<Fetched> = failing(fault);
  const source = remote({
    clock: { wallMs: systemClock.wallMs, monotonicMs: () => nowMs },
    get() {
      if (!isFirst) return fail();
      isFirst = false;
      return Promise.resolve(PUBLISHED);
    },
  });
  const first = source.fetch().then((keys) => {
    nowMs = 610_000;
    return keys;
  });
  return { current: () => (nowMs === 0 ? undefined : source.current()), fetch: () => first.then(() => source.fetch()) };
}

/** Verified tokens that are kept: to look, to read and to keep may each fail. */
function cacheThat(fails: 'has' | 'get' | 'set', fault: Fault): TokenCache {
  class Failing extends LRUCache<string, never> {}
  Object.defineProperty(Failing.prototype, fails, { value: failing(fault, false) });
  return new Failing({ max: 10 }) as unknown as TokenCache;
}

const caches: FaultCase[] = (['has', 'get', 'set'] as const).flatMap((member) =>
  put({
    at: 'token cache',
    faults: AT_ONCE,
    asks: 'token',
    becomes: 500,
    parts: (fault) => ({ tokens: cacheThat(member, fault) }),
  }),
);

export const KEY_FAULTS: readonly FaultCase[] = [...sources, ...fetches, ...caches];
