import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SourceObject } from './object.ts';
import { weigh } from './object-weight.ts';

const objectOf = (kind: string, spec: unknown): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind,
  metadata: { name: 'own', namespace: 'shop', uid: 'u', generation: 1 },
  spec,
});

describe('weigh()', () => {
  it('weighs a consumer by the characters of its spec, whatever parts these have', () => {
    // 20 characters.
    assert.deepEqual(weigh(objectOf('APIConsumer', { groups: ['a', '/'] })), {
      bytes: 1024 + 4 * 20,
      names: [],
      inherits: [],
      isConsumer: true,
    });
  });

  it('weighs a role by its characters, commas, slashes and the names that it inherits', () => {
    const spec = { inherits: [{ name: 'a' }, { name: 'b' }], permissions: [{ paths: ['/v1/x'] }] };
    // 76 characters, 2 commas, 2 slashes, two names.
    assert.deepEqual(weigh(objectOf('APIRole', spec)), {
      bytes: 1024 + 4 * 76 + 512 * (2 + 2 + 2),
      names: ['own', 'a', 'b'],
      inherits: ['a', 'b'],
      isConsumer: false,
    });
  });

  it('weighs a binding so too, with the role that it binds', () => {
    // 38 characters, one comma.
    assert.deepEqual(weigh(objectOf('APIRoleBinding', { roleRef: { name: 'r' }, subjects: [] })), {
      bytes: 1024 + 4 * 38 + 512,
      names: ['r'],
      inherits: [],
      isConsumer: false,
    });
  });
});
