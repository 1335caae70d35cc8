import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { authenticate, bearer, NOW_MS, NOW_S, POLICY, verdictOf } from './authn.fixture.ts';
import { aSigner, aToken, CLAIMS, EC, ED, FakeKeys, jwtBench, keySet, RSA } from './token.fixture.ts';
import { createTokenCache } from './token-cache.ts';

describe('the cache of verified tokens', () => {
  const token = aToken(RSA, CLAIMS);

  it('answers at once from the second time on, with the same identity', async () => {
    const bench = jwtBench();
    const first = await authenticate(bench, bearer(token));
    const second = await authenticate(bench, bearer(token));
    assert.deepEqual([first.isSync, second.isSync], [false, true]);
    assert.equal(second.identity, first.identity);
  });

  it('ends with the token, skew included, and when the clock steps back before it begins', async () => {
    const bench = jwtBench();
    const at = (wallMs: number): Promise<string> => verdictOf(bench, bearer(token), wallMs);
    assert.equal(await at(NOW_MS), 'jwt');
    const endMs = (CLAIMS.exp + 60) * 1000;
    assert.deepEqual(
      [await at(endMs - 1), await at(endMs), await at(NOW_MS - 61_000)],
      ['jwt', 'token_expired', 'token_invalid'],
    );
  });

  it('drops a verdict with its key, also when a new source counts from the start again', async () => {
    const keys = new FakeKeys(keySet(RSA.key));
    const cache = createTokenCache();
    assert.equal(await verdictOf(jwtBench({}, { keys, cache }), bearer(token)), 'jwt');
    keys.set = keySet(EC.key);
    assert.equal(await verdictOf(jwtBench({}, { keys, cache }), bearer(token)), 'token_invalid');
    keys.set = keySet(RSA.key);
    assert.equal(await verdictOf(jwtBench({}, { keys, cache }), bearer(token)), 'jwt');
    const restarted = new FakeKeys(keySet(ED.key));
    assert.equal(await verdictOf(jwtBench({}, { keys: restarted, cache }), bearer(token)), 'token_invalid');
  });

  it('keeps a verdict while other keys come and go', async () => {
    const keys = new FakeKeys(keySet(RSA.key));
    const bench = jwtBench({}, { keys });
    await authenticate(bench, bearer(token));
    keys.set = keySet(EC.key, RSA.key);
    assert.equal((await authenticate(bench, bearer(token))).isSync, true);
  });

  it('drops a verdict when its key stays but loses its kid or is said to be for something else', async () => {
    const keys = new FakeKeys(keySet(RSA.key));
    const bench = jwtBench({}, { keys });
    await authenticate(bench, bearer(token));
    keys.set = keySet({ ...RSA.key, id: 'other', kid: 'k7' });
    assert.equal(await verdictOf(bench, bearer(token)), 'token_invalid');
  });

  it('never serves another policy, generation, method or spec', async () => {
    const cache = createTokenCache();
    assert.equal(await verdictOf(jwtBench({}, { cache }), bearer(token)), 'jwt');
    const strict = { audiences: ['billing'] };
    for (const [jwt, policy] of [
      [strict, POLICY],
      [strict, { ...POLICY, uid: 'uid-2' }],
      [strict, { ...POLICY, generation: 2 }],
      [{ requiredClaims: [{ path: ['x'], present: {} }] }, POLICY],
    ] as const) {
      assert.equal(await verdictOf(jwtBench(jwt, { cache, policy }), bearer(token)), 'token_invalid');
    }
    const other = { ...POLICY, uid: 'uid-3' };
    assert.equal((await authenticate(jwtBench({}, { cache, policy: other }), bearer(token))).isSync, false);
  });

  it('keeps parts of its key apart: uid and generation that read alike joined are two places', async () => {
    const cache = createTokenCache();
    await authenticate(jwtBench({}, { cache, policy: { ...POLICY, uid: 'uid', generation: 11 } }), bearer(token));
    await authenticate(jwtBench({}, { cache, policy: { ...POLICY, uid: 'uid1', generation: 1 } }), bearer(token));
    assert.equal(cache.size, 2);
  });

  it('holds nothing of a token that proved nobody', async () => {
    const bench = jwtBench();
    await authenticate(bench, bearer(aToken(aSigner('RS256'), CLAIMS)));
    await authenticate(bench, bearer(aToken(RSA, { ...CLAIMS, aud: 'x' })));
    assert.equal(bench.cache.size, 0);
  });

  it('is bounded by number and by memory', async () => {
    const cache = createTokenCache(3);
    const bench = jwtBench({}, { cache });
    for (const sub of ['a', 'b', 'c', 'd', 'e']) await authenticate(bench, bearer(aToken(ED, { ...CLAIMS, sub })));
    assert.equal(cache.size, 3);
    assert.ok(cache.maxSize > 0 && cache.calculatedSize > 3 * 1024);
  });

  it('on or off, decides alike (property)', async () => {
    const tokens = [
      token,
      aToken(EC, CLAIMS),
      aToken(RSA, { ...CLAIMS, exp: NOW_S + 10 }),
      aToken(RSA, { ...CLAIMS, nbf: NOW_S + 30 }),
      aToken(RSA, { ...CLAIMS, aud: 'x' }),
      `${token.slice(0, -4)}AAAA`,
    ];
    const sets = [keySet(RSA.key), keySet(RSA.key, EC.key), keySet(EC.key), keySet(RSA.key)];
    const step = fc.record({
      token: fc.constantFrom(...tokens),
      set: fc.constantFrom(...sets),
      deltaS: fc.integer({ min: -200, max: 500 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const keys = new FakeKeys();
        const cached = jwtBench({}, { keys });
        for (const { token: sent, set, deltaS } of steps) {
          keys.set = set;
          const wallMs = NOW_MS + deltaS * 1000;
          const expected = await verdictOf(jwtBench({}, { keys, cache: createTokenCache(1) }), bearer(sent), wallMs);
          assert.equal(await verdictOf(cached, bearer(sent), wallMs), expected);
        }
      }),
      { numRuns: 40 },
    );
  });
});
