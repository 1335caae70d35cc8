import type { Refusal } from '../../core/decision.ts';
import type { Evaluation, Step, StepResult } from '../../core/evaluation.ts';
import { inCidrs } from '../../match/cidr.ts';
import { isTrue } from '../../match/expression/expression.ts';
import { matchesAll, type PathMatcher } from '../../match/path-template.ts';
import type { Authorization, Criteria, Rule } from './compile.ts';

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
export function authorize(authorization: Authorization): Step {
  const denies: readonly Judged[] = authorization.denies.map((rule) => ({
    rule,
    denied: Object.freeze({ reason: 'denied_by_rule', rule: rule.name }),
    erred: Object.freeze({ reason: 'expression_error', rule: rule.name }),
  }));
  const { allows } = authorization;
  return (evaluation) => {
    const targetParams = evaluation.params;
    const denied = judgeDenies(denies, evaluation);
    evaluation.params = targetParams;
    const refusal = denied ?? judgeAllows(allows, evaluation);
    evaluation.params = targetParams;
    return refusal;
  };
}

function judgeDenies(denies: readonly Judged[], evaluation: Evaluation): StepResult {
  let erred: Refusal | undefined;
  const targetParams = evaluation.params;
  for (const { rule, denied, erred: error } of denies) {
    evaluation.params = targetParams;
    const match = matchDeny(rule.criteria, evaluation);
    if (match === 'fails') continue;
    const refusal = evaluation.refuse(match === 'holds' ? denied : error, rule.mode);
    if (refusal === undefined) continue;
    if (match === 'holds') return refusal;
    erred ??= refusal;
  }
  return erred;
}

function judgeAllows(allows: readonly Rule[], evaluation: Evaluation): StepResult {
  if (evaluation.isPublic) return undefined;
  let erred: string | undefined;
  let scopes: readonly string[] | undefined;
  const targetParams = evaluation.params;
  for (const rule of allows) {
    evaluation.params = targetParams;
    const match = matchAllow(rule.criteria, evaluation);
    if (match === 'holds') {
      if (rule.mode === 'Enforce') return undefined;
      evaluation.note({ reason: 'allowed', rule: rule.name, outcome: 'would-allow' });
    }
    if (rule.mode === 'Audit') continue;
    if (match === 'error') erred ??= rule.name;
    if (match === 'scope') scopes ??= rule.criteria.scopes;
  }
  if (erred !== undefined) return evaluation.refuse({ reason: 'expression_error', rule: erred });
  return evaluation.refuse(scopes === undefined ? NOT_ALLOWED : insufficientScope(scopes));
}

/** RFC 6750 §3.1: 403 with the scopes that would do. */
function insufficientScope(scopes: readonly string[]): Refusal {
  return {
    reason: 'insufficient_scope',
    challenges: [`Bearer error="insufficient_scope", scope="${scopes.join(' ')}"`],
  };
}

function matchAllow(criteria: Criteria, evaluation: Evaluation): Match {
  const { request, identity } = evaluation;
  if (criteria.methods !== undefined && !criteria.methods.has(request.method)) return 'fails';
  if (criteria.paths !== undefined) {
    const params = matchesAll(criteria.paths, request.readings);
    if (params === undefined) return 'fails';
    evaluation.params = params;
  }
  if (criteria.via !== undefined && !isVia(criteria.via, evaluation)) return 'fails';
  if (criteria.cidrs !== undefined) {
    const { address } = request.client;
    if (address === null || !inCidrs(criteria.cidrs, address)) return 'fails';
  }
  if (criteria.groups !== undefined && !intersects(criteria.groups, identity.groups)) return 'fails';
  if (
    criteria.roles !== undefined &&
    // Only a yes is one: whatever else an index may answer never helps the caller.
    !criteria.roles.some((role) => evaluation.namespace.roles.permits(role, evaluation) === true)
  ) {
    return 'fails';
  }
  const conditions = judgeConditions(criteria, evaluation);
  if (conditions !== 'holds' || criteria.scopes === undefined) return conditions;
  return criteria.scopes.every((scope) => identity.scopes.includes(scope)) ? 'holds' : 'scope';
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
  const { roles } = evaluation.namespace;
  if (criteria.roles !== undefined && !criteria.roles.some((role) => roles.isHeldForDeny(role, evaluation) !== false))
    return 'fails';
  if (criteria.paths === undefined) return judgeConditions(criteria, evaluation);
  return judgeReadings(criteria, criteria.paths, evaluation);
}

/** A deny matches if any reading of the path does; each with its own parameters. */
function judgeReadings(criteria: Criteria, paths: PathMatcher, evaluation: Evaluation): Match {
  const { kept, others } = evaluation.request.readings;
  let match = judgeReading(criteria, paths.match(kept), evaluation);
  for (const reading of others) {
    if (match === 'holds') return match;
    const other = judgeReading(criteria, paths.match(reading), evaluation);
    if (other !== 'fails') match = other;
  }
  return match;
}

function judgeReading(
  criteria: Criteria,
  params: ReadonlyMap<string, string> | undefined,
  evaluation: Evaluation,
): Match {
  if (params === undefined) return 'fails';
  evaluation.params = params;
  return judgeConditions(criteria, evaluation);
}

/** All must hold; one that is false settles it, whatever others do, so the order of errors cannot matter. */
function judgeConditions(criteria: Criteria, evaluation: Evaluation): Match {
  let match: Match = 'holds';
  for (const condition of criteria.when) {
    const value = isTrue(condition, evaluation);
    if (value === false) return 'fails';
    if (value !== true) match = 'error';
  }
  return match;
}

function isVia(via: ReadonlySet<string>, { identity }: Evaluation): boolean {
  return identity.method !== null && via.has(identity.method);
}

function intersects(wanted: readonly string[], held: readonly string[]): boolean {
  for (const word of held) if (wanted.includes(word)) return true;
  return false;
}
