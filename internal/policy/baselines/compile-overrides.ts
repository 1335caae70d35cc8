import type { Steps } from '../../core/breather.ts';
import type { Refusal } from '../../core/decision.ts';
import type { ProblemList } from '../../core/problem.ts';
import { PartsBudget } from '../../match/expression/dear-parts.ts';
import type { Expression } from '../../match/expression/expression.ts';
import { compilePathTemplates } from '../../match/path-template.ts';
import type { CallerRequirement } from '../../phases/authn/require-caller.ts';
import { compileAuthorization, type Rule } from '../../phases/authz/compile.ts';
import { type CompiledLimit, compileRateLimits } from '../../phases/ratelimit/compile.ts';
import { checkExpressionSize } from '../expression-size.ts';
import type { Knowledge } from '../knowledge.ts';
import type { ApiBaselineSpec } from '../resource/api-baseline.ts';
import { warnAboutAttributes, warnAboutTls } from '../warn-about-instance.ts';
import { checkReads, warnAboutProof } from './tenants-words.ts';

export type OverridesSpec = NonNullable<ApiBaselineSpec['overrides']>;

/** `overrides` of one baseline: compiled once, shared by all policies that it holds. */
export interface Overrides {
  /** Name of the baseline. Its rules, limits and requirements are called `baseline/name`. */
  readonly by: string;
  readonly denies: readonly Rule[];
  /** Owned by nobody: each policy counts for itself. */
  readonly limits: readonly CompiledLimit[];
  readonly tls: Refusal | undefined;
  readonly caller: CallerRequirement | undefined;
  readonly attributes: ReadonlySet<string>;
}

export interface OverridesContext {
  readonly by: string;
  readonly knows: Knowledge;
  readonly problems: ProblemList;
}

/**
 * Of a policy only that it has some method which may carry scopes: which ones it has is its author's choice. Paths are
 * compared in lower case, as every deny's, whatever a policy's `pathOptions` say.
 */
const ANY_POLICY = Object.freeze({
  methods: [{ name: '', issuer: '', suppliesGroups: false, suppliesScopes: true }],
  params: [],
  caseInsensitive: true,
});

/** Compiles `overrides`; every mistake of the author goes to `problems`. */
export function* compileOverrides(spec: OverridesSpec, { by, knows, problems }: OverridesContext): Steps<Overrides> {
  const attributes = new Set<string>();
  const budget = new PartsBudget();
  const isSmall = checkExpressionSize(spec, 'overrides', problems);
  const denies = isSmall ? yield* compileDenies(spec, { by, budget, attributes, problems }) : [];
  const limits = isSmall ? yield* compileLimits(spec, { by, budget, attributes, problems }) : [];
  const required = spec.require?.authentication;
  const at = problems.at('require');
  const open = required?.publicPathsWithin;
  const openPaths =
    open && compilePathTemplates(open, { caseInsensitive: false }, at.at('authentication').at('publicPathsWithin'));
  warnAboutAttributes(attributes, knows, problems);
  if (spec.require?.tls !== undefined) warnAboutTls(knows, at.at('tls'));
  return Object.freeze({
    by,
    denies,
    limits,
    tls:
      spec.require?.tls &&
      Object.freeze<Refusal>({ reason: 'tls_required', rule: `${by}/require.tls`, detail: 'Use https' }),
    caller: required && Object.freeze({ openPaths, refusal: callerRefusal(by) }),
    attributes,
  });
}

const callerRefusal = (by: string): Refusal =>
  Object.freeze({
    reason: 'authentication_required',
    rule: `${by}/require.authentication`,
    detail: 'Nobody may call this path unknown',
  });

interface PartContext {
  readonly by: string;
  readonly budget: PartsBudget;
  readonly attributes: Set<string>;
  readonly problems: ProblemList;
}

function* compileDenies(
  spec: OverridesSpec,
  { by, budget, attributes, problems }: PartContext,
): Steps<readonly Rule[]> {
  const { rules = [] } = spec.authorization ?? {};
  const at = problems.at('authorization').at('rules');
  const { denies, attributes: read } = yield* compileAuthorization(
    { rules: [...rules] },
    { ...ANY_POLICY, budget },
    problems.at('authorization'),
  );
  for (const name of read) attributes.add(name);
  for (const { name, criteria } of denies) {
    const index = rules.findIndex((rule) => rule.name === name);
    const conditions = at.at(index).at('deny').at('when');
    checkAll(criteria.when, rules[index]?.deny?.when ?? [], conditions);
    for (const expression of criteria.when) warnAboutProof(expression, conditions);
  }
  return Object.freeze(denies.map((rule) => Object.freeze({ ...rule, name: `${by}/${rule.name}` })));
}

function* compileLimits(
  spec: OverridesSpec,
  { by, budget, attributes, problems }: PartContext,
): Steps<readonly CompiledLimit[]> {
  const { rateLimits = [] } = spec;
  const at = problems.at('rateLimits');
  const limits = yield* compileRateLimits(
    // Named for its baseline from the start: in its counters too it is none of a policy's.
    rateLimits.map((limit) => ({ ...limit, name: `${by}/${limit.name}` })),
    { ownerUid: '', namespace: '', params: [], caseInsensitive: true, mode: 'Enforce', issuers: new Set(), budget },
    at,
  );
  for (const { name, key, cost } of limits) {
    const index = rateLimits.findIndex((limit) => `${by}/${limit.name}` === name);
    checkAll(
      key.map(({ expression }) => expression),
      rateLimits[index]?.key ?? [],
      at.at(index).at('key'),
    );
    if (cost !== undefined) checkReads(cost, at.at(index).at('cost').at('expression'));
    for (const { attributes: read } of [
      ...key.map(({ expression }) => expression),
      ...(cost === undefined ? [] : [cost]),
    ])
      for (const attribute of read) attributes.add(attribute);
  }
  return Object.freeze(limits);
}

/** Where one of them did not compile, which was told, the others' places are not known. */
function checkAll(compiled: readonly Expression[], written: readonly unknown[], problems: ProblemList): void {
  if (compiled.length !== written.length) return;
  for (const [index, expression] of compiled.entries()) checkReads(expression, problems.at(index).at('expression'));
}
