import type { Decision, HeaderAction, HeaderEdit, PolicyRef } from '../core/decision.ts';
import { REASONS } from '../core/reasons.ts';
import { grpcMessage, problemDocument } from './problem-document.ts';
import { fieldSize, ProtoWriter, textSize } from './proto-writer.ts';

/** envoy.config.core.v3.HeaderValueOption.HeaderAppendAction. */
const APPEND_ACTIONS: Readonly<Record<HeaderAction, number>> = { Append: 0, AddIfAbsent: 1, Set: 2 };

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not leave
const UNSAFE = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** Envoy's bound on what one answer may add, with room for what it adds itself. */
const MAX_EDIT_BYTES = 48 * 1024;

const writer = new ProtoWriter(4096);

/**
 * The one encoder of answers: `status.code` is 0 if and only if the outcome is `allow`, for Envoy lets pass whatever has
 * code 0, also an answer without status. An allow with an edit that cannot be a header becomes a refusal.
 */
export function writeCheckResponse(decision: Decision): Buffer {
  writer.reset();
  if (decision.outcome === 'allow' && isSendable(decision)) {
    writeStatus(0);
    writeOk(decision);
  } else if (decision.outcome === 'allow') {
    const refused: Decision = { ...decision, outcome: 'fault', reason: 'internal', refusal: undefined, answerHeaders: [] };
    return writeCheckResponse(refused);
  } else {
    const reason = REASONS[decision.reason];
    // A reason of the wrong kind must not become code 0.
    writeStatus(reason.grpc === 0 ? 13 : reason.grpc);
    writeDenied(reason.answer === 'error' ? 5 : 2, decision);
  }
  writeMetadata(decision);
  return writer.finish();
}

function isSendable({ edits }: Decision): boolean {
  let bytes = 0;
  for (const { name, value } of edits.requestHeaders) bytes += isHeader(name, value) ? name.length + value.length : Infinity;
  for (const { name, value } of edits.responseHeaders) bytes += isHeader(name, value) ? name.length + value.length : Infinity;
  for (const name of edits.requestHeadersToRemove) bytes += isHeader(name, '') ? name.length : Infinity;
  return bytes <= MAX_EDIT_BYTES;
}

const isHeader = (name: string, value: string): boolean => NAME.test(name) && !UNSAFE.test(value) && value.isWellFormed();

/** google.rpc.Status; the code is written also when it is 0, so that the status is there. */
function writeStatus(code: number): void {
  writer.open(1, 2);
  writer.uint(1, code);
}

/** OkHttpResponse, field 3. Envoy sets and appends first and removes last. */
function writeOk({ edits }: Decision): void {
  let length = 0;
  for (const header of edits.requestHeaders) length += fieldSize(optionSize(header));
  for (const name of edits.requestHeadersToRemove) length += textSize(name);
  for (const header of edits.responseHeaders) length += fieldSize(optionSize(header));
  for (const name of edits.queryToRemove) length += textSize(name);
  writer.open(3, length);
  for (const header of edits.requestHeaders) writeOption(2, header);
  for (const name of edits.requestHeadersToRemove) writer.text(5, name);
  for (const header of edits.responseHeaders) writeOption(6, header);
  for (const name of edits.queryToRemove) writer.text(8, name);
}

function optionSize({ name, value, action }: HeaderEdit): number {
  const append = action === 'Set' ? 0 : 2;
  return fieldSize(textSize(name) + textSize(value)) + fieldSize(append) + 2 + 2;
}

/**
 * HeaderValueOption: always an explicit action and the deprecated `append` beside it, for Envoy versions differ in which
 * of the two they look at, and an unset one would leave a client's own copy standing.
 */
function writeOption(field: number, header: HeaderEdit): void {
  const { name, value, action } = header;
  writer.open(field, optionSize(header));
  writer.open(1, textSize(name) + textSize(value));
  writer.text(1, name);
  writer.text(2, value);
  if (action === 'Set') writer.open(2, 0);
  else {
    writer.open(2, 2);
    writer.uint(1, 1);
  }
  writer.uint(3, APPEND_ACTIONS[action]);
  writer.uint(4, 1);
}

/** DeniedHttpResponse, as denied_response (2) or error_response (5). */
function writeDenied(field: number, decision: Decision): void {
  const headers = deniedHeaders(decision);
  const body = decision.isGrpc ? '' : problemDocument(decision);
  const { http } = REASONS[decision.reason];
  const status = http < 0x80 ? 2 : 3;
  let length = fieldSize(status);
  for (const header of headers) length += fieldSize(optionSize(header));
  if (body !== '') length += textSize(body);
  writer.open(field, length);
  writer.open(1, status);
  writer.uint(1, http);
  for (const header of headers) writeOption(2, header);
  if (body !== '') writer.text(3, body);
}

const set = (name: string, value: string): HeaderEdit => ({ name, value, action: 'Set' });

function deniedHeaders(decision: Decision): readonly HeaderEdit[] {
  const { refusal, isGrpc, reason } = decision;
  const headers: HeaderEdit[] = [set('x-postern-decision-id', decision.decisionId)];
  if (isGrpc) headers.push(set('grpc-status', String(REASONS[reason].grpc)), set('grpc-message', grpcMessage(decision)));
  else headers.push(set('content-type', 'application/problem+json'));
  // One field with a list, for Envoy adds to a denied answer only what is set (RFC 9110 §11.6.1 allows the list).
  if (refusal?.challenges !== undefined && refusal.challenges.length > 0) headers.push(set('www-authenticate', refusal.challenges.join(', ')));
  if (refusal?.retryAfterS !== undefined) headers.push(set('retry-after', String(refusal.retryAfterS)));
  for (const { name, value } of decision.answerHeaders) headers.push(set(name, value));
  // What cannot be a header is left out: the refusal stands without it.
  return headers.filter(({ name, value }) => isHeader(name, value));
}

/** dynamic_metadata (field 4): the decision's id, policy and reason for access logs, on every answer. */
function writeMetadata({ decisionId, policy, reason }: Decision): void {
  const name = policyName(policy);
  const length = entryField('decision_id', decisionId) + entryField('policy', name) + entryField('reason', reason);
  writer.open(4, length);
  writeEntry('decision_id', decisionId);
  writeEntry('policy', name);
  writeEntry('reason', reason);
}

const names = new WeakMap<PolicyRef, string>();

function policyName(policy: PolicyRef | undefined): string {
  if (policy === undefined) return 'none';
  const known = names.get(policy);
  if (known !== undefined) return known;
  const name = `${policy.namespace}/${policy.name}`;
  names.set(policy, name);
  return name;
}

/** One entry of google.protobuf.Struct.fields: its key, and a Value of text. */
const entryLength = (key: string, value: string): number => textSize(key) + fieldSize(textSize(value));
const entryField = (key: string, value: string): number => fieldSize(entryLength(key, value));

function writeEntry(key: string, value: string): void {
  writer.open(1, entryLength(key, value));
  writer.text(1, key);
  writer.open(2, textSize(value));
  writer.text(3, value);
}
