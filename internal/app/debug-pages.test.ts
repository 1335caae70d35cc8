import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MemoryStore } from '../counters/memory-store.ts';
import type { ObjectReport } from '../policy/store.ts';
import { debugPages } from './debug-pages.ts';
import type { PolicySourceAdapter } from './source.ts';

const REPORT: ObjectReport = {
  object: {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIPolicy',
    metadata: { name: 'orders', namespace: 'shop', uid: 'u', generation: 3 },
  },
  isAccepted: false,
  servesLastGood: false,
  servingGeneration: undefined,
  isShadowed: true,
  problems: [],
  hosts: ['a.test'],
  isLapsed: true,
  heldBy: ['platform'],
};
const ADDED = { reason: 'SchemaOutdated', path: '', message: 'outdated', severity: 'warning' } as const;

/** A source that knows nothing of its own, but for what is given. */
const sourceOf = (parts: Partial<PolicySourceAdapter>): PolicySourceAdapter => ({
  secrets: () => () => ({ reason: 'SecretNotFound', message: '' }),
  start: () => Promise.resolve(),
  report: () => undefined,
  problems: () => [],
  stop: () => Promise.resolve(),
  ...parts,
});

const shown = (parts: Partial<PolicySourceAdapter>): unknown => {
  const counters = new MemoryStore({ maxKeys: 10, onEvict: () => undefined });
  const pages = debugPages({ reports: () => [REPORT], version: () => 7, source: sourceOf(parts), counters });
  return pages.get('/debug/policies')?.();
};

const OBJECT = {
  kind: 'APIPolicy',
  name: 'shop/orders',
  generation: 3,
  accepted: false,
  servesLastGood: false,
  servingGeneration: null,
  shadowed: true,
  lapsed: true,
  hosts: ['a.test'],
  heldBy: ['platform'],
  problems: [],
};

it('shows who is never asked, who lost a grant and who is held', () => {
  assert.deepEqual(shown({}), { snapshot: 7, objects: [OBJECT], sourceProblems: [] });
});

it('shows the same problems as the status, also those that only the source knows', () => {
  const reports = (): readonly ObjectReport[] => [{ ...REPORT, problems: [ADDED] }];
  assert.deepEqual(shown({ reports }), {
    snapshot: 7,
    objects: [{ ...OBJECT, problems: [ADDED] }],
    sourceProblems: [],
  });
});
