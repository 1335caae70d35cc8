import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { queryNames, REDACTED, redactFields, redactPath, redactText } from './redact.ts';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';
const KEY = 'psk_9f8e7d6c5b4a39281706';

describe('redactText()', () => {
  for (const [text, expected] of [
    [`Bearer ${JWT}`, `Bearer ${REDACTED}`],
    ['failed: authorization: Basic YWxpY2U6c2VjcmV0, retry', `failed: authorization: Basic ${REDACTED}, retry`],
    ['DPoP abcdefgh', `DPoP ${REDACTED}`],
    [`token ${JWT} has expired`, `token ${REDACTED} has expired`],
    [`"${JWT.split('.').slice(0, 2).join('.')}"`, `"${REDACTED}"`],
    [
      'cannot reach redis://user:hunter2@cache.example.org:6379',
      `cannot reach redis://${REDACTED}@cache.example.org:6379`,
    ],
    ['-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----', REDACTED],
    ['a plain sentence about the bearer of news', 'a plain sentence about the bearer of news'],
  ] as const) {
    it(`makes ${JSON.stringify(expected)}`, () => assert.equal(redactText(text), expected));
  }

  it('blots out the credential of the check wherever it stands, also across the cut', () => {
    assert.equal(redactText(`key ${KEY} unknown, ${KEY}`, [KEY]), `key ${REDACTED} unknown, ${REDACTED}`);
    const cut = redactText(`${'x'.repeat(2040)}${KEY}`, [KEY]);
    assert.ok(!cut.includes(KEY.slice(0, 6)), cut.slice(-20));
  });

  it('is bounded in length and in time', () => {
    const text = `${'-eyJaaaa'.repeat(20_000)}${'://a'.repeat(20_000)}${'bearer '.repeat(20_000)}`;
    const startMs = performance.now();
    assert.ok(redactText(text).length <= 2049);
    assert.ok(performance.now() - startMs < 200);
  });
});

describe('redactPath()', () => {
  for (const [path, expected] of [
    ['/v1/orders?token=abc', '/v1/orders'],
    ['/v1/orders#access_token=abc', '/v1/orders'],
    ['/app;jsessionid=abc/x;y=1', '/app;…/x;…'],
    ['/app%3Bjsessionid=abc/x', '/app%3B…/x'],
    [`/verify/${JWT}`, `/verify/${REDACTED}`],
    [`/keys/${KEY}/use`, `/keys/${REDACTED}/use`],
    ['/a&api_key=abc/x', '/a&…/x'],
    ['/a%26api_key=abc', '/a%26…'],
    ['/a%3Fapi_key=abc', '/a%3F…'],
    ['/a%253fapi_key=abc', '/a%253f…'],
    ['/a%23access_token=abc', '/a%23…'],
    [`/keys/${KEY.replace('_', '%5f')}/use`, `/keys/${REDACTED}/use`],
    [`/keys/${KEY.replace('_', '%255F')}/use`, `/keys/${REDACTED}/use`],
    ['/a%20b/c', '/a%20b/c'],
  ] as const) {
    it(`makes ${expected}`, () => assert.equal(redactPath(path, [KEY]), expected));
  }

  it('finds a secret of any bytes that is encoded, and one that runs through segments', () => {
    for (const secret of ['schlüssel#1', 'p k_live#1', 'ab/cdef'])
      for (const path of [`/x/${encodeURIComponent(secret)}/y`, `/x/${encodeURI(secret)}%20/y`, `/%61/${secret}`])
        assert.ok(!decodeURIComponent(redactPath(path, [secret])).includes(secret), path);
  });

  it('is bounded', () => assert.equal(redactPath(`/${'a'.repeat(100_000)}`).length, 1025));
});

describe('queryNames()', () => {
  it('gives names without values, and no name that may be a value', () => {
    const query = new Map([
      ['page', ['1']],
      ['access_token', [JWT]],
      [JWT, ['']],
      ['a b', ['']],
      [KEY, ['']],
    ]);
    assert.deepEqual(queryNames(query, [KEY]), ['page', 'access_token', REDACTED, REDACTED, REDACTED]);
  });

  it('gives no name that stands alone and may be a key', () => {
    const query = new Map(['verbose', 'pk_live_9c1f2e77', 'abcdefghijklmnopqrstuvwxyz'].map((name) => [name, ['']]));
    assert.deepEqual(queryNames(query), ['verbose', REDACTED, REDACTED]);
  });

  it('is bounded', () => {
    assert.equal(queryNames(new Map(Array.from({ length: 500 }, (_, i) => [`p${i}`, []]))).length, 16);
  });
});

describe('redactFields()', () => {
  it('never writes what a secret name holds, at any depth', () => {
    const names = [
      'authorization',
      'Authorization',
      'cookie',
      'set-cookie',
      'apiKey',
      'x-api-key',
      'api_key',
      'password',
    ];
    const more = ['clientSecret', 'token', 'id_token', 'credential', 'privateKey', 'proxy-authorization', 'key', 'jwt'];
    const secrets = Object.fromEntries([...names, ...more].map((name) => [name, 'hunter2']));
    const fields = redactFields({ ...secrets, headers: secrets, list: [{ inner: secrets }], ok: 'hunter3' });
    assert.ok(!JSON.stringify(fields).includes('hunter2'));
    assert.equal(fields.ok, 'hunter3');
  });

  it('writes errors with their causes, without what they quote', () => {
    const error = new Error(`refused: Bearer ${JWT}`, { cause: new TypeError('no', { cause: { token: KEY } }) });
    assert.deepEqual(redactFields({ error }), {
      error: {
        name: 'Error',
        message: `refused: Bearer ${REDACTED}`,
        cause: { name: 'TypeError', message: 'no', cause: { token: REDACTED } },
      },
    });
  });

  it('bounds depth, length and bytes, and outlives what cannot be read', () => {
    const loop: Record<string, unknown> = { n: 1n, f: nothing, bytes: Buffer.from(KEY) };
    loop.self = loop;
    const safe = JSON.stringify(redactFields({ loop, list: Array.from({ length: 1000 }, () => 'x') }));
    assert.ok(safe.length < 3000 && !safe.includes(KEY), safe);
    const trap = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('trap');
        },
      },
    );
    assert.deepEqual(redactFields({ trap }), { fields: 'unreadable' });
  });
});

const nothing = (): void => {};
