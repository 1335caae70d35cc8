import type { BlockList } from 'node:net';
import type { Steps } from '../../core/breather.ts';
import type { Mode } from '../../core/evaluation.ts';
import type { ProblemList } from '../../core/problem.ts';
import { compileCidrs } from '../../match/cidr.ts';
import type { PartsBudget } from '../../match/expression/dear-parts.ts';
import { compileExpression, type Expression, type ExpressionUse } from '../../match/expression/expression.ts';
import { compilePathTemplates, type PathMatcher } from '../../match/path-template.ts';
import { sharedRules } from './shared-rules.ts';
import { checkSources, type MethodFacts, warnAboutSubject, warnAboutWords } from './sources.ts';
import type { AuthorizationSpec, RuleSpec } from './spec.ts';

export interface AuthorizationContext {
  readonly methods: readonly MethodFacts[];
  /** Parameters that every template of the target has. */
  readonly params: readonly string[];
  readonly caseInsensitive: boolean;
  /** What the policy's expressions may use together. */
  readonly budget?: PartsBudget;
}

export interface Criteria {
  readonly methods: ReadonlySet<string> | undefined;
  readonly paths: PathMatcher | undefined;
  readonly roles: readonly string[] | undefined;
  readonly groups: readonly string[] | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly via: ReadonlySet<string> | undefined;
  readonly cidrs: BlockList | undefined;
  readonly when: readonly Expression[];
  /** The author's own words, for who asks why it does not hold. */
  readonly words: CriteriaWords;
}

export interface CriteriaWords {
  readonly paths: readonly string[] | undefined;
  readonly cidrs: readonly string[] | undefined;
  /** What `when` says of its conditions, each at the index of its condition. */
  readonly messages: readonly (string | undefined)[];
}

export interface Rule {
  readonly name: string;
  readonly mode: Mode;
  readonly criteria: Criteria;
}

export interface Authorization {
  readonly allows: readonly Rule[];
  readonly denies: readonly Rule[];
  /** Roles that rules name, with the rule's field path: whether they exist is the snapshot's to say. */
  readonly roleRefs: readonly { readonly role: string; readonly at: ProblemList }[];
  readonly attributes: ReadonlySet<string>;
}

const byName = (a: Rule, b: Rule): number => (a.name < b.name ? -1 : 1);

/** Compiles `authorization`; every mistake of the author goes to `problems`. */
export function* compileAuthorization(
  spec: AuthorizationSpec | undefined,
  context: AuthorizationContext,
  problems: ProblemList,
): Steps<Authorization> {
  const before = problems.problems.length;
  const allows: Rule[] = [];
  const denies: Rule[] = [];
  const roleRefs: { role: string; at: ProblemList }[] = [];
  const attributes = new Set<string>();
  for (const [index, rule] of (spec?.rules ?? []).entries()) {
    const at = problems.at('rules').at(index);
    yield;
    const compiled = yield* compileRule(rule, context, at);
    if (compiled === undefined) continue;
    (rule.deny === undefined ? allows : denies).push(compiled);
    for (const [position, role] of (compiled.criteria.roles ?? []).entries()) {
      roleRefs.push({
        role,
        at: at
          .at(rule.deny === undefined ? 'allow' : 'deny')
          .at('roles')
          .at(position),
      });
    }
    for (const expression of compiled.criteria.when) for (const name of expression.attributes) attributes.add(name);
    if (compiled.criteria.cidrs !== undefined) attributes.add('client.address');
  }
  const made = { allows: allows.sort(byName), denies: denies.sort(byName) };
  // What is wrong with a rule may have left it wider than it is written.
  const isFlawless = problems.problems.length === before;
  const rules = spec !== undefined && isFlawless ? sharedRules(spec, context, made) : made;
  return Object.freeze({ allows: rules.allows, denies: rules.denies, roleRefs, attributes });
}

function* compileRule(rule: RuleSpec, context: AuthorizationContext, problems: ProblemList): Steps<Rule | undefined> {
  const spec = rule.allow ?? rule.deny;
  if (spec === undefined) return undefined;
  const at = problems.at(rule.allow === undefined ? 'deny' : 'allow');
  // `/ADMIN` is `/admin` to many upstreams: a deny never depends on the case.
  const caseInsensitive = rule.deny !== undefined || context.caseInsensitive;
  const paths = spec.paths && compilePathTemplates(spec.paths, { caseInsensitive }, at.at('paths'));
  const params = spec.paths === undefined ? context.params : (paths?.parameters ?? []);
  const { methods } = context;
  checkSources(spec, { methods, isDeny: rule.deny !== undefined }, at);
  const when = yield* compileConditions(rule, { ...context, params }, at.at('when'));
  if (when.length === spec.when?.length) {
    for (const warn of [warnAboutWords, warnAboutSubject]) warn(when, { via: spec.via, methods }, at.at('when'));
  }
  const criteria: Criteria = {
    methods: spec.methods && new Set(spec.methods),
    paths,
    roles: spec.roles,
    groups: spec.groups,
    scopes: spec.scopes,
    via: spec.via && new Set(spec.via),
    cidrs: spec.cidrs && compileCidrs(spec.cidrs, at.at('cidrs')),
    when,
    words: Object.freeze({
      paths: spec.paths,
      cidrs: spec.cidrs,
      messages: (spec.when ?? []).map(({ message }) => message),
    }),
  };
  return Object.freeze({ name: rule.name, mode: rule.mode ?? 'Enforce', criteria: Object.freeze(criteria) });
}

function* compileConditions(
  { allow, deny }: RuleSpec,
  { params, caseInsensitive, budget }: AuthorizationContext,
  problems: ProblemList,
): Steps<Expression[]> {
  const use: ExpressionUse = { result: 'bool', params, use: 'condition', caseInsensitive, ...(budget && { budget }) };
  const conditions: Expression[] = [];
  for (const [index, { expression }] of ((allow ?? deny)?.when ?? []).entries()) {
    const at = problems.at(index).at('expression');
    const compiled = yield* compileExpression(expression, use, at);
    if (compiled === undefined) continue;
    conditions.push(compiled);
    if (deny !== undefined && !caseInsensitive && compiled.attributes.has('request.path')) {
      at.warn(
        'CaseSensitivePath',
        'The expression reads request.path as it was sent, but many upstreams serve /ADMIN for /admin: write paths: instead, which match whatever the case',
      );
    }
  }
  return conditions;
}
