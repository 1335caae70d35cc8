import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import { keySourceContract } from '../phases/authn/key-source.contract.ts';
import type { KeySource, KeySources } from '../phases/authn/key-source.ts';
import { createKeySources } from './key-sources.ts';
import { type Fetched, NOTHING_FORBIDDEN, OutboundClient } from './outbound.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PUBLIC = publicKey.export({ format: 'jwk' });
const KEYS = JSON.stringify({ keys: [PUBLIC] });
const NONE = new BlockList();

/** A client that connects to nothing: it counts what is asked for, and how much of it at one time. */
class FakeClient extends OutboundClient {
  readonly asked: string[] = [];
  underWay = 0;
  most = 0;

  override async get(url: string): Promise<Fetched> {
    this.asked.push(url);
    this.underWay += 1;
    this.most = Math.max(this.most, this.underWay);
    await new Promise((resolve) => setImmediate(resolve));
    this.underWay -= 1;
    if (url.endsWith('.well-known/openid-configuration')) {
      const issuer = url.slice(0, url.indexOf('/.well-known'));
      return { body: JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }), cacheControl: '' };
    }
    return { body: KEYS, cacheControl: '' };
  }
}

const sourcesOf = (isRelaxed = false, prefetch = false): { sources: KeySources; client: FakeClient } => {
  const client = new FakeClient({ isRelaxed, allowed: NONE, forbidden: NOTHING_FORBIDDEN });
  const clock = { wallMs: () => 0, monotonicMs: () => 0 };
  return { client, sources: createKeySources({ client, clock, random: () => 0, observe: () => undefined, prefetch }) };
};
const asSource = (source: KeySource | string): KeySource => (typeof source === 'string' ? assert.fail(source) : source);

describe('createKeySources() for keys by URL', () => {
  keySourceContract(() => asSource(sourcesOf().sources.byUrl('https://sso.example.org/keys', 'shop')));

  it('shares one source, and refuses what may not be fetched', () => {
    const { sources } = sourcesOf();
    const url = 'https://sso.example.org/keys';
    assert.equal(sources.byUrl(url, 'shop'), sources.byUrl(url, 'shop'));
    assert.notEqual(sources.byUrl(url, 'shop'), sources.byUrl(`${url}?`, 'shop'));
    assert.equal(sources.byUrl('http://sso.example.org/keys', 'shop'), '"http://sso.example.org/keys" must be https');
    assert.match(String(sources.byUrl('https://169.254.169.254/', 'shop')), /link-local/);
    assert.equal(typeof sourcesOf(true).sources.byUrl('http://127.0.0.1/keys', 'shop'), 'object');
  });
});

describe('createKeySources() for keys by discovery', () => {
  keySourceContract(() => asSource(sourcesOf().sources.byDiscovery('https://sso.example.org', 'shop')));

  it('shares one source for an issuer, apart from that of a URL', async () => {
    const { sources, client } = sourcesOf();
    const issuer = 'https://sso.example.org';
    const source = asSource(sources.byDiscovery(issuer, 'shop'));
    assert.equal(sources.byDiscovery(issuer, 'shop'), source);
    assert.notEqual(sources.byUrl(issuer, 'shop'), source);
    await source.fetch();
    assert.deepEqual(client.asked, [`${issuer}/.well-known/openid-configuration`, `${issuer}/keys`]);
  });

  it('refuses an issuer that cannot be discovered or fetched', () => {
    const { sources } = sourcesOf();
    for (const issuer of ['joe', 'http://sso.example.org', 'https://10.0.0.1', 'https://x.example.org/?a']) {
      assert.equal(typeof sources.byDiscovery(issuer, 'shop'), 'string', issuer);
    }
  });
});

describe('createKeySources() for inline keys', () => {
  keySourceContract(() => asSource(sourcesOf().sources.inline(KEYS, false)));

  it('tells the author of everything that cannot be used', () => {
    const { sources } = sourcesOf();
    const secret = { kty: 'oct', k: Buffer.alloc(32).toString('base64url') };
    const inline = (keys: readonly object[], allowsSymmetric = false): unknown =>
      sources.inline(JSON.stringify({ keys }), allowsSymmetric);
    assert.equal(sources.inline('[]', false), 'This is not a JWK Set: write {"keys": [...]}');
    assert.equal(sources.inline('{"keys":[],"keys":[]}', false), 'This is not a JWK Set: write {"keys": [...]}');
    assert.equal(inline([]), 'This set holds no key');
    assert.equal(inline([secret]), 'Of this set keys[0] is symmetric');
    assert.equal(typeof inline([secret], true), 'object');
    assert.equal(inline([PUBLIC, { kty: 'RSA' }]), 'Of this set keys[1] cannot be read');
    assert.match(String(inline(Array(33).fill(PUBLIC))), /^This set holds 33 keys, at most 32 .* jwks.url$/);
    assert.match(String(inline([privateKey.export({ format: 'jwk' })])), /^This set holds a private key/);
  });
});

describe('createKeySources() with prefetch', () => {
  it('fetches keys when a policy names them, a few at a time', async () => {
    const { sources, client } = sourcesOf(false, true);
    const held = Array.from({ length: 30 }, (_, index) =>
      asSource(sources.byUrl(`https://sso.example.org/${index}`, 'shop')),
    );
    for (let i = 0; i < 30; i += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([client.asked.length, client.most], [30, 4]);
    assert.equal(
      held.every((source) => source.current() !== undefined),
      true,
    );
  });

  it('fetches nothing ahead without it', () => {
    const { sources, client } = sourcesOf();
    sources.byUrl('https://sso.example.org/keys', 'shop');
    assert.deepEqual(client.asked, []);
  });
});
