import { LRUCache } from 'lru-cache';
import { MAX_COOKIES } from '../core/cookies.ts';
import type { Edits, HeaderAction, HeaderEdit, Refusal } from '../core/decision.ts';
import type { Carrier, Evaluation } from '../core/evaluation.ts';
import { bounded, describeError } from '../core/explanation.ts';
import { ExpressionError } from '../core/expression-error.ts';
import { isFieldValue } from '../core/field-value.ts';
import type { Expression } from '../match/expression/expression.ts';
import { readCarrier } from '../phases/authn/carriers.ts';
import { foldName, isOddName, OVERRIDE_HEADERS, type OwnHeaders, ownHeaders } from './own-headers.ts';

/** A header that the policy gives the upstream, from an expression. */
export interface UpstreamHeader {
  readonly name: string;
  readonly value: Expression;
  readonly action: HeaderAction;
  readonly missing: 'Remove' | 'Deny';
}

/** What an allow by this policy changes, as far as it is known when the policy arrives. */
export interface EditPlan {
  readonly upstreamHeaders: readonly UpstreamHeader[];
  /** Headers that never reach the upstream as the client sent them: credentials, overrides of method and path. */
  readonly headersToRemove: readonly string[];
  /** The same with what Audit leaves in place: credentials stay. */
  readonly headersToRemoveInAudit: readonly string[];
  /** Schemes of Authorization that the upstream must not see; another scheme's credential stays. */
  readonly schemesToRemove: readonly Carrier[];
  readonly queryToRemove: readonly string[];
  readonly cookiesToRemove: ReadonlySet<string>;
  /** Names of `upstreamHeaders` and the removed ones. */
  readonly names: ReadonlySet<string>;
  /** The same as CGI folds them, to find other spellings of them. */
  readonly folded: ReadonlySet<string>;
  /** One of the names is itself another spelling, as `x_caller`: then a plain name of a request can be one too. */
  readonly hasOddName: boolean;
  /** What never arrives of a request in Audit that could not be evaluated. */
  readonly own: OwnHeaders;
  readonly responseHeaders: readonly HeaderEdit[];
  /** The edits of every request that holds nothing to be looked at; undefined where each has its own. */
  readonly fixed: Edits | undefined;
  readonly fixedInAudit: Edits | undefined;
}

const NOTHING: readonly never[] = Object.freeze([]);
/** Longest header value that is sent on; Envoy refuses requests that grow past its own bounds. */
const MAX_VALUE_LENGTH = 8192;

/** What is edited where no policy is in play. */
export const NO_EDITS: Edits = ownHeaders([]).removal;

export interface EditInputs {
  readonly upstreamHeaders: readonly UpstreamHeader[];
  readonly keepHeaders: readonly string[];
  readonly credentials: readonly Carrier[];
  readonly responseHeaders: readonly HeaderEdit[];
}

/** Policies that set no header of their own have a few plans between them: shared, they are encoded once. */
const plans = new LRUCache<string, EditPlan>({ max: 1024 });

export function compileEdits(inputs: EditInputs): EditPlan {
  if (inputs.upstreamHeaders.length > 0) return compileAnew(inputs);
  const key = JSON.stringify([inputs.keepHeaders, inputs.credentials, inputs.responseHeaders]);
  const known = plans.get(key) ?? compileAnew(inputs);
  plans.set(key, known);
  return known;
}

function compileAnew({ keepHeaders, credentials, responseHeaders, ...inputs }: EditInputs): EditPlan {
  const named = (kind: Carrier['kind']): string[] =>
    credentials.filter((carrier) => carrier.kind === kind).map((carrier) => carrier.name);
  const overrides = Object.freeze(OVERRIDE_HEADERS.filter((name) => !keepHeaders.includes(name)));
  const headersToRemove = Object.freeze([...new Set([...overrides, ...named('header')])]);
  const schemesToRemove = credentials.filter((carrier) => carrier.kind === 'authorizationScheme');
  const queryToRemove = Object.freeze(named('query'));
  const lost = new Set([...headersToRemove, ...(schemesToRemove.length > 0 ? ['authorization'] : [])]);
  const upstreamHeaders = inputs.upstreamHeaders.map((header) => withoutClients(header, lost));
  const names = [...headersToRemove, ...upstreamHeaders.map((header) => header.name)];
  const fixed = (removed: readonly string[], query: readonly string[]): Edits | undefined =>
    upstreamHeaders.length > 0
      ? undefined
      : Object.freeze({
          requestHeaders: NOTHING,
          requestHeadersToRemove: removed,
          queryToRemove: query,
          responseHeaders,
        });
  return Object.freeze({
    upstreamHeaders,
    headersToRemove,
    headersToRemoveInAudit: overrides,
    schemesToRemove,
    queryToRemove,
    cookiesToRemove: new Set(named('cookie')),
    names: new Set(names),
    folded: new Set(names.map(foldName)),
    hasOddName: names.some(isOddName),
    own: ownHeaders(upstreamHeaders.map((header) => header.name)),
    responseHeaders,
    fixed: fixed(headersToRemove, queryToRemove),
    fixedInAudit: fixed(overrides, NOTHING),
  });
}

/**
 * A value that tells of the request or its caller never stands beside what the client says under that name, and an
 * action does not keep what is removed anyway: there is nothing left to append to, and nothing that is not absent.
 */
function withoutClients(header: UpstreamHeader, lost: ReadonlySet<string>): UpstreamHeader {
  const isConstant = header.value.attributes.size === 0;
  return isConstant && !lost.has(header.name) ? header : { ...header, action: 'Set' };
}

