import type { Refusal } from '../../core/decision.ts';
import type { Evaluation, Permit, Step, StepResult } from '../../core/evaluation.ts';
import { inCidrs } from '../../match/cidr.ts';
import { type Expression, isTrue } from '../../match/expression/expression.ts';
import type { Authorization, Criteria, Rule } from './compile.ts';
import { deniedBecause, missingScopes, whyErred, whyNotAllowed } from './explain.ts';

/**
 * How a rule stands to a request. `error`: all else holds, but an expression cannot be evaluated. `scope`: all else
 * holds, but the token lacks a scope.
 */
type Match = 'holds' | 'fails' | 'error' | 'scope';

interface Judged {
  readonly rule: Rule;
  readonly denied: Refusal;
  readonly erred: Refusal;
}

const NOT_ALLOWED: Refusal = Object.freeze({ reason: 'not_allowed' });

/**
 * Deny beats allow, no match is deny, and what is unknown never helps the caller. Rules are judged in the order of
 * their names, but the answer does not depend on it.
 */
export function authorize({ allows, denies }: Authorization): Step {
  const known = steps.get(allows);
  if (known?.denies === denies) return known.step;
  const step = stepOf(allows, denies.map(judgedOf));
  steps.set(allows, { denies, step });
  return step;
}

/** Steps by their rules: policies that share these share them. */
const steps = new WeakMap<readonly Rule[], { readonly denies: readonly Rule[]; readonly step: Step }>();

function stepOf(allows: readonly Rule[], denies: readonly Judged[]): Step {
  return (evaluation) => {
    const refusal = judgeDenies(denies, evaluation, byMode) ?? judgeAllows(allows, evaluation);
    evaluation.readAsTarget();
    return refusal;
  };
}

/** Denies of a platform, which no mode of a policy lifts. They let nobody in: what they do not refuse goes on. */
export function denyInAnyMode(rules: readonly Rule[]): Step {
  const denies = rules.map(judgedOf);
  return (evaluation) => {
    const refusal = judgeDenies(denies, evaluation, inAnyMode);
    evaluation.readAsTarget();
    return refusal;
  };
}

const judgedOf = (rule: Rule): Judged => ({
  rule,
  denied: Object.freeze({ reason: 'denied_by_rule', rule: rule.name, ...deniedBecause(rule) }),
  erred: Object.freeze({ reason: 'expression_error', rule: rule.name }),
});

/** What becomes of the refusal of a rule. */
type Refuse = (evaluation: Evaluation, refusal: Refusal, rule: Rule) => StepResult;

const byMode: Refuse = (evaluation, refusal, { mode }) => evaluation.refuse(refusal, mode);
const inAnyMode: Refuse = (_evaluation, refusal) => refusal;

function judgeDenies(denies: readonly Judged[], evaluation: Evaluation, refuseBy: Refuse): StepResult {
  let erred: Refusal | undefined;
  let erredRule: Rule | undefined;
  for (let i = 0; i < denies.length; i += 1) {
    const judged = denies[i];
    if (judged === undefined) throw new Error('A list of denies has a hole');
    const { rule, denied, erred: error } = judged;
    const match = matchDeny(rule.criteria, evaluation);
    if (match === 'fails') continue;
    const refusal = refuseBy(evaluation, match === 'holds' ? denied : error, rule);
    if (refusal === undefined) continue;
    if (match === 'holds') return refusal;
    if (erred !== undefined) continue;
    erred = refusal;
    erredRule = rule;
  }
  if (erred === undefined || erredRule === undefined) return erred;
  return { ...erred, cause: whyErred(erredRule, evaluation) };
}

function judgeAllows(allows: readonly Rule[], evaluation: Evaluation): StepResult {
  if (evaluation.isPublic) return grant(evaluation, 'public');
  let erred: Rule | undefined;
  let lacking: Rule | undefined;
  for (let i = 0; i < allows.length; i += 1) {
    const rule = allows[i];
    if (rule === undefined) continue;
    const match = matchAllow(rule.criteria, evaluation);
    if (match === 'holds') {
      if (rule.mode === 'Enforce') return grant(evaluation, 'rule');
      evaluation.note({ reason: 'allowed', rule: rule.name, outcome: 'would-allow' });
    }
    if (rule.mode === 'Audit') continue;
    if (match === 'error') erred ??= rule;
    if (match === 'scope') lacking ??= rule;
  }
  if (erred !== undefined) {
    const refusal = refuse(evaluation, { reason: 'expression_error', rule: erred.name });
    return refusal && { ...refusal, cause: whyErred(erred, evaluation) };
  }
  if (lacking?.criteria.scopes !== undefined)
    return refuse(evaluation, insufficientScope(lacking.name, lacking.criteria.scopes, evaluation));
  // Audit only counts: what would not be read is not worked out.
  const refusal = refuse(evaluation, NOT_ALLOWED);
  return refusal && { ...refusal, cause: whyNotAllowed(allows, evaluation) };
}

function grant(evaluation: Evaluation, permit: Permit): undefined {
  evaluation.permit = permit;
}

/** Audit lets go on what no rule lets in: that is a permit too. */
function refuse(evaluation: Evaluation, refusal: Refusal): StepResult {
  return evaluation.refuse(refusal) ?? grant(evaluation, 'audit');
}

