import type { Decision, HeaderEdit } from '../../core/decision.ts';
import { isFieldValue } from '../../core/field-value.ts';
import { spellingsOf } from '../../core/query.ts';
import { refusalDecision } from '../../policy/refused.ts';
import { fieldName } from '../header-rules.ts';
import type { CheckRequest } from '../wire.ts';
import type { Dialect } from './dialect.ts';

const NOTHING: readonly never[] = Object.freeze([]);

/**
 * An allow whose edits the proxy carries out, or the refusal of what it would let through half done. Proxies take from an
 * answer the headers that they were told to take, and nothing tells which: so the operator says it here as well.
 *
 * - A header that is set has to be carried: the client's own copy would pass in its place.
 * - Envoy removes what is listed. The others remove what they carry and the answer lacks, so a carried header that is
 *   the client's to send is sent back to them, and what the client sent and is to be removed has to be carried.
 * - None of them removes a parameter of the query.
 *
 * @param carried names in lower case (`--http-carried-headers`)
 */
export function carriedEdits(
  decision: Decision,
  request: CheckRequest,
  { carried, dialect }: { readonly carried: ReadonlySet<string>; readonly dialect: Dialect },
): Decision {
  if (decision.outcome !== 'allow') return decision;
  const { edits } = decision;
  const set = settled(decision, request);
  const removed = namesOf(edits.requestHeadersToRemove).filter((name) => !set.has(name));
  const uncarried = [...set.keys()].find((name) => !carried.has(name));
  if (uncarried !== undefined) return unsupported(decision, notTaken('set', uncarried));
  if (holdsAny(edits.queryToRemove, request.target))
    return unsupported(decision, 'the credential is in the query, which stays as it is: credentials: Forward says so');
  if (!dialect.removesListed) {
    const stays = removed.find((name) => !carried.has(name) && mayBeSent(request, name));
    if (stays !== undefined) return unsupported(decision, notTaken('removed', stays));
    for (const name of carried) if (!removed.includes(name)) sendBack(set, name, request);
  }
  const requestHeaders = [...set].map(([name, value]): HeaderEdit => ({ name, value, action: 'Set' }));
  const unsendable = requestHeaders.find(({ value }) => !isFieldValue(value));
  if (unsendable !== undefined) return unsupported(decision, `${unsendable.name} has bytes that are no UTF-8`);
  const requestHeadersToRemove = dialect.removesListed ? removed : NOTHING;
  const responseHeaders = edits.responseHeaders.filter(({ name }) => !set.has(name.toLowerCase()));
  return { ...decision, edits: { requestHeaders, requestHeadersToRemove, queryToRemove: NOTHING, responseHeaders } };
}

/** Final values: what is appended is put behind what the client sent, what is there already is not added. */
function settled({ edits }: Decision, { headers }: CheckRequest): Map<string, string> {
  const removed = new Set(namesOf(edits.requestHeadersToRemove));
  const set = new Map<string, string>();
  for (const { name: spelt, value, action } of edits.requestHeaders) {
    const name = fieldName(spelt) ?? spelt;
    const there = set.get(name) ?? (removed.has(name) ? undefined : headers.get(name)?.join(', '));
    if (action === 'Set' || there === undefined) set.set(name, value);
    else if (action === 'Append') set.set(name, `${there}, ${value}`);
  }
  return set;
}

function sendBack(set: Map<string, string>, name: string, { headers }: CheckRequest): void {
  const values = headers.get(name);
  if (values !== undefined && !set.has(name)) set.set(name, values.join(name === 'cookie' ? '; ' : ', '));
}

function holdsAny(names: readonly string[], target: string): boolean {
  const mark = target.indexOf('?');
  return names.length > 0 && mark !== -1 && spellingsOf(names, target.slice(mark + 1)).length > 0;
}

const namesOf = (names: readonly string[]): readonly string[] => names.map((name) => fieldName(name) ?? name);

const mayBeSent = ({ headers }: CheckRequest, name: string): boolean =>
  headers.get(name) !== undefined || headers.untold.has(name);

const notTaken = (what: string, name: string): string =>
  `${name} is to be ${what}, and the proxy is not known to take it from answers: let it, and name it in --http-carried-headers`;

function unsupported({ decisionId, policy, findings, isGrpc }: Decision, cause: string): Decision {
  return refusalDecision(
    { reason: 'edit_unsupported', cause },
    { decisionId, policy, findings, answerHeaders: NOTHING, isGrpc },
  );
}
