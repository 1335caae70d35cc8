import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ObjectReport } from '../policy/store.ts';
import { withSelectorConflicts } from './selector-conflicts.ts';

const KEEP = { encodedSlash: 'Keep' };
const aReport = (
  name: string,
  matchLabels: object,
  {
    pathOptions = {},
    namespace = 'shop',
    isAccepted = true,
  }: { pathOptions?: object; namespace?: string; isAccepted?: boolean } = {},
): ObjectReport => ({
  object: {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIPolicy',
    metadata: { name, namespace, uid: name, generation: 1 },
    spec: { target: { workloadSelector: { matchLabels }, pathOptions } },
  },
  isAccepted,
  servesLastGood: false,
  servingGeneration: 1,
  isShadowed: false,
  problems: [],
  hosts: [],
});
const warned = (...reports: readonly ObjectReport[]): readonly string[] =>
  withSelectorConflicts(reports).flatMap(({ object, problems }) =>
    problems.map(
      ({ reason, severity, message }) => `${object.metadata.name} ${severity} ${reason} ${/"(.*)"/.exec(message)?.[1]}`,
    ),
  );

describe('withSelectorConflicts()', () => {
  it('warns the younger of two policies that may select one Pod and read its paths unlike', () => {
    const older = aReport('older', { app: 'orders' });
    const says = ['younger warning PathOptionsConflict older'];
    assert.deepEqual(warned(older, aReport('younger', { app: 'orders' }, { pathOptions: KEEP })), says);
    assert.deepEqual(warned(older, aReport('younger', { tier: 'web' }, { pathOptions: KEEP })), says);
  });

  it('says nothing where no Pod can be both, paths are read alike, or one of them does not count', () => {
    const older = aReport('older', { app: 'orders' });
    const unlike = { pathOptions: KEEP };
    assert.deepEqual(warned(older, aReport('b', { app: 'web' }, unlike)), []);
    assert.deepEqual(warned(older, aReport('b', { app: 'orders' }, { pathOptions: { encodedSlash: 'Refuse' } })), []);
    assert.deepEqual(warned(older, aReport('b', { app: 'orders' }, { ...unlike, namespace: 'web' })), []);
    assert.deepEqual(warned(older, aReport('b', { app: 'orders' }, { ...unlike, isAccepted: false })), []);
  });

  it('compares with the oldest hundred of a namespace, so that thousands delay no status', () => {
    const some = Array.from({ length: 99 }, (_, index) => aReport(`p${index}`, { app: `a${index}` }));
    const last = aReport('last', { tier: 'web' });
    const unlike = aReport('unlike', { tier: 'web', app: 'other' }, { pathOptions: KEEP });
    assert.deepEqual(warned(...some, last, unlike), ['unlike warning PathOptionsConflict last']);
    assert.deepEqual(warned(...some, aReport('p99', { app: 'a99' }), last, unlike), []);
  });
});
