// Why authorization refuses, for operators alone. Worked out when a refusal is made and never for an allow; in words of
// the policy, with nothing of the request but its method.
import type { Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { bounded, describeError } from '../../core/explanation.ts';
import { ExpressionError } from '../../core/expression-error.ts';
import { isSpent } from '../../core/meter.ts';
import { inCidrs } from '../../match/cidr.ts';
import { isTrue } from '../../match/expression/expression.ts';
import type { Criteria, Rule } from './compile.ts';

/** Most allow rules that are explained: their conditions are evaluated once more, on the meter of the same check. */
const MAX_RULES = 8;
/** Most words of a list that are named. */
const MAX_WORDS = 4;
const MAX_WORD = 64;
const MAX_METHOD = 64;
/** The record of a decision cuts what is longer; here whole rules are left out instead. */
const MAX_LENGTH = 480;

const UNEXPLAINED = 'it could not be explained';

/** What the conditions of a deny say of themselves, all of them when it holds. */
export function deniedBecause({ criteria }: Rule): Pick<Refusal, 'cause'> {
  const said = criteria.words.messages.filter((message) => message !== undefined);
  return said.length === 0 ? {} : { cause: bounded(said.join('; '), MAX_LENGTH) };
}

/** For each enforced allow rule the first criterion that fails; those for this path come first, then for this method. */
export function whyNotAllowed(allows: readonly Rule[], evaluation: Evaluation): string {
  const enforced = allows.filter(({ mode }) => mode === 'Enforce');
  if (enforced.length === 0) return 'the policy has no allow rule that is enforced';
  try {
    return explainAll(enforced, evaluation);
  } catch {
    // An explanation never changes the answer.
    return UNEXPLAINED;
  }
}

function explainAll(rules: readonly Rule[], evaluation: Evaluation): string {
  const { method, readings } = evaluation.request;
  const onPath = (rule: Rule): boolean =>
    rule.criteria.paths === undefined || rule.criteria.paths.match(readings.kept) !== undefined;
  const onMethod = (rule: Rule): boolean => rule.criteria.methods?.has(method) ?? true;
  const [near, far] = parted(rules, onPath);
  const ranked = [...parted(near, onMethod).flat(), ...far];
  const texts = ranked.slice(0, MAX_RULES).map((rule) => `${rule.name}: ${whyNot(rule.criteria, evaluation)}`);
  let said = '';
  let count = 0;
  for (const text of texts) {
    if (count > 0 && said.length + text.length > MAX_LENGTH) break;
    said = count === 0 ? bounded(text, MAX_LENGTH) : `${said}; ${text}`;
    count += 1;
  }
  const left = rules.length - count;
  return left === 0 ? said : `${said}; and ${left} more`;
}

/** The first expression of a rule that has no value, and why; by each reading of the path. */
export function whyErred({ criteria }: Rule, evaluation: Evaluation): string {
  try {
    const { kept, others } = evaluation.request.readings;
    for (const reading of [kept, ...others]) {
      if (!readsBy(criteria, reading, evaluation)) continue;
      const erred = firstError(criteria, evaluation);
      if (erred !== undefined) return erred;
    }
    return UNEXPLAINED;
  } catch {
    return UNEXPLAINED;
  }
}

/** The scopes of a rule that the token has not. */
export function missingScopes(scopes: readonly string[], { identity }: Evaluation): string {
  return notHeld(
    'scope',
    scopes.filter((scope) => !identity.scopes.includes(scope)),
  );
}

function parted(rules: readonly Rule[], isFirst: (rule: Rule) => boolean): readonly [Rule[], Rule[]] {
  return [rules.filter(isFirst), rules.filter((rule) => !isFirst(rule))];
}

/** The first criterion of a rule that fails. */
function whyNot(criteria: Criteria, evaluation: Evaluation): string {
  const { identity, request } = evaluation;
  const { methods, paths, via, cidrs, groups, roles, scopes, words } = criteria;
  if (paths !== undefined && paths.match(request.readings.kept) === undefined)
    return `the path is not among ${listed(words.paths ?? [])}`;
  if (methods !== undefined && !methods.has(request.method))
    return `method ${bounded(request.method, MAX_METHOD)} is not among ${listed([...methods])}`;
  if (via !== undefined && (identity.method === null || !via.has(identity.method)))
    return `the caller was not proved by ${listed([...via])}`;
  if (cidrs !== undefined) {
    const { address } = request.client;
    if (address === null) return "the client's address is unknown";
    if (!inCidrs(cidrs, address)) return `the client's address is not in ${listed(words.cidrs ?? [])}`;
  }
  if (groups !== undefined && !groups.some((group) => identity.groups.includes(group))) return notHeld('group', groups);
  if (roles !== undefined && !roles.some((role) => evaluation.namespace.roles.permits(role, evaluation) === true))
    return whyNoRole(roles, evaluation);
  const condition = whyNoCondition(criteria, evaluation);
  if (condition !== undefined) return condition;
  return scopes === undefined ? UNEXPLAINED : missingScopes(scopes, evaluation);
}

function whyNoRole(roles: readonly string[], evaluation: Evaluation): string {
  const held = evaluation.namespace.roles.rolesOf(evaluation);
  if (held instanceof ExpressionError) return held.message;
  const own = roles.filter((role) => held.includes(role));
  if (own.length === 0) return notHeld('role', roles);
  if (isSpent(evaluation)) return `role ${quoted(own)} is held, but its permissions are more than a check may look at`;
  return `role ${quoted(own)} is held, but does not permit this policy, method and path`;
}

function whyNoCondition(criteria: Criteria, evaluation: Evaluation): string | undefined {
  const { kept, others } = evaluation.request.readings;
  for (const reading of [kept, ...others]) {
    if (!readsBy(criteria, reading, evaluation))
      return `another reading of the path is not among ${listed(criteria.words.paths ?? [])}`;
    for (const [index, condition] of criteria.when.entries()) {
      if (isTrue(condition, evaluation) !== false) continue;
      return criteria.words.messages[index] ?? `false: ${bounded(condition.source)}`;
    }
    const erred = firstError(criteria, evaluation);
    if (erred !== undefined) return erred;
  }
  return undefined;
}

/** Lets expressions read the path by one reading, as where the rule was judged; false where the rule has none. */
function readsBy({ paths }: Criteria, reading: readonly string[], evaluation: Evaluation): boolean {
  const params = paths === undefined ? evaluation.targetParamsBy(reading) : paths.match(reading);
  if (params === undefined) return false;
  evaluation.readAs(reading, params);
  return true;
}

function firstError({ when }: Criteria, evaluation: Evaluation): string | undefined {
  for (const condition of when) {
    const value = isTrue(condition, evaluation);
    if (value instanceof ExpressionError) return describeError(condition.source, value);
  }
  return undefined;
}

const notHeld = (kind: string, names: readonly string[]): string =>
  names.length === 1 ? `${kind} ${quoted(names)} is not held` : `none of the ${kind}s ${quoted(names)} is held`;

const quoted = (names: readonly string[]): string => listed(names.map((name) => `"${name}"`));

function listed(words: readonly string[]): string {
  const some = words.slice(0, MAX_WORDS).map((word) => bounded(word, MAX_WORD));
  const left = words.length - some.length;
  return left === 0 ? some.join(', ') : `${some.join(', ')} and ${left} more`;
}
