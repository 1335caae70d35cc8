import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { identityId } from '../../core/identity.ts';
import { ConsumerKeys } from './consumer-keys.ts';
import type { ConsumerInput, SecretLookup } from './consumers.ts';

const KEY = 'pk_test_0123456789abcdef';
const sha256 = (text: string | Uint8Array): string => hash('sha256', text, 'hex');
const NO_SECRETS: SecretLookup = () => ({ reason: 'SecretNotFound', message: 'No Secret here' });
const secretOf =
  (text: string): SecretLookup =>
  () =>
    Buffer.from(text);

const compile = (
  consumers: readonly ConsumerInput[],
  secrets = NO_SECRETS,
  { uncounted = [], keys = new ConsumerKeys('shop'), secretsVersion = 0 }: Parts = {},
) => keys.compile(consumers, { secrets, secretsVersion, uncounted, breathe: () => undefined });
interface Parts {
  readonly uncounted?: readonly ConsumerInput[];
  readonly keys?: ConsumerKeys;
  readonly secretsVersion?: number;
}
const acme = (keys: ConsumerInput['keys'], name = 'acme'): ConsumerInput => ({ name, groups: ['partners'], keys });
const T = '2026-11-01T00:00:00Z';
const T_MS = Date.parse(T);

describe('ConsumerKeys', () => {
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
    const { index, problems } = await compile([acme([key])], NO_SECRETS, { uncounted: others });
    assert.equal(index.find(KEY, 'm', 0), 'unknown');
    assert.deepEqual(
      problems.get('acme')?.problems.map(({ reason, message }) => [reason, message]),
      [['DuplicateDigest', '"acme" and "b" hold the same key, so it is nobody\'s: give each its own']],
    );
    const alone = await compile([], NO_SECRETS, { uncounted: others });
    assert.equal(alone.index.find(KEY, 'm', 0), 'unknown');
  });

  it('reads one of many consumers again when it is edited, and no other', async () => {
    const keys = new ConsumerKeys('shop');
    let reads = 0;
    const counted = (name: string, key: string): ConsumerInput => ({
      name,
      groups: [],
      get keys() {
        reads += 1;
        return [{ name: 'k', sha256: sha256(key) }];
      },
    });
    const all = Array.from({ length: 500 }, (_, i) => counted(`c${i}`, `key ${i}`));
    await compile(all, NO_SECRETS, { keys });
    reads = 0;
    const edited = all.with(7, counted('c7', 'key 7, the second'));
    const { index } = await compile(edited, NO_SECRETS, { keys });
    assert.ok(reads > 0 && reads <= 3, `${reads} reads`);
    const found = ['key 6', 'key 7', 'key 7, the second'].map((key) => index.find(key, 'm', 0));
    assert.deepEqual(
      found.map((one) => (typeof one === 'string' ? one : one.subject)),
      ['c6', 'unknown', 'c7'],
    );
  });

  it('changes nothing of what a snapshot before holds', async () => {
    const keys = new ConsumerKeys('shop');
    const first = await compile([acme([{ name: 'k', sha256: sha256(KEY) }])], NO_SECRETS, { keys });
    const second = await compile([], NO_SECRETS, { keys });
    assert.deepEqual(
      [first, second].map(({ index }) => typeof index.find(KEY, 'm', 0)),
      ['object', 'string'],
    );
    assert.deepEqual(
      [first, second].map(({ problems }) => [...problems.keys()]),
      [['acme'], []],
    );
  });

  it('looks up Secrets again when one changed, and only then', async () => {
    const keys = new ConsumerKeys('shop');
    const ref = [
      acme([{ name: 'k', secretRef: { name: 's', key: 'k' } }]),
      acme([{ name: 'k', sha256: 'f'.repeat(64) }], 'b'),
    ];
    let looks = 0;
    const find = async (held: string, secretsVersion: number): Promise<string> => {
      const secrets: SecretLookup = () => {
        looks += 1;
        return Buffer.from(held);
      };
      const found = (await compile(ref, secrets, { keys, secretsVersion })).index.find(KEY, 'm', 0);
      return typeof found === 'string' ? found : (found.subject ?? 'nobody');
    };
    assert.deepEqual([await find(KEY, 0), await find(KEY, 0), looks], ['acme', 'acme', 1]);
    assert.deepEqual([await find('another key of 16 bytes', 1), looks], ['unknown', 2]);
  });

  it('compiles all of it anew after a time that failed half-way', async () => {
    const keys = new ConsumerKeys('shop');
    const key = { name: 'k', sha256: sha256(KEY) };
    const [a, b] = [acme([key]), acme([key], 'b')];
    await compile([a, b], NO_SECRETS, { keys });
    for (const failsAt of [1, 2, 3, 4, 5]) {
      let breaths = 0;
      const breathe = (): undefined => {
        breaths += 1;
        if (breaths === failsAt) throw new Error('out of memory');
      };
      await assert.rejects(keys.compile([a], { secrets: NO_SECRETS, secretsVersion: 0, breathe }), /out of memory/);
      const { index, problems } = await compile([a], NO_SECRETS, { keys });
      assert.deepEqual([typeof index.find(KEY, 'm', 0), problems.get('acme')?.problems], ['object', []]);
      await compile([a, b], NO_SECRETS, { keys });
    }
  });

  it('names nobody of a key that many hold, so that one more is no news for the others', async () => {
    const keys = new ConsumerKeys('shop');
    const many = Array.from({ length: 9 }, (_, i) => acme([{ name: 'k', sha256: sha256(KEY) }], `c${i}`));
    const first = await compile(many, NO_SECRETS, { keys });
    const second = await compile([...many, acme([{ name: 'k', sha256: sha256(KEY) }], 'one-more')], NO_SECRETS, {
      keys,
    });
    assert.equal(
      first.problems.get('c0')?.problems[0]?.message,
      "More than 8 consumers hold the same key, so it is nobody's: give each its own",
    );
    assert.equal(second.problems.get('c0'), first.problems.get('c0'));
  });

  it('comes, edit by edit, to what one that reads everything comes to (property)', async () => {
    const texts = ['first key of them', 'second key of them', 'third key of them'];
    const aKey = fc.oneof(
      fc.record({ name: fc.constant('k'), sha256: fc.constantFrom(...texts.map(sha256), sha256('')) }),
      fc.record({
        name: fc.constant('k'),
        secretRef: fc.constantFrom({ name: 's', key: 'k' }, { name: 't', key: 'k' }),
      }),
    );
    const someKeys = fc.array(aKey, { maxLength: 3 });
    const edit = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      keys: fc.option(someKeys),
      isUnread: fc.boolean(),
      secret: fc.option(fc.constantFrom(...texts)),
      over: fc.option(fc.record({ name: fc.constantFrom('x', 'y'), keys: someKeys })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 12 }), async (edits) => {
        const keys = new ConsumerKeys('shop');
        const all = new Map<string, ConsumerInput>();
        let held: string = KEY;
        let secretsVersion = 0;
        const secrets: SecretLookup = ({ name }) =>
          name === 's' ? Buffer.from(held) : { reason: 'SecretNotFound', message: 'none' };
        for (const { name, keys: given, isUnread, secret, over } of edits) {
          if (given === null) all.delete(name);
          else all.set(name, { name, groups: [], keys: given, isUnread });
          if (secret !== null) {
            held = secret;
            secretsVersion += 1;
          }
          const uncounted = over === null ? [] : [{ ...over, groups: [], isUnread: true }];
          const [step, whole] = await Promise.all([
            compile([...all.values()], secrets, { keys, secretsVersion, uncounted }),
            compile([...all.values()], secrets, { uncounted }),
          ]);
          for (const text of [...texts, KEY, ''])
            assert.deepEqual(step.index.find(text, 'm', 0), whole.index.find(text, 'm', 0));
          const said = ({ problems }: typeof step) => new Map([...problems].map(([of, list]) => [of, list.problems]));
          assert.deepEqual(said(step), said(whole));
        }
      }),
    );
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
