import type { Decision, HeaderEdit } from '../core/decision.ts';
import { REASONS } from '../core/reasons.ts';
import { refusalDecision } from '../policy/refused.ts';
import { editProblem } from './edit-problem.ts';
import { fieldName } from './header-rules.ts';
import { keepKnown, writeKnown } from './known-answers.ts';
import { grpcMessage, problemDocument } from './problem-document.ts';
import { BYTES, tagOf, VARINT } from './proto-reader.ts';
import { ProtoWriter } from './proto-writer.ts';
import { encodedRemovals, HEADERS_TO_REMOVE } from './removals.ts';
import { isDecisionId, writeDecisionId, writeHeader, writeHeaders } from './response-headers.ts';
import { writeMetadata } from './response-metadata.ts';

/** CheckResponse. */
const STATUS = tagOf(1, BYTES);
const DENIED_RESPONSE = tagOf(2, BYTES);
const OK_RESPONSE = tagOf(3, BYTES);
const DYNAMIC_METADATA = tagOf(4, BYTES);
const ERROR_RESPONSE = tagOf(5, BYTES);

/** google.rpc.Status, HttpStatus. */
const CODE = tagOf(1, VARINT);

/** DeniedHttpResponse. */
const HTTP_STATUS = tagOf(1, BYTES);
const DENIED_HEADERS = tagOf(2, BYTES);
const BODY = tagOf(3, BYTES);

/** OkHttpResponse. */
const OK_HEADERS = tagOf(2, BYTES);
const RESPONSE_HEADERS_TO_ADD = tagOf(6, BYTES);
const QUERY_PARAMETERS_TO_REMOVE = tagOf(8, BYTES);

const GRPC_OK = 0;
const GRPC_PERMISSION_DENIED = 7;
const HTTP_OK = 200;

/** Shared: writing never waits, and `finish` copies. */
const writer = new ProtoWriter();

/** A decision that has been found fit to leave; only `sendable` makes one. */
export type Sendable = Decision & { readonly [checked]: true };
declare const checked: unique symbol;

/**
 * The decision itself, or the refusal that takes its place: `internal`, with the cause for the log, where an edit could
 * not stand in a header, or outcome and reason contradict each other.
 */
export function sendable(decision: Decision): Sendable {
  const problem = problemOf(decision);
  return (problem === undefined ? decision : internalRefusal(decision, problem)) as Sendable;
}

function problemOf(decision: Decision): string | undefined {
  const { kind } = REASONS[decision.reason];
  if ((decision.outcome === 'allow') !== (kind === 'allow')) {
    return `reason "${decision.reason}" does not go with outcome "${decision.outcome}"`;
  }
  return editProblem(decision);
}

function internalRefusal({ decisionId, policy, findings, isGrpc }: Decision, cause: string): Decision {
  const id = isDecisionId(decisionId) ? decisionId : '';
  return refusalDecision(
    { reason: 'internal', cause },
    { decisionId: id, policy, findings, answerHeaders: [], isGrpc },
  );
}

/** Writes any decision: `writeSendable` of what `sendable` makes of it. */
export const writeCheckResponse = (decision: Decision): Uint8Array => writeSendable(sendable(decision));

/**
 * Writes the envoy.service.auth.v3.CheckResponse of a decision: the only place that makes one. `status.code` is 0, which
 * is all that Envoy looks at, for an outcome `allow` whose reason is one to allow, and for nothing else.
 */
export function writeSendable(decision: Sendable): Uint8Array {
  const { kind, grpc, answer } = REASONS[decision.reason];
  const isAllow = decision.outcome === 'allow' && kind === 'allow';
  writer.reset();
  writeMetadata(writer, DYNAMIC_METADATA, decision);
  if (writeKnown(writer, decision)) return writer.finish();
  const start = writer.mark;
  if (isAllow) writeOk(decision);
  else writeDenied(decision, answer === 'error' ? ERROR_RESPONSE : DENIED_RESPONSE);
  const before = writer.mark;
  writer.varint(isAllow ? GRPC_OK : grpc || GRPC_PERMISSION_DENIED);
  writer.varint(CODE);
  writer.endMessage(STATUS, before);
  keepKnown(writer, start, decision);
  return writer.finish();
}