/**
 * The edits of one allow. Envoy runs removals after additions, so a header that is set is never also removed.
 *
 * @returns why there are none instead, where an expression erred or gave what no header can hold, or cookies cannot be
 * written without the credential among them
 */
export function editsOf(plan: EditPlan, evaluation: Evaluation): Edits | { readonly failed: Refusal } {
  const isAudit = evaluation.mode === 'Audit';
  const fixed = isAudit ? plan.fixedInAudit : plan.fixed;
  if (fixed !== undefined && !needsLook(plan, evaluation, isAudit)) return fixed;
  // In Audit an identity header is set only for an identity that was really verified.
  const maySet = !isAudit || isVerified(evaluation);
  const set: HeaderEdit[] = [];
  const removed: string[] = [];
  for (const header of plan.upstreamHeaders) {
    const value = header.value.text(evaluation);
    if (typeof value === 'string' && value.length <= MAX_VALUE_LENGTH && isFieldValue(value)) {
      if (maySet) set.push({ name: header.name, value, action: header.action });
      else removed.push(header.name);
      continue;
    }
    if (value !== null || header.missing === 'Deny') {
      if (!isAudit)
        return { failed: { reason: 'expression_error', rule: header.name, cause: whyNoHeader(header, value) } };
      evaluation.note({ reason: 'expression_error', rule: header.name, outcome: 'would-deny' });
    }
    removed.push(header.name);
  }
  const isSet = (name: string): boolean => set.some((edit) => edit.name === name);
  for (const name of isAudit ? plan.headersToRemoveInAudit : plan.headersToRemove) if (!isSet(name)) removed.push(name);
  if (!isAudit && holdsScheme(plan, evaluation) && !isSet('authorization')) removed.push('authorization');
  addSpellings(plan, evaluation, removed);
  if (!isAudit && plan.cookiesToRemove.size > 0 && !rewriteCookies(plan.cookiesToRemove, evaluation, set, removed))
    return { failed: COOKIES };
  return {
    requestHeaders: set,
    requestHeadersToRemove: removed,
    queryToRemove: isAudit ? NOTHING : plan.queryToRemove,
    responseHeaders: plan.responseHeaders,
  };
}

/** Neither the value nor a part of it: it may be a secret of the caller. */
function whyNoHeader({ value: { source } }: UpstreamHeader, value: string | null | ExpressionError): string {
  if (value instanceof ExpressionError) return describeError(source, value);
  return `${bounded(source)}: ${value === null ? 'it is null' : 'no header can hold what it gives'}`;
}

const isVerified = ({ identity: { kind } }: Evaluation): boolean => kind !== 'unauthenticated' && kind !== 'anonymous';

/** Whether what is removed depends on what the request holds: parts of a header, or other spellings of its name. */
function needsLook(plan: EditPlan, evaluation: Evaluation, isAudit: boolean): boolean {
  for (const name of evaluation.request.headers.names()) if (isOtherSpelling(plan, name)) return true;
  if (isAudit) return false;
  return plan.cookiesToRemove.size > 0 || (plan.schemesToRemove.length > 0 && holdsScheme(plan, evaluation));
}

function holdsScheme({ schemesToRemove }: EditPlan, { request }: Evaluation): boolean {
  for (const carrier of schemesToRemove) if (readCarrier(carrier, request) !== undefined) return true;
  return false;
}

/** A name that an upstream could take for one of ours (CVE-2026-39858 and its like), and is none of them. */
const isOtherSpelling = (plan: EditPlan, name: string): boolean =>
  (plan.hasOddName || isOddName(name)) && plan.folded.has(foldName(name)) && !plan.names.has(name);

/** Adds every other spelling of our names. */
function addSpellings(plan: EditPlan, evaluation: Evaluation, removed: string[]): void {
  for (const name of evaluation.request.headers.names()) if (isOtherSpelling(plan, name)) removed.push(name);
}

const COOKIES: Refusal = Object.freeze({
  reason: 'malformed_request',
  detail:
    'The Cookie header cannot be sent on without its credential: it is too long, has too many cookies, or is not UTF-8',
});
/** Most characters that are set beside and in the Cookie header: less than the door sends, Envoy takes 60 KiB in all. */
const MAX_SET_LENGTH = 40_960;
/** In the joined form a comma may be where Envoy joined two lines; it is one where another pair follows. */
const SEPARATOR_OR_JOINT = /;|,(?=[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*=)/;

/**
 * Sends the upstream its cookies without the credential; a request without others loses the header.
 *
 * @returns false where what is left cannot be written
 */
function rewriteCookies(
  names: ReadonlySet<string>,
  { request: { headers } }: Evaluation,
  set: HeaderEdit[],
  removed: string[],
): boolean {
  const lines = headers.get('cookie');
  const isOurs = removed.includes('cookie') || set.some((edit) => edit.name === 'cookie' && edit.action === 'Set');
  if (lines === undefined || isOurs) return true;
  const separator = headers.isJoined ? SEPARATOR_OR_JOINT : ';';
  const pairs: string[] = [];
  for (const line of lines) {
    for (const pair of line.split(separator, MAX_COOKIES + 1)) pairs.push(pair.trim());
    if (pairs.length > MAX_COOKIES) return false;
  }
  const kept = pairs.filter((pair) => !names.has(pair.split('=', 1)[0]?.trim() ?? ''));
  if (kept.length === pairs.length) return true;
  const value = kept.filter((pair) => pair !== '').join('; ');
  const length = set.reduce((sum, edit) => sum + edit.name.length + edit.value.length, value.length);
  if (length > MAX_SET_LENGTH || !isFieldValue(value)) return false;
  if (value === '') removed.push('cookie');
  else set.push({ name: 'cookie', value, action: 'Set' });
  return true;
}
