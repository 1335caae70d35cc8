import { hash } from 'node:crypto';
import type { Steps } from '../../core/breather.ts';
import { durationHint, parseDurationMs } from '../../core/duration.ts';
import type { Mode } from '../../core/evaluation.ts';
import { fnv1a } from '../../core/fnv.ts';
import type { ProblemList } from '../../core/problem.ts';
import type { PartsBudget } from '../../match/expression/dear-parts.ts';
import { compileExpression, type Expression } from '../../match/expression/expression.ts';
import { calendarNameOf, compileCalendar } from './calendar.ts';
import type { Rate } from './counter-store.ts';
import { warnAboutKey } from './key-hints.ts';
import type { RateLimitSpec, RateSpec } from './spec.ts';

export type Stage = RateLimitSpec['stage'];

export interface CompiledLimit {
  readonly name: string;
  /** Of the policy whose limit it is; its counters are of that namespace's share. */
  readonly namespace: string;
  /** The same for all limits of one owner: see `Take`. */
  readonly tag: number;
  readonly stage: Stage;
  readonly mode: Mode;
  readonly key: readonly KeyPart[];
  /** What a client sends as it likes is in the key, a credential perhaps: it is never kept. */
  readonly isKeySecret: boolean;
  readonly cost: Expression | undefined;
  readonly rates: readonly CompiledRate[];
  /** Most that one request may cost: no more than each of the rates lets pass, at once and in its window. */
  readonly maxCost: number;
  readonly onFault: 'LocalShare' | 'Deny' | 'Allow';
  readonly countDenied: boolean;
  readonly isShared: boolean;
}

export interface KeyPart {
  readonly expression: Expression;
  readonly missing: 'Share' | 'Skip' | 'Deny';
}

export interface CompiledRate {
  readonly rate: Rate;
  /** First part of the counter's identity, 22 characters: owner, limit, algorithm, window. A storage format. */
  readonly prefix: string;
  /** The parts of that which are the limit's own, whoever owns it. */
  readonly counter: readonly string[];
  /** `"name"` as a structured-field string, for RateLimit and RateLimit-Policy. */
  readonly label: string;
  /** `"name";q=100;w=60`, the rate's item of RateLimit-Policy. */
  readonly policyItem: string;
}

export interface LimitsContext {
  /** UID of the object that owns the limits, and its namespace. */
  readonly ownerUid: string;
  readonly namespace: string;
  readonly params: readonly string[];
  readonly caseInsensitive: boolean;
  readonly mode: Mode;
  /** What the policy's expressions and calendars may use together. */
  readonly budget?: PartsBudget;
  /** Who may vouch for callers of the policy. */
  readonly issuers: ReadonlySet<string>;
}

/** Attributes that hold no credential: who was proved, where from, and what is asked for. */
const KEPT =
  /^(?:identity\.(?:kind|issuer|subject|id|method|consumer)|client\..*|source\..*|request\.(?:method|host|path))$/;

const byName = (a: CompiledLimit, b: CompiledLimit): number => (a.name < b.name ? -1 : 1);

/**
 * Compiles `rateLimits`; every mistake of the author goes to `problems`. Limits come back in the order of their names:
 * the one they were written in has no meaning, so neither a refusal nor a header may depend on it.
 */
export function* compileRateLimits(
  specs: readonly RateLimitSpec[],
  context: LimitsContext,
  problems: ProblemList,
): Steps<CompiledLimit[]> {
  const limits: CompiledLimit[] = [];
  for (const [index, spec] of specs.entries()) {
    yield;
    const limit = yield* compileLimit(spec, context, problems.at(index));
    if (limit !== undefined) limits.push(limit);
  }
  return limits.sort(byName);
}

function* compileLimit(
  spec: RateLimitSpec,
  context: LimitsContext,
  problems: ProblemList,
): Steps<CompiledLimit | undefined> {
  const mode = context.mode === 'Audit' ? 'Audit' : (spec.mode ?? 'Enforce');
  const key: KeyPart[] = [];
  for (const [index, part] of spec.key.entries()) {
    const at = problems.at('key').at(index);
    const expression = yield* compileExpression(
      part.expression,
      { ...context, result: 'key', use: 'key' },
      at.at('expression'),
    );
    const missing = part.missing ?? (spec.stage === 'AuthenticationFailure' ? 'Skip' : 'Share');
    if (expression !== undefined) key.push({ expression, missing });
    checkStage(expression, { stage: spec.stage, instead: 'client.network, or ' }, at);
  }
  if (key.length === spec.key.length)
    warnAboutKey(key, { stage: spec.stage, issuers: context.issuers }, problems.at('key'));
  const costAt = problems.at('cost').at('expression');
  const cost =
    spec.cost &&
    (yield* compileExpression(spec.cost.expression, { ...context, result: 'number', use: 'condition' }, costAt));
  checkStage(cost, { stage: spec.stage, instead: '' }, costAt);
  const rates = compileRates(spec, { ...context, mode }, problems.at('rates'));
  if (rates === undefined || key.length !== spec.key.length || (spec.cost !== undefined && cost === undefined))
    return undefined;
  return Object.freeze({
    name: spec.name,
    namespace: context.namespace,
    tag: tagOf(context.ownerUid),
    stage: spec.stage,
    mode,
    key,
    isKeySecret: key.some(({ expression }) => [...expression.attributes].some((name) => !KEPT.test(name))),
    cost,
    rates,
    maxCost: Math.min(
      ...rates.map(({ rate }) => (rate.algorithm === 'GCRA' ? Math.min(rate.burst, rate.requests) : rate.requests)),
    ),
    onFault: spec.onFault,
    countDenied: spec.countDenied,
    isShared: spec.store !== 'Local',
  });
}

