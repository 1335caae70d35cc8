// Edits in the words that make Envoy do what they say. Seen on Envoy 1.40.
import type { Attributes } from '../core/attributes.ts';
import type { Decision, HeaderEdit } from '../core/decision.ts';
import { spellingsOf } from '../core/query.ts';
import { fieldName } from './header-rules.ts';

/**
 * A decision whose edits Envoy carries out as meant; the decision itself where nothing has to be said otherwise.
 *
 * - Envoy overwrites a request header under ADD_IF_ABSENT, and appends to none that is absent, so both are settled here,
 *   where the request is known. A header that is to be removed counts as absent.
 * - Envoy looks for query parameters as they are spelt: `%61pi_key` stays when `api_key` is removed.
 * - Asked to remove any, it sorts the others and writes them anew, also where there is nothing to remove.
 */
export function forEnvoy(decision: Decision, request: Attributes): Decision {
  if (decision.outcome !== 'allow') return decision;
  const { edits } = decision;
  const requestHeaders = settled(edits, request);
  const queryToRemove = spelt(edits.queryToRemove, request.target);
  if (requestHeaders === edits.requestHeaders && queryToRemove === edits.queryToRemove) return decision;
  return { ...decision, edits: { ...edits, requestHeaders, queryToRemove } };
}

function settled(
  { requestHeaders, requestHeadersToRemove }: Decision['edits'],
  { headers }: Attributes,
): readonly HeaderEdit[] {
  if (!requestHeaders.some(({ action }) => action !== 'Set')) return requestHeaders;
  const removed = new Set(requestHeadersToRemove.map(fieldName));
  return requestHeaders.flatMap((edit): readonly HeaderEdit[] => {
    if (edit.action === 'Set') return [edit];
    const name = fieldName(edit.name) ?? edit.name;
    if (headers.get(name) === undefined || removed.has(name)) return [{ ...edit, action: 'Set' }];
    return edit.action === 'Append' ? [edit] : [];
  });
}

/** Those of the names that the query holds, in each spelling that it has of them. */
function spelt(names: readonly string[], target: string): readonly string[] {
  const mark = target.indexOf('?');
  return names.length === 0 || mark === -1 ? names : spellingsOf(names, target.slice(mark + 1));
}
