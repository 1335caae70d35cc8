import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { aBench, authenticate, bearer, ISSUER, verdictOf } from './authn.fixture.ts';
import { ConsumerKeys } from './consumer-keys.ts';
import { aSigner, aToken, CLAIMS, FakeKeys, keySet } from './token.fixture.ts';

const KEY = 'pk_test_0123456789abcdef';
const SHOP = {
  secrets: () => ({ reason: 'SecretNotFound', message: '' }) as const,
  secretsVersion: 0,
  breathe: () => undefined,
};
const { index: consumers } = await new ConsumerKeys('shop').compile(
  [
    { name: 'acme', groups: [], keys: [{ name: 'k1', sha256: hash('sha256', KEY, 'hex') }] },
    {
      name: 'past',
      groups: [],
      keys: [{ name: 'k1', sha256: hash('sha256', 'past-key-0123456789', 'hex'), notAfter: '2020-01-01T00:00:00Z' }],
    },
  ],
  SHOP,
);
const SIGNER = aSigner('ES256');
const TOKEN = aToken(SIGNER, CLAIMS);
const keys = new FakeKeys(keySet(SIGNER.key));
const PARTNERS = { name: 'partners', apiKey: { from: [{ header: 'x-api-key' }, { query: 'key' }] } };
const SSO = { name: 'sso', jwt: { issuer: ISSUER, audiences: ['orders'] } };
const both = aBench({ authentication: { methods: [PARTNERS, SSO] }, keys, consumers });
const open = aBench({ authentication: { methods: [PARTNERS, SSO], anonymous: {} }, keys, consumers });

const BEARER = 'Bearer realm="api"';
const APIKEY = 'ApiKey realm="api"';

const LOOKED_AT = 'looked at: header "x-api-key", query parameter "key", scheme "bearer"';