/** Before authentication nobody is known: a key or a cost of the identity would be the same for all callers. */
function checkStage(
  expression: Expression | undefined,
  { stage, instead }: { readonly stage: Stage; readonly instead: string },
  problems: ProblemList,
): void {
  if (expression === undefined || stage === 'AfterAuthentication') return;
  const identity = [...expression.attributes].find((name) => name.startsWith('identity.'));
  if (identity === undefined) return;
  problems.error('Invalid', `"${identity}" is not known at stage ${stage}: use ${instead}stage AfterAuthentication`);
}

function compileRates(spec: RateLimitSpec, context: LimitsContext, problems: ProblemList): CompiledRate[] | undefined {
  const rates: CompiledRate[] = [];
  for (const [index, rateSpec] of spec.rates.entries()) {
    const at = problems.at(index);
    const rate = compileRate(rateSpec, context, at);
    if (rate === undefined) continue;
    const window = rate.algorithm === 'Calendar' ? rate.calendarName : String(rate.windowMs);
    const counter = [spec.name, rate.algorithm, window];
    // What Audit counts is nobody's count: it stands beside the enforced one, and never in its place.
    if (context.mode === 'Audit') counter.push(context.mode);
    const label = `"${spec.name}${index === 0 ? '' : `.${index + 1}`}"`;
    const seconds = rate.algorithm === 'Calendar' ? '' : `;w=${Math.max(1, Math.ceil(rate.windowMs / 1000))}`;
    const policyItem = `${label};q=${rate.requests}${seconds}`;
    rates.push({ rate, prefix: digest([context.ownerUid, ...counter]), counter, label, policyItem });
  }
  return rates.length === spec.rates.length ? rates : undefined;
}

function compileRate(spec: RateSpec, { budget }: LimitsContext, problems: ProblemList): Rate | undefined {
  const { requests } = spec;
  if (spec.calendar !== undefined) {
    const { unit, timeZone } = spec.calendar;
    const why = budget?.takeZone(timeZone);
    const calendar = why === undefined ? compileCalendar(unit, timeZone) : undefined;
    if (calendar !== undefined)
      return { algorithm: 'Calendar', requests, calendar, calendarName: calendarNameOf(unit, timeZone) };
    const unknown = `There is no time zone "${timeZone}": write an IANA name such as Europe/Berlin`;
    problems
      .at('calendar')
      .at('timeZone')
      .error('Invalid', why ?? unknown);
    return undefined;
  }
  const windowMs = parseDurationMs(spec.window ?? '');
  const at = problems.at('window');
  if (windowMs === undefined) at.error('Invalid', durationHint(spec.window ?? ''));
  else if (spec.algorithm === undefined || spec.algorithm === 'GCRA')
    return { algorithm: 'GCRA', requests, windowMs, burst: spec.burst ?? requests };
  else return { algorithm: spec.algorithm, requests, windowMs };
  return undefined;
}

/** The same limit for another owner, whose counters are its own. */
export function ownedBy(
  { ownerUid, namespace }: Pick<LimitsContext, 'ownerUid' | 'namespace'>,
  limit: CompiledLimit,
): CompiledLimit {
  const rates = limit.rates.map((rate) => ({ ...rate, prefix: digest([ownerUid, ...rate.counter]) }));
  return Object.freeze({ ...limit, namespace, tag: tagOf(ownerUid), rates });
}

/** Stays as it is when the owner is edited, and so do the counters. */
const tagOf = (ownerUid: string): number => fnv1a(ownerUid, 0);

/** The first 16 bytes of SHA-256 over parts with their lengths, base64url: 22 characters. A storage format. */
export function digest(parts: readonly string[]): string {
  const text = parts.map((part) => `${part.length}:${part}`).join('');
  return hash('sha256', text, 'base64url').slice(0, 22);
}
