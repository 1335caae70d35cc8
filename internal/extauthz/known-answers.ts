// Answers in which nothing varies but the id of the decision: encoded once, then copied. Metadata is not part of them.
import type { Decision } from '../core/decision.ts';
import type { ReasonName } from '../core/reasons.ts';
import type { ProtoWriter } from './proto-writer.ts';
import { isDecisionId } from './response-headers.ts';

/** Most that are kept. Beyond them all are forgotten: whoever brings more costs an encoding each time, and no memory. */
export const MAX_KNOWN = 4096;
/** Longest that is kept, in bytes: policies can name many headers to remove. */
export const MAX_LENGTH = 4096;
/** Characters of an id as `createDecisionIds` makes them: what is copied has room for no other. */
const ID_LENGTH = 32;

interface Known {
  readonly outcome: Decision['outcome'];
  readonly reason: ReasonName;
  readonly bytes: Uint8Array;
  /** Where in them the id stands. */
  readonly idsAt: readonly number[];
}

type ByWhatVaries = WeakMap<object, Known>;

/** By the edits of an allow, or by the refusal; apart for gRPC callers, who are answered otherwise. */
let plain: ByWhatVaries = new WeakMap();
let grpc: ByWhatVaries = new WeakMap();
let count = 0;

/** Writes the answer if one like it was kept. */
export function writeKnown(writer: ProtoWriter, decision: Decision): boolean {
  const key = keyOf(decision);
  if (key === undefined) return false;
  const known = (decision.isGrpc ? grpc : plain).get(key);
  if (known === undefined || known.outcome !== decision.outcome || known.reason !== decision.reason) return false;
  writer.raw(known.bytes);
  const { idsAt } = known;
  for (let i = 0; i < idsAt.length; i += 1) writer.overwrite(idsAt[i] ?? 0, decision.decisionId);
  return true;
}

/** Keeps what was written since `before`, where no other decision by the same edits or refusal can differ from it. */
export function keepKnown(writer: ProtoWriter, before: number, decision: Decision): void {
  const key = keyOf(decision);
  if (key === undefined || !isFixed(decision)) return;
  const answers = decision.isGrpc ? grpc : plain;
  if (answers.has(key) || writer.mark - before > MAX_LENGTH) return;
  const bytes = writer.written(before);
  const idsAt = placesOf(bytes, decision.decisionId);
  // A header, and of what is neither an allow nor for gRPC the document: an id found elsewhere is no id.
  if (idsAt.length !== (decision.outcome === 'allow' || decision.isGrpc ? 1 : 2)) return;
  if (count >= MAX_KNOWN) {
    plain = new WeakMap();
    grpc = new WeakMap();
    count = 0;
  }
  count += 1;
  (decision.isGrpc ? grpc : plain).set(key, {
    outcome: decision.outcome,
    reason: decision.reason,
    bytes,
    idsAt,
  });
}

/** What the answer says besides the id; undefined where there is more to it. */
function keyOf({ outcome, edits, refusal, answerHeaders, decisionId }: Decision): object | undefined {
  const isAllow = outcome === 'allow';
  const varies = isAllow ? edits.requestHeaders.length + edits.responseHeaders.length : answerHeaders.length;
  if (varies > 0 || decisionId.length !== ID_LENGTH || !isDecisionId(decisionId)) return undefined;
  return isAllow ? edits : refusal;
}

/** Whether the edits, or the refusal, are of a policy or for all, and can never be others. */
function isFixed({ outcome, edits, refusal }: Decision): boolean {
  if (outcome === 'allow') {
    const { requestHeaders, requestHeadersToRemove, queryToRemove, responseHeaders } = edits;
    return [edits, requestHeaders, requestHeadersToRemove, queryToRemove, responseHeaders].every(Object.isFrozen);
  }
  return [refusal, refusal?.challenges, refusal?.errors].every(Object.isFrozen);
}

function placesOf(bytes: Buffer, id: string): readonly number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(id, 0, 'latin1'); at !== -1; at = bytes.indexOf(id, at + 1, 'latin1')) places.push(at);
  return places;
}
