import { trimBlanks } from '../core/blanks.ts';
import { MAX_COOKIES } from '../core/cookies.ts';
import type { Edits, HeaderEdit, Refusal } from '../core/decision.ts';
import type { Evaluation } from '../core/evaluation.ts';
import { bounded, describeError } from '../core/explanation.ts';
import { ExpressionError } from '../core/expression-error.ts';
import { isFieldValue } from '../core/field-value.ts';
import { readCarrier } from '../phases/authn/carriers.ts';
import type { EditPlan, UpstreamHeader } from './edit-plan.ts';
import { foldName, isOddName, ownHeaders } from './own-headers.ts';

const NOTHING: readonly never[] = Object.freeze([]);
/** Longest header value that is sent on; Envoy refuses requests that grow past its own bounds. */
const MAX_VALUE_LENGTH = 8192;

/** What is edited where no policy is in play. */
export const NO_EDITS: Edits = ownHeaders([]).removal;

/**
 * The edits of one allow. Envoy runs removals after additions, so a header that is set is never also removed.
 *
 * @returns why there are none instead, where an expression erred or gave what no header can hold, or cookies cannot be
 * written without the credential among them
 */
export function editsOf(plan: EditPlan, evaluation: Evaluation): Edits | { readonly failed: Refusal } {
  const isAudit = evaluation.mode === 'Audit';
  const responseHeaders = answerHeadersOf(plan, evaluation);
  const fixed = isAudit ? plan.fixedInAudit : plan.fixed;
  if (fixed !== undefined && !needsLook(plan, evaluation, isAudit))
    return responseHeaders.length === 0 ? fixed.plain : fixed.overTls;
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
    responseHeaders,
  };
}

/** Whether the request is allowed or refused. RFC 6797 §7.2: nothing of HSTS on a connection that is not secure. */
export const answerHeadersOf = ({ overTls }: EditPlan, { request }: Evaluation): readonly HeaderEdit[] =>
  overTls.length > 0 && request.isTls ? overTls : NOTHING;

/** Neither the value nor a part of it: it may be a secret of the caller. */
function whyNoHeader({ value: { source } }: UpstreamHeader, value: string | null | ExpressionError): string {
  if (value instanceof ExpressionError) return describeError(source, value);
  return `${bounded(source)}: ${value === null ? 'it is null' : 'no header can hold what it gives'}`;
}

const isVerified = ({ identity: { kind } }: Evaluation): boolean => kind !== 'unauthenticated' && kind !== 'anonymous';

/** Whether what is removed depends on what the request holds: parts of a header, or other spellings of its name. */
function needsLook(plan: EditPlan, evaluation: Evaluation, isAudit: boolean): boolean {
  const { headers } = evaluation.request;
  if (plan.looksAtAll || headers.arePlain !== true)
    for (const name of headers.names()) if (isOtherSpelling(plan, name)) return true;
  if (isAudit) return false;
  return plan.cookiesToRemove.size > 0 || (plan.schemesToRemove.length > 0 && holdsScheme(plan, evaluation));
}

function holdsScheme({ schemesToRemove }: EditPlan, { request }: Evaluation): boolean {
  for (const carrier of schemesToRemove) if (readCarrier(carrier, request) !== undefined) return true;
  return false;
}

/** A name that an upstream could take for one of ours (CVE-2026-39858 and its like), and is none of them. */
function isOtherSpelling(plan: EditPlan, name: string): boolean {
  if (!(plan.looksAtAll || isOddName(name)) || plan.names.has(name)) return false;
  const folded = foldName(name);
  return plan.folded.has(folded) || (plan.siblings.has(folded) && !plan.kept.has(folded));
}

/** Edits with what steps have to say in the answer. */
export function withAnswerHeaders(edits: Edits, headers: readonly HeaderEdit[] | undefined): Edits {
  if (headers === undefined || headers.length === 0) return edits;
  const { requestHeaders, requestHeadersToRemove, queryToRemove, responseHeaders } = edits;
  return {
    requestHeaders,
    requestHeadersToRemove,
    queryToRemove,
    responseHeaders: withOwn(responseHeaders, headers),
  };
}

/** A policy's own headers of an answer before those of its steps; the steps' list itself where it has none. */
export const withOwn = (own: readonly HeaderEdit[], headers: readonly HeaderEdit[]): readonly HeaderEdit[] =>
  own.length === 0 ? headers : [...own, ...headers];

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
    for (const pair of line.split(separator, MAX_COOKIES + 1)) pairs.push(trimBlanks(pair));
    if (pairs.length > MAX_COOKIES) return false;
  }
  const kept = pairs.filter((pair) => !names.has(trimBlanks(pair.split('=', 1)[0] ?? '')));
  if (kept.length === pairs.length) return true;
  const value = kept.filter((pair) => pair !== '').join('; ');
  const length = set.reduce((sum, edit) => sum + edit.name.length + edit.value.length, value.length);
  if (length > MAX_SET_LENGTH || !isFieldValue(value)) return false;
  if (value === '') removed.push('cookie');
  else set.push({ name: 'cookie', value, action: 'Set' });
  return true;
}