/** RFC 6750 §3.1: 403 with the scopes that would do. */
function insufficientScope(rule: string, scopes: readonly string[], evaluation: Evaluation): Refusal {
  return {
    reason: 'insufficient_scope',
    rule,
    challenges: [`Bearer error="insufficient_scope", scope="${scopes.join(' ')}"`],
    cause: missingScopes(scopes, evaluation),
  };
}

function matchAllow(criteria: Criteria, evaluation: Evaluation): Match {
  const { request, identity } = evaluation;
  if (criteria.methods !== undefined && !criteria.methods.has(request.method)) return 'fails';
  const { kept } = request.readings;
  const params = criteria.paths === undefined ? evaluation.targetParams : criteria.paths.match(kept);
  if (params === undefined) return 'fails';
  if (criteria.via !== undefined && !isVia(criteria.via, evaluation)) return 'fails';
  if (criteria.cidrs !== undefined) {
    const { address } = request.client;
    if (address === null || !inCidrs(criteria.cidrs, address)) return 'fails';
  }
  if (criteria.groups !== undefined && !intersects(criteria.groups, identity.groups)) return 'fails';
  if (criteria.roles !== undefined && !isPermittedByAny(criteria.roles, evaluation)) return 'fails';
  evaluation.readAs(kept, params);
  const conditions = judgeOthers(judgeConditions(criteria.when, evaluation), criteria, evaluation);
  if (conditions !== 'holds' || criteria.scopes === undefined) return conditions;
  return criteria.scopes.every((scope) => identity.scopes.includes(scope)) ? 'holds' : 'scope';
}

/** An allow needs every reading of the path, each with its own parameters; `kept` is what the first one gave. */
function judgeOthers(kept: Match, criteria: Criteria, evaluation: Evaluation): Match {
  let match = kept;
  for (const reading of evaluation.request.readings.others) {
    if (match === 'fails') return match;
    const other = judgeReading(criteria, reading, evaluation);
    if (other !== 'holds') match = other;
  }
  return match;
}

/** As in allow, but unknown holds: an unknown client address, a role that nobody defines and nobody binds. */
function matchDeny(criteria: Criteria, evaluation: Evaluation): Match {
  const { request, identity } = evaluation;
  if (criteria.methods !== undefined && !criteria.methods.has(request.method)) return 'fails';
  if (criteria.via !== undefined && !isVia(criteria.via, evaluation)) return 'fails';
  if (criteria.cidrs !== undefined) {
    const { address } = request.client;
    if (address !== null && !inCidrs(criteria.cidrs, address)) return 'fails';
  }
  if (criteria.groups !== undefined && !intersects(criteria.groups, identity.groups)) return 'fails';
  if (criteria.scopes !== undefined && !intersects(criteria.scopes, identity.scopes)) return 'fails';
  if (criteria.roles !== undefined && !isHeldForDeny(criteria.roles, evaluation)) return 'fails';
  return judgeAny(criteria, evaluation);
}

/** A deny matches if any reading of the path does; each with its own parameters. */
function judgeAny(criteria: Criteria, evaluation: Evaluation): Match {
  const { kept, others } = evaluation.request.readings;
  let match = judgeReading(criteria, kept, evaluation);
  for (const reading of others) {
    if (match === 'holds') return match;
    const other = judgeReading(criteria, reading, evaluation);
    if (other !== 'fails') match = other;
  }
  return match;
}

/** Path and conditions by one reading, with the parameters of the rule's own template there, else of the target's. */
function judgeReading({ paths, when }: Criteria, reading: readonly string[], evaluation: Evaluation): Match {
  const params = paths === undefined ? evaluation.targetParamsBy(reading) : paths.match(reading);
  if (params === undefined) return 'fails';
  evaluation.readAs(reading, params);
  return judgeConditions(when, evaluation);
}

/** All must hold; one that is false settles it, whatever others do, so the order of errors cannot matter. */
function judgeConditions(conditions: readonly Expression[], evaluation: Evaluation): Match {
  let match: Match = 'holds';
  for (let i = 0; i < conditions.length; i += 1) {
    const condition = conditions[i];
    const value = condition && isTrue(condition, evaluation);
    if (value === false) return 'fails';
    if (value !== true) match = 'error';
  }
  return match;
}

function isPermittedByAny(roles: readonly string[], evaluation: Evaluation): boolean {
  for (let i = 0; i < roles.length; i += 1) {
    // Only a yes is one: whatever else an index may answer never helps the caller.
    if (evaluation.namespace.roles.permits(roles[i] ?? '', evaluation) === true) return true;
  }
  return false;
}

function isHeldForDeny(roles: readonly string[], evaluation: Evaluation): boolean {
  for (let i = 0; i < roles.length; i += 1) {
    // Only a no is one: whatever else an index may answer never opens a deny.
    if (evaluation.namespace.roles.isHeldForDeny(roles[i] ?? '', evaluation) !== false) return true;
  }
  return false;
}

function isVia(via: ReadonlySet<string>, { identity }: Evaluation): boolean {
  return identity.method !== null && via.has(identity.method);
}

function intersects(wanted: readonly string[], held: readonly string[]): boolean {
  for (const word of held) if (wanted.includes(word)) return true;
  return false;
}
