// Which header fields may leave. What breaks a rule makes the answer a refusal; it is never repaired.
import type { Decision, HeaderEdit } from '../core/decision.ts';
import { lowerAscii } from './wire-text.ts';

/** Most fields that one answer sets, and that it removes; Envoy's own bound is 100 fields a request. */
export const MAX_EDITS = 64;
export const MAX_REMOVALS = 256;
/** Most characters in the names and values of one answer; Envoy's own bound is 60 KiB a request. */
export const MAX_EDIT_CHARACTERS = 48 * 1024;

/** RFC 9110 §5.6.2; names that begin with `:` are HTTP/2's own. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** RFC 9110 §5.5, besides control characters no lone surrogate: it would leave as another character. */
const NOT_VALUE = /[^\t\x20-\x7e\x80-\u{10ffff}]|[\ud800-\udfff]/u;
const MAX_KNOWN = 2048;

/** Names that passed, with their lower-case spelling: nearly always the same few. */
const known = new Map<string, string>();

/** The name in lower case; undefined where it is none. */
export function fieldName(name: string): string | undefined {
  const seen = known.get(name);
  if (seen !== undefined) return seen;
  if (!NAME.test(name)) return undefined;
  if (known.size >= MAX_KNOWN) known.clear();
  const lower = lowerAscii(name);
  known.set(name, lower);
  return lower;
}

export const isFieldValue = (value: string): boolean => !NOT_VALUE.test(value);

/** What stands in the way of sending a decision's header edits; undefined when nothing does. */
export function editProblem({ edits, answerHeaders, refusal }: Decision): string | undefined {
  const { requestHeaders, requestHeadersToRemove, queryToRemove, responseHeaders } = edits;
  const count = requestHeaders.length + responseHeaders.length + answerHeaders.length;
  if (count > MAX_EDITS) return `${count} header edits are more than ${MAX_EDITS}`;
  const removals = requestHeadersToRemove.length + queryToRemove.length;
  if (removals > MAX_REMOVALS) return `${removals} removals are more than ${MAX_REMOVALS}`;
  let size = 0;
  for (const edit of requestHeaders) size += sizeOf(edit);
  for (const edit of responseHeaders) size += sizeOf(edit);
  for (const edit of answerHeaders) size += sizeOf(edit);
  for (const challenge of refusal?.challenges ?? []) size += isFieldValue(challenge) ? challenge.length : Number.NaN;
  for (const name of requestHeadersToRemove) size += isRemovable(name) ? name.length : Number.NaN;
  for (const name of queryToRemove) size += name.isWellFormed() ? name.length : Number.NaN;
  if (Number.isNaN(size)) return 'a header edit has a name or value that no header can hold';
  return size > MAX_EDIT_CHARACTERS
    ? `${size} characters of header edits are more than ${MAX_EDIT_CHARACTERS}`
    : undefined;
}

/** Characters of an edit; NaN, which no sum loses, for one that must not leave. */
function sizeOf({ name, value }: HeaderEdit): number {
  const isGood = fieldName(name) !== undefined && isFieldValue(value);
  return isGood ? name.length + value.length : Number.NaN;
}

/** Envoy removes neither `Host` nor HTTP/2's own fields, without a word. */
function isRemovable(name: string): boolean {
  const lower = fieldName(name);
  return lower !== undefined && lower !== 'host';
}