describe('findCredential()', () => {
  it('lets the one method that claims a credential verify it, at once for API keys', async () => {
    const byKey = await authenticate(both, { headers: [['x-api-key', KEY]] });
    assert.deepEqual(
      [byKey.refusal, byKey.identity.subject, byKey.identity.method, byKey.isSync],
      [undefined, 'acme', 'partners', true],
    );
    const byQuery = await authenticate(both, { query: `key=${KEY}` });
    assert.equal(byQuery.identity.subject, 'acme');
    const byToken = await authenticate(both, bearer(TOKEN));
    assert.deepEqual([byToken.identity.subject, byToken.identity.method], ['ann', 'sso']);
  });

  it('asks for a credential where none was sent, without an error code (RFC 6750 §3.1)', async () => {
    for (const parts of [
      {},
      { headers: [['x-api-key', ' ']] as const },
      { query: 'key=' },
      { headers: [['authorization', 'Bearer']] as const },
    ]) {
      const { refusal } = await authenticate(both, parts);
      assert.deepEqual(refusal, { reason: 'credential_missing', challenges: [APIKEY, BEARER], cause: LOOKED_AT });
    }
  });

  it('lets in nobody as anonymous only where the policy says so, and only without any credential', async () => {
    const { refusal, identity } = await authenticate(open, {});
    assert.deepEqual([refusal, identity.kind], [undefined, 'anonymous']);
    for (const parts of [
      { headers: [['x-api-key', 'wrong-key-0123456789']] as const },
      bearer('opaque'),
      bearer(aToken(SIGNER, { ...CLAIMS, iss: 'https://other.example.org' })),
      bearer(`${TOKEN.slice(0, -4)}AAAA`),
    ]) {
      assert.notEqual((await authenticate(open, parts)).refusal, undefined);
    }
  });

  it('does not look at carriers that no method reads', async () => {
    for (const parts of [
      { headers: [['authorization', 'Basic YTpi']] as const },
      { headers: [['x-other-key', KEY]] as const },
      { headers: [['cookie', `x-api-key=${KEY}`]] as const },
    ]) {
      assert.equal(await verdictOf(open, parts), 'anonymous');
      assert.equal(await verdictOf(both, parts), 'credential_missing');
    }
  });

  it('refuses a credential that nobody claims in a carrier that a method reads', async () => {
    const foreign = aToken(SIGNER, { ...CLAIMS, iss: 'https://other.example.org' });
    const { refusal } = await authenticate(both, bearer(foreign));
    assert.deepEqual(refusal, {
      reason: 'credential_unknown',
      challenges: [APIKEY, `${BEARER}, error="invalid_token"`],
      cause: 'no method takes tokens of this issuer',
    });
    assert.equal((await authenticate(both, bearer('opaque'))).refusal?.reason, 'token_malformed');
  });

  it('refuses two credentials as 400, whatever they are and in whatever order methods stand', async () => {
    const reversed = aBench({ authentication: { methods: [SSO, PARTNERS] }, keys, consumers });
    const beside = 'one in the header "x-api-key", one in the ';
    const cases = [
      [
        {
          headers: [
            ['x-api-key', KEY],
            ['authorization', `Bearer ${TOKEN}`],
          ] as const,
        },
        `${beside}scheme "bearer"`,
      ],
      [
        {
          headers: [
            ['x-api-key', 'wrong'],
            ['authorization', `Bearer ${TOKEN}`],
          ] as const,
        },
        `${beside}scheme "bearer"`,
      ],
      [{ headers: [['x-api-key', KEY]] as const, query: `key=${KEY}` }, `${beside}query parameter "key"`],
      [
        {
          headers: [
            ['x-api-key', KEY],
            ['x-api-key', KEY],
          ] as const,
        },
        'more than one in the header "x-api-key"',
      ],
      [
        { headers: [['authorization', `Bearer ${TOKEN},Bearer ${TOKEN}`]] as const },
        'more than one in the scheme "bearer"',
      ],
      [{ query: `key=${KEY}&key=${KEY}` }, 'more than one in the query parameter "key"'],
    ] as const;
    for (const [parts, cause] of cases) {
      const { refusal, identity } = await authenticate(both, parts);
      assert.deepEqual(
        [refusal, identity.kind],
        [
          {
            reason: 'ambiguous_credentials',
            detail: 'Send one credential, once',
            challenges: [APIKEY, `${BEARER}, error="invalid_request"`],
            cause,
          },
          'unauthenticated',
        ],
      );
      assert.equal(await verdictOf(reversed, parts), 'ambiguous_credentials');
    }
  });

  it('refuses a claimed credential beside an unclaimed one as 401, in whatever order methods stand', async () => {
    const reversed = aBench({ authentication: { methods: [SSO, PARTNERS] }, keys, consumers });
    const parts = {
      headers: [
        ['x-api-key', KEY],
        ['authorization', 'Bearer opaque'],
      ] as const,
    };
    assert.equal(await verdictOf(both, parts), 'token_malformed');
    assert.equal(await verdictOf(reversed, parts), 'token_malformed');
  });

  it('without any method refuses everybody, and asks for nothing that could be sent', async () => {
    for (const bench of [
      aBench({}),
      aBench({ publicRoutes: [{ name: 'h', methods: ['GET'], paths: ['/healthz'] }] }),
    ]) {
      const { refusal } = await authenticate(bench, { headers: [['x-api-key', KEY]] });
      assert.deepEqual(refusal, {
        reason: 'not_allowed',
        cause: 'the policy has no authentication method, so nobody can get in',
      });
    }
  });

  it('on a public route looks at no credential, right, wrong or repeated', async () => {
    const bench = aBench({
      authentication: { methods: [PARTNERS] },
      publicRoutes: [{ name: 'health', methods: ['GET'], paths: ['/v1/healthz'] }],
      consumers,
    });
    for (const value of [KEY, 'wrong']) {
      const parts = {
        path: '/v1/healthz',
        headers: [
          ['x-api-key', value],
          ['x-api-key', KEY],
        ] as const,
      };
      const { refusal, identity, evaluation } = await authenticate(bench, parts);
      assert.deepEqual(
        [refusal, identity.kind, evaluation.isPublic, evaluation.credential],
        [undefined, 'anonymous', true, undefined],
      );
    }
    for (const parts of [
      { path: '/v1/healthz', method: 'POST' },
      { path: '/v1/Healthz' },
      { path: '/v1/healthz/x' },
      { path: '/v1' },
    ]) {
      const { refusal, evaluation } = await authenticate(bench, parts);
      assert.deepEqual([refusal?.reason, evaluation.isPublic], ['credential_missing', false]);
    }
  });

  it('is public only if every reading of the path is', async () => {
    const bench = aBench({ publicRoutes: [{ name: 'p', methods: ['GET'], paths: ['/p/**'] }] });
    const isPublic = async (others: readonly (readonly string[])[]): Promise<boolean> =>
      (await authenticate(bench, { path: '/p/a', others })).evaluation.isPublic;
    assert.deepEqual(
      [await isPublic([]), await isPublic([['p', 'b']]), await isPublic([['admin']])],
      [true, true, false],
    );
  });
});

