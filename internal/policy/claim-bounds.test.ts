import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Candidate } from './assign.ts';
import { boundClaims, extentOf } from './claim-bounds.ts';
import { claimedTarget } from './claimed-target.ts';
import type { CompiledPolicy } from './compiled-policy.ts';

const breathe = () => undefined;
/** The least that a namespace may claim, whatever its policies. */
const MOST = 40_000;

interface Asked {
  readonly namespace?: string;
  readonly hosts?: number;
  readonly paths?: number;
  readonly labels?: string;
}

/** As much of a compiled policy as its target. */
function asking({ hosts = 64, paths = 64, labels = '' }: Asked, at = '/a'): CompiledPolicy {
  const target = {
    hosts: Array.from({ length: hosts }, (_, i) => `h${i}${labels}.test`),
    paths: Array.from({ length: paths }, (_, i) => `${at}/p${i}`),
  };
  return { target: { ...claimedTarget({ target }), paths: undefined } } as unknown as CompiledPolicy;
}

function candidate(namespace: string, index: number, more: Partial<Candidate>): Candidate {
  const { target } = more.newest ?? more.accepted ?? {};
  return {
    meta: { name: `p${index}`, namespace, uid: `${namespace}/${index}`, generation: 2 },
    newest: undefined,
    accepted: undefined,
    lapsed: undefined,
    isLapseOnlyTold: false,
    isRestored: false,
    isAudit: false,
    claimed: claimedTarget({ target: { hosts: target?.hosts, paths: target?.templates.map(({ source }) => source) } }),
    recordedHosts: new Set(),
    isRecordedNewest: false,
    ...more,
  };
}

const many = (
  count: number,
  namespace: string,
  more: (policy: CompiledPolicy) => Partial<Candidate>,
  asked: Asked = {},
) => Array.from({ length: count }, (_, i) => candidate(namespace, i, more(asking(asked))));

async function bound(given: readonly Candidate[]): Promise<{
  readonly all: readonly Candidate[];
  readonly reasons: readonly string[];
}> {
  const found = await boundClaims(new Map(given.map((one) => [one, one.meta.name])), 1, breathe);
  const all = [...found.candidates.keys()];
  assert.deepEqual(
    [...found.candidates.values()],
    given.map(({ meta }) => meta.name),
    'in the order given',
  );
  return { all, reasons: all.flatMap((one) => found.problemsOf(one).map(({ reason, path }) => `${reason} ${path}`)) };
}

/** What is entered for the policies of a namespace in a build, whichever of their specs it is. */
const entered = (all: readonly Candidate[], namespace: string): number =>
  all
    .filter(({ meta }) => meta.namespace === namespace)
    .reduce((sum, { newest, accepted, claimed }) => sum + extentOf(newest?.target ?? accepted?.target ?? claimed), 0);

describe('boundClaims()', () => {
  it('has a namespace enter a bounded number of paths on hosts, however many policies it writes, and no other less', async () => {
    for (const count of [60, 600]) {
      const { all, reasons } = await bound([
        ...many(count, 'evil', (newest) => ({ newest })),
        ...many(5, 'bank', (newest) => ({ newest })),
      ]);
      assert.ok(entered(all, 'evil') <= 2 * MOST, `${entered(all, 'evil')} of ${count}`);
      assert.equal(all.filter(({ meta, newest }) => meta.namespace === 'bank' && newest !== undefined).length, 5);
      assert.equal(reasons.length, count - Math.floor(MOST / (64 * 64 + 128)));
      assert.deepEqual(new Set(reasons), new Set(['QuotaExceeded spec.target']));
    }
  });

  it('counts what can not be compiled, and the labels of hosts', async () => {
    const broken = await bound(many(600, 'evil', (policy) => ({ claimed: claimedOf(policy) })));
    assert.ok(entered(broken.all, 'evil') <= 2 * MOST);
    assert.deepEqual(broken.reasons, [], 'it is told what is wrong with it');
    const deep = await bound(many(600, 'evil', (newest) => ({ newest }), { paths: 1, labels: '.a'.repeat(100) }));
    assert.ok(entered(deep.all, 'evil') <= 2 * MOST);
  });

  it('refuses what is new before what serves, and what nobody knew before what status tells', async () => {
    const serving = many(9, 'shop', (accepted) => ({ accepted, newest: accepted }));
    const [recorded] = many(1, 'shop', (newest) => ({ newest, isRecordedNewest: true }), { hosts: 10 });
    const [fresh] = many(1, 'shop', (newest) => ({ newest }), { hosts: 40 });
    assert.ok(recorded && fresh);
    const { all } = await bound([fresh, recorded, ...serving]);
    assert.deepEqual(
      all.map(({ newest }) => newest !== undefined),
      [false, true, ...serving.map(() => true)],
    );
  });

  it('keeps the last good spec of an update that claims too much, and drops nothing that serves', async () => {
    const accepted = asking({ hosts: 1, paths: 1 });
    const [first, ...others] = many(9, 'shop', (policy) => ({ accepted: policy, newest: policy }));
    assert.ok(first);
    const update = candidate('shop', 9, { accepted, newest: asking({}) });
    const { all, reasons } = await bound([update, first, ...others]);
    assert.deepEqual([all[0]?.accepted, all[0]?.newest, reasons], [accepted, undefined, ['QuotaExceeded spec.target']]);
    assert.ok(all.slice(1).every(({ newest }) => newest !== undefined));
  });

  it('has what is too much deny by its hosts and what its paths share, where its target is not whole', async () => {
    const { all } = await bound(many(10, 'shop', (newest) => ({ newest })));
    const last = all.at(-1)?.claimed;
    assert.deepEqual(
      [last?.hosts.length, last?.templates.map(({ source }) => source), last?.isWhole],
      [64, ['/a/**'], false],
    );
    assert.deepEqual(last && [...last.guessed], last?.templates);
  });

  it('drops a recorded spec that claims too much, so that forged records make no build last', async () => {
    const { all } = await bound(many(60, 'evil', (accepted) => ({ accepted, isRestored: true })));
    assert.ok(entered(all, 'evil') <= 2 * MOST);
    assert.equal(all.filter(({ accepted, isRestored }) => accepted === undefined && isRestored).length, 0);
  });

  it('bounds nothing where there is no budget', async () => {
    const given = many(60, 'evil', (newest) => ({ newest }));
    const { candidates } = await boundClaims(new Map(given.map((one) => [one, 0])), undefined, breathe);
    assert.deepEqual([...candidates.keys()], given);
  });
});

function claimedOf({ target }: CompiledPolicy): Candidate['claimed'] {
  return claimedTarget({ target: { hosts: target.hosts, paths: target.templates.map(({ source }) => source) } });
}
