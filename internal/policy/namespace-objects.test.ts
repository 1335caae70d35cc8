import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { anEvaluation } from '../core/evaluation.fixture.ts';
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

  it('asks for no Secret that only consumers over the budget name, until there is room', async () => {
    const objects = new NamespaceObjects('shop', { objects: 2, bytes: 1e6 });
    const naming = (name: string): SourceObject =>
      objectOf('APIConsumer', name, { keys: [{ name: 'k', secretRef: { name: `s-${name}`, key: 'k' } }] });
    for (const name of ['c', 'a', 'b']) objects.apply('APIConsumer', naming(name));
    const { problems } = await compile(objects);
    assert.deepEqual([...objects.secretNames()].sort(), ['s-a', 's-b']);
    const told = [...problems].map(([{ metadata }, [first]]) => [metadata.name, first?.reason]);
    assert.deepEqual(told.sort(), [
      ['a', 'SecretNotFound'],
      ['b', 'SecretNotFound'],
      ['c', 'QuotaExceeded'],
    ]);
    objects.delete('APIConsumer', 'a');
    await compile(objects);
    assert.deepEqual([...objects.secretNames()].sort(), ['s-b', 's-c']);
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