describe('verifyCredential()', () => {
  it('refuses an unknown and an expired key, and gives the error code to Bearer alone', async () => {
    const unknown = await authenticate(both, { headers: [['x-api-key', 'wrong-key-0123456789']] });
    assert.deepEqual(unknown.refusal, {
      reason: 'credential_unknown',
      rule: 'partners',
      challenges: [APIKEY, BEARER],
      cause: 'no APIConsumer of the namespace holds this key',
    });
    const expired = await authenticate(both, { headers: [['x-api-key', 'past-key-0123456789']] });
    assert.deepEqual(expired.refusal, {
      reason: 'credential_expired',
      rule: 'partners',
      challenges: [APIKEY, BEARER],
      cause: 'an APIConsumer holds this key, but not at this time',
    });
    const token = await authenticate(both, bearer(aToken(aSigner('ES256'), CLAIMS)));
    assert.deepEqual(token.refusal, {
      reason: 'token_invalid',
      rule: 'sso',
      challenges: [APIKEY, `${BEARER}, error="invalid_token"`],
      cause: 'the signature is wrong',
    });
  });

  it('never makes keys equal whose bytes are not UTF-8', async () => {
    for (const byte of ['\udcff', '\udcfe']) {
      assert.equal(await verdictOf(both, { headers: [['x-api-key', `${KEY}${byte}`]] }), 'credential_unknown');
    }
  });

  it('refuses "!" where Envoy may have folded bytes to it, though a key really has one', async () => {
    const key = 'pk_test_with_!_inside';
    const { index } = await new ConsumerKeys('shop').compile(
      [{ name: 'bang', groups: [], keys: [{ name: 'k1', sha256: hash('sha256', key, 'hex') }] }],
      SHOP,
    );
    const bench = aBench({ authentication: { methods: [PARTNERS] }, consumers: index });
    const headers = [['x-api-key', key]] as const;
    assert.equal(await verdictOf(bench, { headers }), 'apiKey');
    assert.equal(await verdictOf(bench, { headers, isJoined: true }), 'credential_unknown');
    assert.equal(await verdictOf(bench, { query: `key=${encodeURIComponent(key)}`, isJoined: true }), 'apiKey');
  });

  it('refuses a key of more than 4096 characters unread', async () => {
    const { refusal } = await authenticate(both, { headers: [['x-api-key', 'k'.repeat(4097)]] });
    assert.equal(refusal?.reason, 'credential_unknown');
  });
});

describe('authentication in Audit', () => {
  it('goes on as unauthenticated after every refusal, and notes it', async () => {
    const cases = [
      [{}, 'credential_missing'],
      [{ headers: [['x-api-key', 'wrong-key-0123456789']] as const }, 'credential_unknown'],
      [{ headers: [['x-api-key', 'past-key-0123456789']] as const }, 'credential_expired'],
      [
        {
          headers: [
            ['x-api-key', KEY],
            ['authorization', `Bearer ${TOKEN}`],
          ] as const,
        },
        'ambiguous_credentials',
      ],
      [bearer('opaque'), 'token_malformed'],
      [bearer(aToken(SIGNER, { ...CLAIMS, exp: 1 })), 'token_expired'],
      [bearer(aToken(SIGNER, { ...CLAIMS, aud: 'x' })), 'token_invalid'],
    ] as const;
    for (const [parts, reason] of cases) {
      const { refusal, identity, evaluation } = await authenticate(both, parts, { mode: 'Audit' });
      assert.deepEqual(
        [refusal, identity.kind, evaluation.credential],
        [undefined, 'unauthenticated', undefined],
        reason,
      );
      assert.deepEqual(
        evaluation.findings?.map((finding) => [finding.reason, finding.outcome]),
        [[reason, 'would-deny']],
      );
    }
  });

  it('verifies a good credential as ever', async () => {
    const { identity, evaluation } = await authenticate(both, bearer(TOKEN), { mode: 'Audit' });
    assert.deepEqual([identity.subject, evaluation.findings], ['ann', undefined]);
  });
});
