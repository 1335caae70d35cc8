import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { ApiServer } from '../components/api-server.ts';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { post, type SentObject, startCrdCluster } from './crd-cluster.ts';
import type { FullSpec } from './full-specs.ts';
import { mutatedSpec } from './mutated-spec.ts';
import { valuesOf } from './spec-places.ts';
import { isTakenByAgent } from './taken-by-agent.ts';

/** The same specs each time; another seed is another two hundred and eighty of them. */
const SEED = 20261124;
const SPECS = 280;

/** Where the agent may refuse what the API server takes, and why. There is no exception the other way round. */
const STRICTER: readonly { readonly why: string; readonly holds: (spec: unknown) => boolean }[] = [
  {
    why: 'the API server drops a null before it looks; in a file a null is a field that was forgotten',
    holds: (spec) => [...valuesOf(spec)].some(([, value]) => value === null),
  },
];

type Verdict = 'both take it' | 'both refuse it' | 'an exception' | 'they disagree';

describe('the API server and the agent', async () => {
  const found = await obtainKubernetes();
  let api: ApiServer;

  before(async () => {
    if ('path' in found) api = await startCrdCluster(found.path);
  });
  after(async () => api?.stop());

  async function verdict({ kind, spec }: FullSpec): Promise<Verdict> {
    const object: SentObject = { kind, name: 'mutated', spec };
    const isTaken = (await post(api, object)) === undefined;
    if (isTaken === isTakenByAgent(object)) return isTaken ? 'both take it' : 'both refuse it';
    return isTaken && STRICTER.some(({ holds }) => holds(spec)) ? 'an exception' : 'they disagree';
  }

  it('agree on specs that are nearly right', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const counts = new Map<Verdict, number>();
    for (const full of fc.sample(mutatedSpec(), { numRuns: SPECS, seed: SEED })) {
      const outcome = await verdict(full);
      assert.notEqual(outcome, 'they disagree', JSON.stringify(full));
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    t.diagnostic(JSON.stringify(Object.fromEntries(counts)));
    // A generator that makes only wrong specs would prove little.
    for (const outcome of ['both take it', 'both refuse it'] as const)
      assert.ok((counts.get(outcome) ?? 0) > SPECS / 10, outcome);
  });
});
