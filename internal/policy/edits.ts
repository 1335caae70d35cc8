import type { Edits, HeaderAction, HeaderEdit } from '../core/decision.ts';
import type { Carrier, Evaluation } from '../core/evaluation.ts';
import type { Expression } from '../match/expression/expression.ts';
import { readCarrier } from '../phases/authn/carriers.ts';
import { foldName, OVERRIDE_HEADERS, type OwnHeaders, ownHeaders } from './own-headers.ts';

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
  /** One of the names is not its own folded form, so that any name of a request may be another spelling of it. */
  readonly hasSpelling: boolean;
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
const UNSAFE_VALUE = /[^\t\x20-\x7e\x80-\u{10ffff}]|[\ud800-\udfff]/u;

/** What is edited where no policy is in play. */
export const NO_EDITS: Edits = ownHeaders([]).removal;

export interface EditInputs {
  readonly upstreamHeaders: readonly UpstreamHeader[];
  readonly keepHeaders: readonly string[];
  readonly credentials: readonly Carrier[];
  readonly responseHeaders: readonly HeaderEdit[];
}

export function compileEdits({ upstreamHeaders, keepHeaders, credentials, responseHeaders }: EditInputs): EditPlan {
  const named = (kind: Carrier['kind']): string[] =>
    credentials.filter((carrier) => carrier.kind === kind).map((carrier) => carrier.name);
  const overrides = Object.freeze(OVERRIDE_HEADERS.filter((name) => !keepHeaders.includes(name)));
  const headersToRemove = Object.freeze([...new Set([...overrides, ...named('header')])]);
  const queryToRemove = Object.freeze(named('query'));
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
    schemesToRemove: credentials.filter((carrier) => carrier.kind === 'authorizationScheme'),
    queryToRemove,
    cookiesToRemove: new Set(named('cookie')),
    names: new Set(names),
    folded: new Set(names.map(foldName)),
    hasSpelling: names.some((name) => foldName(name) !== name),
    own: ownHeaders(upstreamHeaders.map((header) => header.name)),
    responseHeaders,
    fixed: fixed(headersToRemove, queryToRemove),
    fixedInAudit: fixed(overrides, NOTHING),
  });
}

/**
 * The edits of one allow. Envoy runs removals after additions, so a header that is set is never also removed.
 *
 * @returns the name of the header whose expression erred or gave what no header can hold, instead of edits
 */
export function editsOf(plan: EditPlan, evaluation: Evaluation): Edits | { readonly failed: string } {
  const isAudit = evaluation.mode === 'Audit';
  const fixed = isAudit ? plan.fixedInAudit : plan.fixed;
  if (fixed !== undefined && !needsLook(plan, evaluation, isAudit)) return fixed;
  // In Audit an identity header is set only for an identity that was really verified.
  const maySet = !isAudit || isVerified(evaluation);
  const set: HeaderEdit[] = [];
  const removed: string[] = [];
  for (const header of plan.upstreamHeaders) {
    const value = header.value.text(evaluation);
    if (typeof value === 'string' && value.length <= MAX_VALUE_LENGTH && !UNSAFE_VALUE.test(value)) {
      if (maySet) set.push({ name: header.name, value, action: header.action });
      else removed.push(header.name);
      continue;
    }
    if (value !== null || header.missing === 'Deny') {
      if (!isAudit) return { failed: header.name };
      evaluation.note({ reason: 'expression_error', rule: header.name, outcome: 'would-deny' });
    }
    removed.push(header.name);
  }
  const isSet = (name: string): boolean => set.some((edit) => edit.name === name);
  for (const name of isAudit ? plan.headersToRemoveInAudit : plan.headersToRemove) if (!isSet(name)) removed.push(name);
  if (!isAudit && holdsScheme(plan, evaluation) && !isSet('authorization')) removed.push('authorization');
  addSpellings(plan, evaluation, removed, isSet);
  if (!isAudit && plan.cookiesToRemove.size > 0) rewriteCookies(plan.cookiesToRemove, evaluation, set, removed);
  return {
    requestHeaders: set,
    requestHeadersToRemove: removed,
    queryToRemove: isAudit ? NOTHING : plan.queryToRemove,
    responseHeaders: plan.responseHeaders,
  };
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

/** A name that an upstream could take for one of ours (CVE-2026-39858 and its like). */
const isOtherSpelling = (plan: EditPlan, name: string): boolean =>
  (plan.hasSpelling || name.includes('_') || name.includes('.')) &&
  !plan.names.has(name) &&
  plan.folded.has(foldName(name));

/** Adds every other spelling of our names. */
function addSpellings(
  plan: EditPlan,
  evaluation: Evaluation,
  removed: string[],
  isSet: (name: string) => boolean,
): void {
  for (const name of evaluation.request.headers.names()) {
    if (isOtherSpelling(plan, name) && !isSet(name)) removed.push(name);
  }
}

/** Sends the upstream its cookies without the credential; a request without others loses the header. */
function rewriteCookies(
  names: ReadonlySet<string>,
  evaluation: Evaluation,
  set: HeaderEdit[],
  removed: string[],
): void {
  const lines = evaluation.request.headers.get('cookie');
  if (lines === undefined) return;
  const pairs = lines.flatMap((line) => line.split(/[;,]/)).map((pair) => pair.trim());
  const kept = pairs.filter((pair) => pair !== '' && !names.has(pair.split('=', 1)[0]?.trim() ?? ''));
  if (kept.length === pairs.length) return;
  if (kept.length === 0) removed.push('cookie');
  else set.push({ name: 'cookie', value: kept.join('; '), action: 'Set' });
}
