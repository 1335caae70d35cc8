import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { anEvaluation } from '../core/evaluation.fixture.ts';
import type { SecretLookup } from '../phases/authn/consumers.ts';
import { NamespaceObjects } from './namespace-objects.ts';
import type { SourceObject } from './object.ts';

const KEY = 'pk_test_0123456789abcdef';

const objectOf = (kind: string, name: string, spec: unknown): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'shop', uid: name, generation: 1 },
  spec,
});
const role = objectOf('APIRole', 'reader', {
  permissions: Array.from({ length: 20 }, (_, i) => ({ name: `p${i}`, allPolicies: {}, paths: ['/a/{x}/b'] })),
});
const acme = objectOf('APIConsumer', 'acme', { keys: [{ name: 'k', sha256: hash('sha256', KEY, 'hex') }] });

/** Compiles, and counts how often the work stopped to breathe. */
async function compile(objects: NamespaceObjects, onBreath: () => void = () => undefined) {
  let breaths = 0;
  const compiled = await objects.compile({
    secrets: () => ({ reason: 'SecretNotFound', message: '' }),
    clusterIssuer: undefined,
    breathe() {
      breaths += 1;
      onBreath();
      return undefined;
    },
  });
  return { ...compiled, breaths };
}

describe('NamespaceObjects', () => {
  it('breathes between permissions, and compiles those of a role that did not change no second time', async () => {
    const objects = new NamespaceObjects('shop');
    objects.apply('APIRole', role);
    const first = await compile(objects);
    const second = await compile(objects);
    assert.equal(first.breaths - second.breaths, 20);
    objects.apply('APIRole', { ...role });
    assert.equal((await compile(objects)).breaths, first.breaths);
  });

  it('leaves what changes while it compiles to the next time', async () => {
    const objects = new NamespaceObjects('shop');
    objects.apply('APIConsumer', acme);
    const during = await compile(objects, () => objects.delete('APIConsumer', 'acme'));
    const after = await compile(objects);
    const find = ({ view }: typeof after): unknown => {
      const found = view.consumers.find(KEY, 'm', 0);
      return typeof found === 'string' ? found : found.subject;
    };
    assert.deepEqual([find(during), find(after)], ['acme', 'unknown']);
    assert.deepEqual([[...during.problems.keys()], [...after.problems.keys()]], [[acme], []]);
  });

  it('takes what is thrown at one object for a problem of that object', async () => {
    const objects = new NamespaceObjects('shop');
    const broken: SourceObject = {
      ...objectOf('APIRole', 'broken', undefined),
      get spec() {
        throw new Error('boom');
      },
    };
    objects.apply('APIConsumer', acme);
    objects.apply('APIRole', broken);
    const { view, problems } = await compile(objects);
    assert.equal(typeof view.consumers.find(KEY, 'm', 0), 'object');
    assert.deepEqual(
      [...problems.values()],
      [[], [{ reason: 'Invalid', path: 'spec', message: 'It cannot be compiled: boom', severity: 'error' }]],
    );
  });

  it('follows what consumers over the budget name as well, so that a key of two is nobody’s in every build', async () => {
    const objects = new NamespaceObjects('shop', { objects: 1, bytes: 1e6 });
    objects.apply('APIConsumer', acme);
    const newer = objectOf('APIConsumer', 'newer', { keys: [{ name: 'k', secretRef: { name: 's', key: 'k' } }] });
    objects.apply('APIConsumer', newer);
    for (const build of ['first', 'second']) {
      const followed = objects.secretNames();
      const secrets: SecretLookup = ({ name }) =>
        followed.has(name) ? Buffer.from(KEY) : { reason: 'SecretNotFound', message: '' };
      const { view, problems } = await objects.compile({ secrets, clusterIssuer: undefined, breathe: () => undefined });
      assert.equal(view.consumers.find(KEY, 'm', 0), 'unknown', build);
      assert.deepEqual(
        [acme, newer].map((object) => problems.get(object)?.map(({ reason }) => reason)),
        [['DuplicateDigest'], ['QuotaExceeded']],
        build,
      );
    }
  });

  it('follows 500 Secrets of a namespace of several, those that older consumers name, and says so of the others', async () => {
    const naming = (i: number, year: number): SourceObject => {
      const keys = Array.from({ length: 16 }, (_, k) => ({
        name: `k${k}`,
        secretRef: { name: `s-${i}-${k}`, key: 'k' },
      }));
      const object = objectOf('APIConsumer', `c${i}`, { keys });
      return { ...object, metadata: { ...object.metadata, creationTimestamp: `${year}-01-01T00:00:00Z` } };
    };
    const fill = (objects: NamespaceObjects): void => {
      for (let i = 0; i < 32; i += 1) objects.apply('APIConsumer', naming(i, 2100 - i));
    };
    const objects = new NamespaceObjects('shop', { objects: 1000, bytes: 1e9 });
    fill(objects);
    const atStart = objects.secretNames();
    const { problems } = await compile(objects);
    assert.equal(objects.secretNames(), atStart);
    const isFollowed = (name: string): boolean => atStart.has(name);
    assert.deepEqual(
      [atStart.size, ...['s-31-0', 's-1-15', 's-0-3', 's-0-4'].map(isFollowed)],
      [500, true, true, true, false],
    );
    const newest = [...problems].find(([{ metadata }]) => metadata.name === 'c0')?.[1] ?? [];
    assert.deepEqual(
      newest.map(({ reason }) => reason),
      [...Array(4).fill('SecretNotFound'), ...Array(12).fill('QuotaExceeded')],
    );
    assert.deepEqual([newest[4]?.path, newest[4]?.severity], ['spec.keys[4].secretRef', 'reference']);
    objects.delete('APIConsumer', 'c31');
    const { problems: later } = await compile(objects);
    assert.equal(objects.secretNames().size, 31 * 16);
    assert.deepEqual(
      [...later.values()].flat().filter(({ reason }) => reason === 'QuotaExceeded'),
      [],
    );
    const alone = new NamespaceObjects('shop');
    fill(alone);
    await compile(alone);
    assert.equal(alone.secretNames().size, 32 * 16);
  });

  it('takes any role for anybody’s where more bindings are over the budget than it remembers the roles of', async () => {
    const objects = new NamespaceObjects('shop', { objects: 2, bytes: 1e6 });
    objects.apply('APIRole', objectOf('APIRole', 'a', {}));
    objects.apply('APIRole', objectOf('APIRole', 'b', {}));
    const evaluation = anEvaluation();
    assert.equal((await compile(objects)).view.roles.isHeldForDeny('a', evaluation), false);
    for (let i = 0; i < 1001; i += 1)
      objects.apply(
        'APIRoleBinding',
        objectOf('APIRoleBinding', `x${i}`, { roleRef: { name: `r${i}` }, subjects: [] }),
      );
    assert.equal((await compile(objects)).view.roles.isHeldForDeny('a', evaluation), true);
  });

  it('tells nothing of what was thrown at a Secret, for it may hold the key', async () => {
    const objects = new NamespaceObjects('shop');
    objects.apply('APIConsumer', acme);
    const named = objectOf('APIConsumer', 'named', { keys: [{ name: 'k', secretRef: { name: 's', key: 'k' } }] });
    objects.apply('APIConsumer', named);
    const { view, problems } = await objects.compile({
      secrets: () => {
        throw new Error('secret-of-named-0123456789');
      },
      clusterIssuer: undefined,
      breathe: () => undefined,
    });
    assert.equal(typeof view.consumers.find(KEY, 'm', 0), 'object');
    assert.deepEqual(problems.get(named), [
      {
        reason: 'Invalid',
        path: 'spec.keys[0].secretRef',
        message: 'The Secret "s" cannot be read',
        severity: 'reference',
      },
    ]);
  });
});
