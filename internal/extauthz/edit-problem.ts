// Which edits may leave. What breaks a rule makes the answer a refusal; it is never repaired.
import type { Decision, HeaderEdit } from '../core/decision.ts';
import { isFieldValue } from '../core/field-value.ts';
import { fieldName } from './header-rules.ts';
import { sizeOfRemovals } from './removals.ts';

/** Most fields that one answer sets, and that it removes; Envoy's own bound is 100 fields a request. */
export const MAX_EDITS = 64;
export const MAX_REMOVALS = 256;
/** Most characters in the names and values of one answer; Envoy's own bound is 60 KiB a request. */
export const MAX_EDIT_CHARACTERS = 48 * 1024;

/** What stands in the way of sending a decision's header edits; undefined when nothing does. */
export function editProblem({ edits, answerHeaders, refusal }: Decision): string | undefined {
  const { requestHeaders, requestHeadersToRemove, queryToRemove, responseHeaders } = edits;
  const count = requestHeaders.length + responseHeaders.length + answerHeaders.length;
  if (count > MAX_EDITS) return `${count} header edits are more than ${MAX_EDITS}`;
  const removals = requestHeadersToRemove.length + queryToRemove.length;
  if (removals > MAX_REMOVALS) return `${removals} removals are more than ${MAX_REMOVALS}`;
  let size = sizeOfAll(requestHeaders) + sizeOfAll(responseHeaders) + sizeOfAll(answerHeaders);
  size += sizeOfRemovals(requestHeadersToRemove);
  if (refusal?.challenges !== undefined)
    for (const challenge of refusal.challenges) size += isFieldValue(challenge) ? challenge.length : Number.NaN;
  if (queryToRemove.length > 0)
    for (const name of queryToRemove) size += name.isWellFormed() ? name.length : Number.NaN;
  if (Number.isNaN(size)) return 'a header edit has a name or value that no header can hold';
  return size > MAX_EDIT_CHARACTERS
    ? `${size} characters of header edits are more than ${MAX_EDIT_CHARACTERS}`
    : undefined;
}

/** Characters of edits; NaN, which no sum loses, where one of them must not leave. */
function sizeOfAll(edits: readonly HeaderEdit[]): number {
  let size = 0;
  // By index: these lists are of many shapes, and an iterator over them would be an object for each member.
  for (let i = 0; i < edits.length; i += 1) {
    const edit = edits[i];
    if (edit === undefined) continue;
    const isGood = fieldName(edit.name) !== undefined && isFieldValue(edit.value);
    size += isGood ? edit.name.length + edit.value.length : Number.NaN;
  }
  return size;
}
