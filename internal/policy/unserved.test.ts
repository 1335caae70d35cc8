import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Problem } from '../core/problem.ts';
import { unservedText } from './unserved.ts';
import { THIS_WORKLOAD } from './workload.ts';

const said = (spec: unknown, hosts: readonly string[] = [], problems: readonly Problem[] = []): string =>
  unservedText({ object: { apiVersion: 'v', kind: 'APIPolicy', metadata: METADATA, spec }, hosts, problems });
const METADATA = { name: 'orders', namespace: 'shop', uid: 'u', generation: 1 };

describe('unservedText()', () => {
  it('says what is refused of the hosts that a policy keeps, and passes in Audit', () => {
    const target = { hosts: ['a.test', 'held.test'] };
    assert.deepEqual(
      [said({ target }, ['a.test']), said({ target, mode: 'Audit' }, ['a.test', 'b.test'])],
      ['what it claims of "a.test" is refused', 'what it claims of "a.test", "b.test" passes unchecked'],
    );
    assert.equal(said({}, ['a', 'b', 'c', 'd', 'e']), 'what it claims of "a", "b", "c" and 2 more is refused');
  });

  it('says which baselines hold what passes in Audit', () => {
    const object = { apiVersion: 'v', kind: 'APIPolicy', metadata: METADATA, spec: { mode: 'Audit' } };
    assert.equal(
      unservedText({ object, hosts: ['a.test'], problems: [], heldBy: ['platform', 'pci'] }),
      'what it claims of "a.test" passes where the overrides of "platform", "pci" let it',
    );
  });

  it('says nothing of hosts that older policies govern, in Audit neither, whose paths do not pass unchecked', () => {
    const object = { apiVersion: 'v', kind: 'APIPolicy', metadata: METADATA, spec: { mode: 'Audit' } };
    const hosts = ['a.test', 'b.test'];
    assert.deepEqual(
      [['a.test'], hosts].map((shadowedHosts) => unservedText({ object, hosts, shadowedHosts, problems: [] })),
      ['what it claims of "b.test" passes unchecked', 'it governs nothing beside older policies'],
    );
  });

  it('speaks of this Pod in a sidecar, which has no hosts', () => {
    assert.equal(said({}, [THIS_WORKLOAD]), 'what it claims of the requests to this Pod is refused');
  });

  it('speaks of routes where it has no hosts, and of nothing where others hold them all', () => {
    assert.equal(said({ target: { routes: [{ name: 'orders' }] } }), 'what comes by its routes is refused');
    for (const spec of [{ target: { hosts: ['held.test'] } }, {}, undefined, 'text'])
      assert.equal(said(spec), 'it governs nothing');
  });

  it('speaks of Pods in a sidecar class, and of nothing where no class has any', () => {
    const spec = { target: { workloadSelector: { matchLabels: { app: 'orders' } } } };
    assert.equal(said(spec), 'what comes to the Pods that it selects is refused');
    const problem = { reason: 'TargetNotSupported', path: 'spec.target', message: 'm', severity: 'error' } as const;
    assert.equal(said(spec, [], [problem]), 'it governs nothing');
  });
});
