import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { SourceObject } from '../internal/policy/object.ts';
import type { Build } from '../internal/policy/store.ts';
import { type Instance, type Loaded, load } from './cases/run-case.ts';
import { until } from './components/until.ts';

const HOSTS = Array.from({ length: 64 }, (_, i) => `h${i}.shop.test`);
/** 64 of a policy, and all of them below `/v1`. */
const pathsOf = (name: string): readonly string[] => Array.from({ length: 64 }, (_, i) => `/v1/${name}/p${i}`);

function policy(name: string, target: object, mode = 'Enforce'): SourceObject {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIPolicy',
    metadata: { name, namespace: 'shop', uid: name, generation: 1 },
    spec: {
      target,
      mode,
      authentication: { anonymous: {} },
      authorization: { rules: [{ name: 'all', allow: { any: {} } }] },
    },
  };
}

/** Nine of these are what a namespace may claim at the least. */
const large = (name: string, mode?: string): SourceObject => policy(name, { hosts: HOSTS, paths: pathsOf(name) }, mode);
const NAMES = Array.from({ length: 12 }, (_, i) => `p${String(i).padStart(2, '0')}`);

async function started(objects: readonly SourceObject[], instance: Instance = {}): Promise<Loaded> {
  const namespaceBudget = { policies: 100, bytes: 1_000_000_000 };
  const agent = await load('', { namespaceBudget, unmatched: 'allow', ...instance });
  for (const object of objects) agent.store.apply(object);
  await agent.apply('');
  return agent;
}

const refused = ({ reports }: Build): readonly string[] =>
  reports.filter(({ isAccepted }) => !isAccepted).map(({ object }) => object.metadata.name);
const reasonOf = async ({ check }: Loaded, path: string, host = 'h0.shop.test'): Promise<string> =>
  (await check({ host, path })).decision.reason;

describe('what policies of a namespace claim', () => {
  it('is bounded, as their number is, and what is too much says how much it is and what to do', async () => {
    const agent = await started(NAMES.map((name) => large(name)));
    assert.deepEqual(refused(agent.newest()), NAMES.slice(9));
    assert.deepEqual(agent.newest().reports.at(-1)?.problems, [
      {
        reason: 'QuotaExceeded',
        path: 'spec.target',
        message:
          'Its paths on all of its hosts, and the labels of those, are 4288, and with the policies that serve or are older that is more than the 40000 of the namespace (10 for each of --namespace-policies, and 40000 at the least): claim fewer hosts or paths, with "**" or a wildcard for several, or ask the platform for more',
        severity: 'error',
      },
    ]);
  });

  it('denies, where it is too much, what its paths share, whatever its mode, and no path that an older one governs', async () => {
    for (const mode of ['Enforce', 'Audit']) {
      const agent = await started([
        policy('a', { hosts: ['h0.shop.test'], paths: ['/v1/p11/p3'] }),
        ...NAMES.slice(0, 9).map((name) => large(name)),
        ...NAMES.slice(9).map((name) => large(name, mode)),
      ]);
      assert.equal(await reasonOf(agent, '/v1/p00/p7'), 'allowed');
      assert.equal(await reasonOf(agent, '/v1/p11/p3'), 'allowed');
      assert.equal(await reasonOf(agent, '/v1/p11/p7'), 'no_route');
      assert.equal(await reasonOf(agent, '/v1/p11/p7', 'h63.shop.test'), 'no_route');
      assert.equal(await reasonOf(agent, '/v1/p11/p7', 'free.test'), 'unmatched');
    }
  });

  it('makes room for the oldest that waits when a policy goes, and keeps what serves when one grows', async () => {
    const agent = await started(NAMES.map((name) => large(name)));
    const small = policy('p00', { hosts: ['h0.shop.test'] });
    agent.store.apply({ ...small, metadata: { ...small.metadata, generation: 2 } });
    // What was given up is still held in the build that gives it up.
    await until(() => isDeepStrictEqual(refused(agent.newest()), NAMES.slice(10)));
    const grown = large('p00');
    agent.store.apply({ ...grown, metadata: { ...grown.metadata, generation: 3 } });
    await until(() => isDeepStrictEqual(refused(agent.newest()), ['p00', ...NAMES.slice(10)]));
    assert.equal(await reasonOf(agent, '/other'), 'allowed');
    assert.equal(await reasonOf(agent, '/v1/p09/p7'), 'allowed');
  });
});
