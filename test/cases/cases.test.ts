import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import type { Decision } from '../../internal/core/decision.ts';
import { REASONS, type ReasonName } from '../../internal/core/reasons.ts';
import type { Build } from '../../internal/policy/store.ts';
import { type CaseRequest, type Instance, type Loaded, load } from './run-case.ts';

/** One file: objects, and what they make of requests. */
interface CaseFile {
  readonly about: string;
  readonly instance?: Instance;
  readonly objects: string;
  /** `Kind/namespace/name: [reasons of problems]`, for those that have any. */
  readonly problems?: Readonly<Record<string, readonly string[]>>;
  readonly cases: readonly Case[];
}

interface Case {
  readonly name: string;
  /** Objects that change before this case. */
  readonly apply?: string;
  /** Labels of the sidecar's Pod from this case on. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Objects that go before it, `Kind/namespace/name` or `Kind/name`. */
  readonly remove?: readonly string[];
  /** What is then wrong with policies, as in `problems`. */
  readonly problems?: Readonly<Record<string, readonly string[]>>;
  /** Milliseconds that pass before this case. */
  readonly after?: number;
  /** How often it is asked; what is expected is the last answer. */
  readonly times?: number;
  readonly request?: CaseRequest;
  /** The reason alone, or the parts that matter. */
  readonly expect: ReasonName | Expected;
}

interface Expected {
  readonly reason: ReasonName;
  readonly policy?: string;
  readonly rule?: string;
  /** What operators read of why. */
  readonly cause?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly removed?: readonly string[];
  readonly query?: readonly string[];
  readonly answer?: Readonly<Record<string, string>>;
  readonly retryAfter?: number;
  readonly audit?: readonly string[];
}

const FOLDER = import.meta.dirname;

function partsOf(decision: Decision, expected: Expected): Expected {
  const edits = new Map(decision.edits.requestHeaders.map(({ name, value }) => [name, value]));
  const answers = [...decision.edits.responseHeaders, ...decision.answerHeaders];
  return {
    reason: decision.reason,
    ...(expected.policy !== undefined && {
      policy: decision.policy === undefined ? 'none' : `${decision.policy.namespace}/${decision.policy.name}`,
    }),
    ...(expected.rule !== undefined && { rule: decision.refusal?.rule ?? '' }),
    ...(expected.cause !== undefined && { cause: decision.refusal?.cause ?? '' }),
    ...(expected.set !== undefined && { set: Object.fromEntries(edits) }),
    ...(expected.removed !== undefined && {
      removed: [...decision.edits.requestHeadersToRemove].filter((name) => !OVERRIDES.has(name)).sort(),
    }),
    ...(expected.query !== undefined && { query: decision.edits.queryToRemove }),
    ...(expected.answer !== undefined && {
      answer: Object.fromEntries(answers.map(({ name, value }) => [name, value])),
    }),
    ...(expected.retryAfter !== undefined && { retryAfter: decision.refusal?.retryAfterS ?? -1 }),
    ...(expected.audit !== undefined && {
      audit: decision.findings.map((finding) => `${finding.outcome} ${finding.reason}`),
    }),
  };
}

const OVERRIDES = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
]);

/** By object, for those that have any. Many policies here are closed because their case is about something else. */
function problemsIn({ reports }: Build): Readonly<Record<string, readonly string[]>> {
  const problems = reports
    .map((report) => ({ ...report, problems: report.problems.filter(({ reason }) => reason !== 'NobodyAllowed') }))
    .filter((report) => report.problems.length > 0)
    .map(({ object, problems: found }) => [
      `${object.kind}/${object.metadata.namespace}/${object.metadata.name}`,
      found.map((problem) => `${problem.reason} ${problem.path}`),
    ]);
  return Object.fromEntries(problems);
}

async function judge(loaded: Loaded, test: Case): Promise<void> {
  let build: Build | undefined;
  if (test.remove !== undefined) build = await loaded.remove(test.remove);
  if (test.apply !== undefined) build = await loaded.apply(test.apply);
  if (test.labels !== undefined) build = await loaded.relabel(test.labels);
  if (test.problems !== undefined) assert.deepEqual(problemsIn(build ?? loaded.build), test.problems);
  loaded.clock.nowMs += test.after ?? 0;
  const request: CaseRequest = test.request ?? {};
  let checked = await loaded.check(request);
  for (let i = 1; i < (test.times ?? 1); i += 1) checked = await loaded.check(request);
  const expected = typeof test.expect === 'string' ? { reason: test.expect } : test.expect;
  const { decision } = checked;
  assert.deepEqual(partsOf(decision, expected), expected);
  const isAllow = REASONS[expected.reason].kind === 'allow';
  assert.equal(decision.outcome === 'allow', isAllow, 'an allow is an allow, and nothing else is');
}

for (const file of readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .sort()) {
  const cases = parse(readFileSync(join(FOLDER, file), 'utf8')) as CaseFile;
  describe(`${file}: ${cases.about}`, async () => {
    const loaded = await load(cases.objects, cases.instance);
    it('says what is wrong with its objects, and nothing else', () => {
      assert.deepEqual(problemsIn(loaded.build), cases.problems ?? {});
    });
    for (const test of cases.cases) it(test.name, () => judge(loaded, test));
  });
}
