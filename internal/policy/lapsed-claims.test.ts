import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileLabelSelector } from '../match/label-selector.ts';
import type { Candidate } from './assign.ts';
import { claimedTarget } from './claimed-target.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import { HostGrants } from './host-grants.ts';
import { lapseClaims } from './lapsed-claims.ts';

const breathe = (): undefined => undefined;
const WILDCARD = '*.example.org';

/** Nobody but the bank is granted what lies below example.org. */
const grantsNow = (): Promise<HostGrants> =>
  HostGrants.of(
    {
      grants: [
        {
          meta: { name: 'bank', namespace: '', uid: 'g', generation: 1 },
          spec: { hosts: [WILDCARD], paths: ['/**'], namespaceSelector: { matchLabels: { team: 'bank' } } },
          selects: compileLabelSelector({ matchLabels: { team: 'bank' } }),
        },
      ],
      baselines: [],
      labelsOf: (namespace) => ({ team: namespace }),
      reports: [],
      version: 1,
    },
    breathe,
  );

/** A policy that serves this; or, restored, of which a status alone tells that it did. */
function held(namespace: string, host: string, path: string, isRestored = false): Candidate {
  const target = claimedTarget({ target: { hosts: [host], paths: [path] } });
  return {
    meta: { name: host, namespace, uid: `${namespace}/${host}`, generation: 1 },
    newest: undefined,
    accepted: { target } as unknown as CompiledPolicy,
    lapsed: undefined,
    isLapseOnlyTold: false,
    isRestored,
    isAudit: false,
    claimed: target,
    recordedHosts: new Set(isRestored ? [host] : []),
    isRecordedNewest: false,
  };
}

async function lapsing(candidates: readonly Candidate[], maxLooks?: number): Promise<HostGrants> {
  const grants = await grantsNow();
  await lapseClaims(grants, candidates, { isFirst: true, breathe, ...(maxLooks !== undefined && { maxLooks }) });
  return grants;
}

const [v1a] = claimedTarget({ target: { paths: ['/v1/a'] } }).templates;
const isLapsed = (grants: HostGrants, host: string): boolean => v1a !== undefined && grants.on(host).isLapsed(v1a);

describe('lapseClaims(), of what a status alone tells', () => {
  const inside = ['x', 'y'].map((name) => held('told', `${name}.example.org`, '/v1/a', true));
  const holding = ['x', 'y'].map((name) => held('bank', `${name}.example.org`, '/{any}/{other}'));

  const lapsed = (grants: HostGrants): readonly boolean[] =>
    ['x', 'y'].map((name) => isLapsed(grants, `${name}.example.org`));

  it('has nothing lapse of which a neighbour holds more', async () => {
    assert.deepEqual(lapsed(await lapsing([...inside, ...holding])), [false, false]);
    assert.deepEqual(lapsed(await lapsing(inside)), [true, true], 'where no neighbour does, it lapses');
  });

  it('has it lapse where its namespace has no looks left to tell: what denies is the safe side', async () => {
    // Each takes three: its host, and two segments.
    assert.deepEqual(lapsed(await lapsing([...inside, ...holding], 6)), [false, false]);
    assert.deepEqual(lapsed(await lapsing([...inside, ...holding], 3)), [false, true]);
    assert.deepEqual(lapsed(await lapsing([...inside, ...holding], 1)), [true, true]);
  });

  it('leaves a neighbour what it holds where that has no looks left to tell, and looks at no more', async () => {
    const wide = held('told', WILDCARD, '/v2/**', true);
    const beside = ['x', 'y'].map((name) => held('bank', `${name}.example.org`, '/v1/a'));
    const keptApart = async (maxLooks?: number) => [...(await lapsing([wide, ...beside], maxLooks)).hosts()];
    assert.deepEqual(await keptApart(), [WILDCARD], 'what lapses is not in their way');
    assert.deepEqual(await keptApart(1), [WILDCARD, 'y.example.org'], 'the first took the only look');
  });

  it('has each namespace its own looks', async () => {
    const [own] = inside;
    const flood = held('flood', 'y.example.org', '/v1/a', true);
    assert.ok(own);
    assert.deepEqual(lapsed(await lapsing([flood, own, ...holding], 3)), [false, false]);
  });
});
