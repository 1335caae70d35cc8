import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProblemList } from '../core/problem.ts';
import { compilePathTemplates } from '../match/path-template.ts';
import { type Assignment, assignHosts, type Candidate } from './assign.ts';
import { claimedTarget } from './claimed-target.ts';
import { type CompiledPolicy, type PathOptions, STRICT } from './compiled-policy.ts';
import { FirstCome } from './first-come.ts';

const KEEP: PathOptions = { ...STRICT, semicolon: 'Keep' };

/** As much of a compiled policy as its target. */
function asking(hosts: readonly string[], pathOptions: PathOptions): CompiledPolicy {
  const paths = compilePathTemplates(['/**'], pathOptions, new ProblemList());
  assert.ok(paths);
  const { templates } = claimedTarget(undefined);
  return { target: { hosts, routes: [], templates, paths, pathOptions } } as unknown as CompiledPolicy;
}

interface Given {
  readonly namespace?: string;
  readonly newest: CompiledPolicy | undefined;
  readonly accepted?: CompiledPolicy | undefined;
}

const candidate = ({ namespace = 'shop', newest, accepted }: Given, index: number): Candidate => ({
  meta: { name: `p${String(index).padStart(5, '0')}`, namespace, uid: `u${index}`, generation: 2 },
  newest,
  accepted,
  lapsed: undefined,
  isLapseOnlyTold: false,
  isRestored: false,
  isAudit: false,
  claimed: claimedTarget({ target: { hosts: newest?.target.hosts ?? [] } }),
  recordedHosts: new Set(),
  isRecordedNewest: false,
});

interface Assigned {
  readonly given: readonly Candidate[];
  readonly assignments: readonly (Assignment | undefined)[];
  /** Times that a policy, or a host, was looked at. */
  readonly looks: number;
}

async function assign(policies: readonly Given[]): Promise<Assigned> {
  const given = policies.map(candidate);
  let looks = 0;
  const breathe = () => {
    looks += 1;
    return undefined;
  };
  const found = await assignHosts(given, () => new FirstCome(), breathe);
  return { given, assignments: given.map((one) => found.get(one)), looks };
}

const servesLastGood = ({ given, assignments }: Assigned): readonly boolean[] =>
  given.map(({ accepted }, index) => accepted !== undefined && assignments[index]?.serving === accepted);

/** Each asks for the host of the one before it, and all change their options; the first one's newest is broken. */
const chain = (length: number): Given[] =>
  Array.from({ length }, (_, i) => ({
    accepted: asking([`h${i}.test`], STRICT),
    newest: i === 0 ? undefined : asking([`h${i}.test`, `h${i - 1}.test`], KEEP),
  }));

/**
 * Old and young ones that change their options, and strangers between them in age: an old one that falls back leaves a
 * new host to its stranger, which stops its young one, which keeps a host that the next old one asks for.
 */
const chainByStrangers = (length: number): Given[] => {
  const links = Array.from({ length }, (_, i) => i);
  const changes = (host: string, ...others: string[]): Given => ({
    accepted: asking([host], STRICT),
    newest: asking([host, ...others], KEEP),
  });
  const old = links.map((i) => changes(`old${i}.test`, `new${i}.test`, `young${i - 1}.test`));
  const strangers = links.map((i) => ({ newest: asking([`new${i}.test`], STRICT) }));
  const young = links.map((i) => changes(`young${i}.test`, `new${i}.test`));
  return [{ accepted: asking(['young-1.test'], STRICT), newest: undefined }, ...old, ...strangers, ...young];
};

describe('assignHosts()', () => {
  it('looks at a chain of policies as often as at as many that stand alone, however long it is', async () => {
    const alone = await assign(chain(400).map(({ accepted }) => ({ accepted, newest: accepted })));
    const chained = await assign(chain(400));
    assert.deepEqual(new Set(servesLastGood(chained)), new Set([true]));
    assert.ok(chained.looks <= 3 * alone.looks, `${chained.looks} and ${alone.looks}`);
  });

  it('ends after a bounded number of rounds where policies stop each other by hosts that nobody held', async () => {
    const short = await assign(chainByStrangers(40));
    const long = await assign(chainByStrangers(400));
    assert.ok(long.looks <= 11 * short.looks, `${long.looks} and ${short.looks}`);
    assert.equal(servesLastGood(long).filter(Boolean).length, 801);
  });

  it('lets the hosts of another namespace change their options meanwhile', async () => {
    const others: Given[] = [
      { namespace: 'web', accepted: asking(['web.test'], STRICT), newest: asking(['web.test'], KEEP) },
    ];
    const found = await assign([...chainByStrangers(100), ...others]);
    assert.equal(found.assignments.at(-1)?.serving?.target.pathOptions, KEEP);
  });
});
