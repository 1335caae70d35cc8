import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { MAX_KEYS, readKeySet, sameKeys } from './key-set.ts';

const pair = (make: () => { readonly publicKey: KeyObject; readonly privateKey: KeyObject }): [object, object] => {
  const { publicKey, privateKey } = make();
  return [publicKey.export({ format: 'jwk' }), privateKey.export({ format: 'jwk' })];
};
const [RSA, RSA_PRIVATE] = pair(() => generateKeyPairSync('rsa', { modulusLength: 2048 }));
const [EC] = pair(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const [P384] = pair(() => generateKeyPairSync('ec', { namedCurve: 'P-384' }));
const [P521] = pair(() => generateKeyPairSync('ec', { namedCurve: 'P-521' }));
const [ED] = pair(() => generateKeyPairSync('ed25519'));

const read = (keys: unknown, allowsSymmetric = false): ReturnType<typeof readKeySet> =>
  readKeySet(JSON.stringify({ keys }), { allowsSymmetric });
const unusable = (jwk: unknown, allowsSymmetric = false): string | undefined => {
  const result = read([jwk], allowsSymmetric);
  assert.equal(result?.set.keys.length, result?.unusable.length === 0 ? 1 : 0);
  return result?.unusable[0];
};
const secret = (bytes: number): object => ({ kty: 'oct', k: Buffer.alloc(bytes, 7).toString('base64url') });

describe('readKeySet()', () => {
  it('reads every kind of key that can verify, also without alg and kid', () => {
    const result = read([RSA, EC, P384, P521, ED]);
    assert.deepEqual(result?.unusable, []);
    assert.deepEqual(
      result?.set.keys.map(({ type, curve, kid, alg }) => [type, curve, kid, alg]),
      [
        ['RSA', undefined, undefined, undefined],
        ['EC', 'P-256', undefined, undefined],
        ['EC', 'P-384', undefined, undefined],
        ['EC', 'P-521', undefined, undefined],
        ['OKP', 'Ed25519', undefined, undefined],
      ],
    );
  });

  it('keeps one key under two kids or algorithms as two', () => {
    const result = read([
      { ...RSA, kid: 'a' },
      { ...RSA, kid: 'b' },
      { ...RSA, kid: 'b', alg: 'PS256' },
      { ...RSA, kid: 'a' },
    ]);
    assert.equal(result?.set.keys.length, 4);
    assert.equal(result?.set.ids.size, 3);
  });

  it('leaves out what is not for verifying signatures', () => {
    assert.equal(unusable({ ...RSA, use: 'enc' }), 'keys[0] is not for signatures');
    assert.equal(unusable({ ...RSA, key_ops: ['sign'] }), 'keys[0] is not for verifying');
    assert.equal(unusable({ ...RSA, key_ops: 'verify' }), 'keys[0] is not for verifying');
    assert.equal(unusable({ ...RSA, use: 'sig', key_ops: ['verify'] }), undefined);
  });

  it('leaves out RSA keys that are short, padded to look long, huge, or with an exponent that anyone can use', () => {
    const [short] = pair(() => generateKeyPairSync('rsa', { modulusLength: 1024 }));
    assert.equal(unusable(short), 'keys[0] has 1024 bits: RSA keys have 2048 to 8192');
    const n = Buffer.concat([Buffer.alloc(128), Buffer.from((short as { n: string }).n, 'base64url')]);
    assert.equal(
      unusable({ ...short, n: n.toString('base64url') }),
      'keys[0] has 1024 bits: RSA keys have 2048 to 8192',
    );
    assert.equal(unusable({ ...RSA, n: Buffer.alloc(2048, 0xff).toString('base64url') })?.includes('16384 bits'), true);
    assert.equal(unusable({ ...RSA, e: 'AQ' }), 'keys[0] has an unsafe exponent');
    assert.equal(unusable({ ...RSA, e: 'AgAAAAAB' }), 'keys[0] has an unsafe exponent');
  });

  it('leaves out kinds and curves that are not known, and points that are on none', () => {
    const [x25519] = pair(() => generateKeyPairSync('x25519'));
    const [koblitz] = pair(() => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }));
    const zero = Buffer.alloc(32, 1).toString('base64url');
    assert.equal(unusable(x25519), 'keys[0] is on a curve that is not known');
    assert.equal(unusable(koblitz), 'keys[0] is on a curve that is not known');
    assert.equal(unusable({ ...EC, crv: 'constructor' }), 'keys[0] is on a curve that is not known');
    assert.equal(unusable({ kty: 'EC', crv: 'P-256', x: zero, y: zero }), 'keys[0] cannot be read');
    assert.equal(unusable({ kty: 'RSA' }), 'keys[0] cannot be read');
    for (const kty of ['AKP', 'rsa', '', undefined, 5, '__proto__']) {
      assert.equal(unusable({ ...RSA, kty }), 'keys[0] is of a kind that is not known');
    }
  });

  it('takes symmetric keys only where they are allowed, and of at least 32 bytes', () => {
    assert.equal(unusable(secret(32)), 'keys[0] is symmetric');
    assert.equal(unusable(secret(32), true), undefined);
    assert.equal(unusable(secret(31), true), 'keys[0] has 31 bytes: at least 32 (RFC 7518 §3.2)');
    for (const k of ['', undefined, 5, `${'A'.repeat(43)}=`, '!'.repeat(43)]) {
      assert.notEqual(unusable({ kty: 'oct', k }, true), undefined);
    }
  });

  it('drops private members, and says that there were some', () => {
    const result = read([RSA_PRIVATE]);
    assert.equal(result?.holdsPrivateKey, true);
    assert.equal(result?.set.keys[0]?.key.type, 'public');
    assert.equal(read([RSA])?.holdsPrivateKey, false);
  });

  it('does not let one bad key spoil the others', () => {
    const result = read([null, 5, 'x', [], { ...RSA, kid: 5 }, { ...RSA, alg: ['RS256'] }, EC]);
    assert.equal(result?.set.keys.length, 1);
    assert.equal(result?.unusable.length, 6);
  });

  it('takes a bounded number of keys', () => {
    assert.equal(read(Array(MAX_KEYS + 1).fill(EC))?.set.keys.length, MAX_KEYS);
  });

  it('gives nothing for what is no JWK Set, repeated members included', () => {
    for (const text of [
      '',
      '[]',
      'null',
      '{}',
      '{"keys":{}}',
      '{"keys":[],"keys":[]}',
      '{"__proto__":{"keys":[]}}',
      'x',
    ]) {
      assert.equal(readKeySet(text, { allowsSymmetric: true }), undefined, text);
    }
    assert.equal(read([])?.set.keys.length, 0);
  });
});

describe('sameKeys()', () => {
  it('compares entries, not their order', () => {
    const setOf = (...keys: object[]) => read(keys)?.set ?? assert.fail();
    assert.equal(sameKeys(setOf(RSA, EC), setOf(EC, RSA)), true);
    assert.equal(sameKeys(setOf(RSA), setOf(RSA, EC)), false);
    assert.equal(sameKeys(setOf(RSA), setOf(EC)), false);
    assert.equal(sameKeys(setOf({ ...RSA, kid: 'a' }), setOf({ ...RSA, kid: 'b' })), false);
  });
});
