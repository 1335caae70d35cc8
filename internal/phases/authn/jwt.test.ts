import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PosternError } from '../../core/error.ts';
import { identityId } from '../../core/identity.ts';
import { authenticate, bearer, ISSUER, NOW_MS, NOW_S, verdictOf } from './authn.fixture.ts';
import {
  aSigner,
  aToken,
  CLAIMS,
  EC,
  FakeKeys,
  jwtBench,
  keySet,
  part,
  RSA,
  SIGNERS,
  tokenVerdict,
} from './token.fixture.ts';

describe('a good token', () => {
  for (const signer of SIGNERS) {
    it(`verifies with ${signer.alg} and ${signer.key.curve ?? 'RSA'}`, async () => {
      assert.equal(await tokenVerdict(aToken(signer, CLAIMS)), 'jwt');
    });
  }

  it('proves issuer, subject, groups, scopes, claims and the time of login', async () => {
    const claims = { ...CLAIMS, scope: 'read  write', realm: { groups: ['a', 5, 'b'] }, auth_time: NOW_S - 60 };
    const { identity } = await authenticate(
      jwtBench({ groupsClaim: { path: ['realm', 'groups'] } }),
      bearer(aToken(RSA, claims)),
    );
    assert.deepEqual(identity, {
      kind: 'jwt',
      issuer: ISSUER,
      subject: 'ann',
      id: identityId('jwt', ISSUER, 'ann'),
      groups: ['a', 'b'],
      scopes: ['read', 'write'],
      claims,
      consumer: null,
      authTimeMs: NOW_MS - 60_000,
      method: 'sso',
    });
  });

  it('takes scopes from scp as list or text, and no groups unless the policy names their claim', async () => {
    const ask = async (more: object): Promise<unknown> => {
      const { identity } = await authenticate(jwtBench(), bearer(aToken(RSA, { ...CLAIMS, ...more })));
      return [identity.scopes, identity.groups];
    };
    assert.deepEqual(await ask({ scp: ['read', 7], groups: ['admin'] }), [['read'], []]);
    assert.deepEqual(await ask({ scp: 'read write' }), [['read', 'write'], []]);
    assert.deepEqual(await ask({ scope: 'read', scp: ['write'] }), [['read'], []]);
  });

  it('without subject proves nobody in particular, but has the id of its issuer for limits', async () => {
    for (const sub of [undefined, '']) {
      const { identity } = await authenticate(jwtBench(), bearer(aToken(RSA, { ...CLAIMS, sub })));
      const id = identityId('jwt', CLAIMS.iss, '');
      assert.deepEqual([identity.kind, identity.subject, identity.id], ['jwt', null, id]);
    }
  });

  it('matches the scheme without regard to case, as RFC 9110 §11.1 says', async () => {
    const token = aToken(RSA, CLAIMS);
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer ']) {
      assert.equal(await verdictOf(jwtBench(), { headers: [['authorization', `${scheme} ${token}`]] }), 'jwt');
    }
    // U+212A lower-cases to "k", but is no letter of a scheme.
    const bench = jwtBench({ from: [{ authorizationScheme: 'Tok' }] });
    assert.equal(await verdictOf(bench, { headers: [['authorization', `To\u212a ${token}`]] }), 'credential_missing');
  });
});

describe('the keys of an issuer', () => {
  const unavailable = new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'down');

  it('cold and down are a fault with Retry-After, never an allow, also in Audit', async () => {
    const keys = new FakeKeys();
    keys.next = unavailable;
    for (const mode of ['Enforce', 'Audit'] as const) {
      const { refusal, identity } = await authenticate(jwtBench({}, { keys }), bearer(aToken(RSA, CLAIMS)), { mode });
      assert.deepEqual(refusal, {
        reason: 'issuer_unavailable',
        rule: 'sso',
        retryAfterS: 10,
        cause: 'no keys of the issuer can be had',
      });
      assert.equal(identity.kind, 'unauthenticated');
    }
  });

  it('throw on what nobody foresaw, so that the engine answers internal', async () => {
    const keys = new FakeKeys();
    keys.next = new TypeError('bug');
    await assert.rejects(authenticate(jwtBench({}, { keys }), bearer(aToken(RSA, CLAIMS))), TypeError);
  });

  it('are asked for once more when a kid is unknown, and a rotated key then verifies', async () => {
    const keys = new FakeKeys(keySet(EC.key));
    keys.next = keySet(EC.key, RSA.key);
    assert.equal(await verdictOf(jwtBench({}, { keys }), bearer(aToken(RSA, CLAIMS))), 'jwt');
    assert.equal(keys.fetched, 1);
  });

  it('are not asked for by a bad signature, header or form', async () => {
    const keys = new FakeKeys(keySet(RSA.key));
    const bench = jwtBench({}, { keys });
    for (const token of [aToken(aSigner('RS256'), CLAIMS), aToken(RSA, CLAIMS, { alg: 'none', kid: 'x' }), 'a.b.c']) {
      await authenticate(bench, bearer(token));
    }
    assert.equal(keys.fetched, 0);
  });
});

describe('a mutated token', () => {
  it('never verifies (property)', async () => {
    const good = SIGNERS.map((signer) => aToken(signer, CLAIMS));
    // The originals are remembered: a mutation must not find their place either.
    const bench = jwtBench();
    for (const original of good) await authenticate(bench, bearer(original));
    const mutation = fc.record({
      token: fc.constantFrom(...good),
      at: fc.nat({ max: 2000 }),
      with: fc.constantFrom('A', 'B', 'x', '0', '_', '-', '.', '=', '!', ' ', 'é', '', 'AA', '\u0000'),
      deletes: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(mutation, async ({ token, at, with: text, deletes }) => {
        const position = at % token.length;
        const mutated = token.slice(0, position) + text + token.slice(position + deletes);
        fc.pre(mutated !== token && mutated.trim() !== token);
        assert.notEqual(await verdictOf(bench, bearer(mutated)), 'jwt');
      }),
      { numRuns: 150 },
    );
  });

  it('never verifies with parts of two tokens joined', async () => {
    const tokens = SIGNERS.flatMap((signer) =>
      ['ann', 'bob'].map((sub) => aToken(signer, { ...CLAIMS, sub }).split('.')),
    );
    const bench = jwtBench();
    for (const a of tokens) {
      for (const b of tokens) {
        if (a === b) continue;
        const mixed = [a[0], a[1] === b[1] ? part({ ...CLAIMS, sub: 'eve' }) : b[1], a[2]].join('.');
        assert.notEqual(await verdictOf(bench, bearer(mixed)), 'jwt');
      }
    }
  });
});