function writeOk({ edits, decisionId }: Decision): void {
  const before = writer.mark;
  const { requestHeaders, requestHeadersToRemove, responseHeaders, queryToRemove } = edits;
  for (let i = queryToRemove.length - 1; i >= 0; i -= 1)
    writer.text(QUERY_PARAMETERS_TO_REMOVE, queryToRemove[i] ?? '');
  writeHeaders(writer, RESPONSE_HEADERS_TO_ADD, responseHeaders);
  writeDecisionId(writer, RESPONSE_HEADERS_TO_ADD, decisionId);
  const encoded = requestHeaders.length === 0 ? encodedRemovals(requestHeadersToRemove) : undefined;
  if (encoded === undefined) writeRemovals(requestHeadersToRemove, requestHeaders);
  else writer.raw(encoded);
  for (let i = requestHeaders.length - 1; i >= 0; i -= 1) {
    const edit = requestHeaders[i];
    if (edit !== undefined) writeHeader(writer, OK_HEADERS, edit, upstreamAction(edit, i, edits));
  }
  writer.endMessage(OK_RESPONSE, before);
}

/** Envoy removes after it has set: a name that is both would be lost. */
function writeRemovals(names: readonly string[], set: readonly HeaderEdit[]): void {
  for (let i = names.length - 1; i >= 0; i -= 1) {
    const name = fieldName(names[i] ?? '');
    if (name !== undefined && !isNamed(set, name)) writer.text(HEADERS_TO_REMOVE, name);
  }
}

/** What is to be removed and set is set: an addition would stand beside what the client sent. */
function upstreamAction(edit: HeaderEdit, index: number, edits: Decision['edits']): HeaderEdit['action'] {
  if (edit.action === 'Set') return 'Set';
  const name = fieldName(edit.name);
  const isRemoved = edits.requestHeadersToRemove.some((removed) => fieldName(removed) === name);
  if (!isRemoved) return edit.action;
  const isFirst = edits.requestHeaders.findIndex((other) => fieldName(other.name) === name) === index;
  return isFirst ? 'Set' : edit.action;
}

const isNamed = (edits: readonly HeaderEdit[], name: string): boolean => {
  for (const edit of edits) if (fieldName(edit.name) === name) return true;
  return false;
};

function writeDenied(decision: Decision, member: number): void {
  const { reason, refusal, decisionId, answerHeaders, isGrpc } = decision;
  const before = writer.mark;
  if (!isGrpc) writer.text(BODY, problemDocument(decision));
  // Envoy puts on a denied answer only what is set, nothing that is to be appended.
  for (let i = answerHeaders.length - 1; i >= 0; i -= 1) {
    const edit = answerHeaders[i];
    if (edit !== undefined) writeHeader(writer, DENIED_HEADERS, edit, 'Set');
  }
  if (refusal?.retryAfterS !== undefined) setHeader('retry-after', seconds(refusal.retryAfterS));
  if (isGrpc) writeGrpcStatus(decision);
  else writeHttpHeaders(refusal?.challenges);
  writeDecisionId(writer, DENIED_HEADERS, decisionId);
  const inner = writer.mark;
  writer.varint(isGrpc ? HTTP_OK : REASONS[reason].http);
  writer.varint(CODE);
  writer.endMessage(HTTP_STATUS, inner);
  writer.endMessage(member, before);
}

/** Challenges share one field (RFC 9110 §11.6.1): not every Envoy keeps several of a name in a denied answer. */
function writeHttpHeaders(challenges: readonly string[] | undefined): void {
  if (challenges !== undefined && challenges.length > 0) {
    setHeader('www-authenticate', challenges.length === 1 ? (challenges[0] ?? '') : challenges.join(', '));
  }
  setHeader('content-type', 'application/problem+json');
}

/** A gRPC caller reads neither HTTP's status nor a body; Envoy keeps a `grpc-status` that is there. */
function writeGrpcStatus(decision: Decision): void {
  setHeader('grpc-message', grpcMessage(decision));
  setHeader('grpc-status', String(REASONS[decision.reason].grpc || GRPC_PERMISSION_DENIED));
  setHeader('content-type', 'application/grpc');
}

/** Delay-seconds of Retry-After (RFC 9110 §10.2.3): a whole number, never sooner than meant. */
const seconds = (value: number): string => String(Number.isFinite(value) && value > 0 ? Math.ceil(value) : 1);

const setHeader = (name: string, value: string): void =>
  writeHeader(writer, DENIED_HEADERS, { name, value, action: 'Set' });
