import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { identityId } from '../../core/identity.ts';
import { type ConsumerInput, compileConsumers, type SecretLookup } from './consumers.ts';

const KEY = 'pk_test_0123456789abcdef';
const sha256 = (text: string | Uint8Array): string => hash('sha256', text, 'hex');
const NO_SECRETS: SecretLookup = () => ({ reason: 'SecretNotFound', message: 'No Secret here' });
const secretOf =
  (text: string): SecretLookup =>
  () =>
    Buffer.from(text);

const compile = (consumers: readonly ConsumerInput[], secrets = NO_SECRETS) =>
  compileConsumers(consumers, { secrets, namespace: 'shop', breathe: () => undefined });
const acme = (keys: ConsumerInput['keys'], name = 'acme'): ConsumerInput => ({ name, groups: ['partners'], keys });
const T = '2026-11-01T00:00:00Z';
const T_MS = Date.parse(T);

describe('compileConsumers()', () => {
  it('finds the consumer of a key, with one identity for each method', async () => {
    const { index } = await compile([acme([{ name: 'k1', sha256: sha256(KEY) }])]);
    const found = index.find(KEY, 'partners', 0);
    assert.deepEqual(found, {
      kind: 'apiKey',
      issuer: 'postern.dev/shop',
      subject: 'acme',
      id: identityId('apiKey', 'postern.dev/shop', 'acme'),
      groups: ['partners'],
      scopes: [],
      claims: null,
      consumer: 'acme',
      authTimeMs: null,
      method: 'partners',
    });
    assert.equal(index.find(KEY, 'partners', 1), found);
    const other = index.find(KEY, 'other', 1);
    assert.ok(typeof other === 'object' && other.method === 'other' && Object.isFrozen(other));
  });

  it('has the id of the docs for acme in shop', () => {
    assert.equal(identityId('apiKey', 'postern.dev/shop', 'acme'), 'qF2PTvX1_MPJHC9jLVawmA');
  });

  it('keeps several keys alive side by side, each within its own time', async () => {
    const { index } = await compile([
      acme([
        { name: 'old', sha256: sha256('old-key-0123456789'), notAfter: T },
        { name: 'new', sha256: sha256('new-key-0123456789'), notBefore: T },
        { name: 'bad', sha256: sha256('bad-key-0123456789'), notAfter: 'never' },
      ]),
    ]);
    const kindAt = (key: string, wallMs: number): unknown => {
      const found = index.find(key, 'm', wallMs);
      return typeof found === 'string' ? found : found.subject;
    };
    assert.deepEqual(
      [T_MS - 1, T_MS, T_MS + 1].map((at) => [kindAt('old-key-0123456789', at), kindAt('new-key-0123456789', at)]),
      [
        ['acme', 'expired'],
        ['expired', 'acme'],
        ['expired', 'acme'],
      ],
    );
    assert.equal(kindAt('bad-key-0123456789', 0), 'expired');
  });

  it('lets one consumer hold a key twice, in two times', async () => {
    const digest = sha256(KEY);
    const keys = [
      { name: 'a', sha256: digest, notAfter: T },
      { name: 'b', sha256: digest, notBefore: '2027-01-01T00:00:00Z' },
    ];
    const { index, problems } = await compile([acme(keys)]);
    const at = (wallMs: number): string => {
      const found = index.find(KEY, 'm', wallMs);
      return typeof found === 'string' ? found : 'found';
    };
    assert.deepEqual([at(0), at(T_MS), at(Date.parse('2027-01-01T00:00:00Z'))], ['found', 'expired', 'found']);
    assert.deepEqual(problems.get('acme')?.problems, []);
  });

  it('gives a digest that two consumers hold to neither, and tells both', async () => {
    const consumers = [
      acme([{ name: 'k1', sha256: sha256(KEY) }]),
      acme([{ name: 'k9', secretRef: { name: 's', key: 'k' } }], 'globex'),
    ];
    const { index, problems } = await compile(consumers, secretOf(KEY));
    assert.equal(index.find(KEY, 'm', 0), 'unknown');
    const message = '"acme" and "globex" hold the same key, so it is nobody\'s: give each its own';
    for (const name of ['acme', 'globex']) {
      assert.deepEqual(problems.get(name)?.problems, [
        { reason: 'DuplicateDigest', path: 'spec.keys[0]', message, severity: 'reference' },
      ]);
    }
  });

  it('gives a digest to nobody that a consumer held whose spec cannot be read now', async () => {
    const broken = (keys: ConsumerInput['keys']): ConsumerInput => ({ ...acme(keys, 'globex'), isUnread: true });
    const key = { name: 'k1', sha256: sha256(KEY) };
    const message = '"acme" and "globex" hold the same key, so it is nobody\'s: give each its own';
    for (const other of [key, { name: 'k9', secretRef: { name: 's', key: 'k' } }]) {
      const { index, problems } = await compile([acme([key]), broken([{ name: 'none' }, other])], secretOf(KEY));
      assert.equal(index.find(KEY, 'm', 0), 'unknown');
      assert.deepEqual(
        ['acme', 'globex'].map((name) => problems.get(name)?.problems),
        [0, 1].map((at) => [{ reason: 'DuplicateDigest', path: `spec.keys[${at}]`, message, severity: 'reference' }]),
      );
    }
    const { index, problems } = await compile([broken([key, { name: 'k9', secretRef: { name: 's', key: 'k' } }])]);
    assert.equal(index.find(KEY, 'm', 0), 'unknown');
    assert.deepEqual(problems.get('globex')?.problems, []);
  });

  it('refuses the digest of the empty key', async () => {
    const { index, problems } = await compile([acme([{ name: 'k1', sha256: sha256('') }])]);
    assert.equal(index.find('', 'm', 0), 'unknown');
    assert.equal(problems.get('acme')?.problems[0]?.path, 'spec.keys[0].sha256');
  });

  it('takes a plain key of at least 16 bytes from a Secret, less one trailing newline', async () => {
    const ref = acme([{ name: 'k1', secretRef: { name: 's', key: 'k' } }]);
    const find = async (held: string, sent: string): Promise<string> => {
      const found = (await compile([ref], secretOf(held))).index.find(sent, 'm', 0);
      return typeof found === 'string' ? found : 'found';
    };
    assert.equal(await find(`${KEY}\n`, KEY), 'found');
    assert.equal(await find(`${KEY}\r\n`, KEY), 'found');
    assert.equal(await find(KEY, KEY), 'found');
    assert.equal(await find(`${KEY}\n\n`, KEY), 'unknown');
    assert.equal(await find(`${KEY}\r`, KEY), 'unknown');
    assert.equal(await find('0123456789abcdef', '0123456789abcdef'), 'found');
    assert.equal(await find('0123456789abcde\n', '0123456789abcde'), 'unknown');
    assert.equal(await find('', ''), 'unknown');
    assert.equal(await find('\n', ''), 'unknown');
  });

  it('stops matching a key whose Secret is gone or not offered, and says so', async () => {
    const ref = acme([{ name: 'k1', secretRef: { name: 's', key: 'k' } }]);
    const secrets: SecretLookup = () => ({ reason: 'SecretNotOffered', message: 'Secret "s" does not list acme' });
    const { index, problems } = await compile([ref], secrets);
    assert.equal(index.find(KEY, 'm', 0), 'unknown');
    assert.deepEqual(problems.get('acme')?.problems, [
      {
        reason: 'SecretNotOffered',
        path: 'spec.keys[0].secretRef',
        message: 'Secret "s" does not list acme',
        severity: 'reference',
      },
    ]);
  });

  it('gives a key to nobody that one which does not count holds as well, and says so to whom it was', async () => {
    const key = { name: 'k', sha256: sha256(KEY) };
    const others = ['b', 'c'].map((name) => ({ name, groups: [], keys: [key], isUnread: true }));
    const { index, problems } = await compileConsumers([acme([key])], {
      secrets: NO_SECRETS,
      namespace: 'shop',
      uncounted: others,
      breathe: () => undefined,
    });
    assert.equal(index.find(KEY, 'm', 0), 'unknown');
    assert.deepEqual(
      problems.get('acme')?.problems.map(({ reason, message }) => [reason, message]),
      [['DuplicateDigest', '"acme" and "b" hold the same key, so it is nobody\'s: give each its own']],
    );
    const alone = await compileConsumers([], {
      secrets: NO_SECRETS,
      namespace: 'shop',
      uncounted: others,
      breathe: () => undefined,
    });
    assert.equal(alone.index.find(KEY, 'm', 0), 'unknown');
  });

  it('never finds a mutated key (property)', async () => {
    const { index } = await compile([acme([{ name: 'k1', sha256: sha256(KEY) }])]);
    const near = fc.record({ at: fc.nat({ max: KEY.length }), text: fc.string({ unit: 'binary', maxLength: 3 }) });
    fc.assert(
      fc.property(near, ({ at, text }) => {
        for (const sent of [KEY.slice(0, at) + text + KEY.slice(at), KEY.slice(0, at) + text]) {
          assert.equal(typeof index.find(sent, 'm', 0) === 'object', sent === KEY);
        }
      }),
    );
  });
});
