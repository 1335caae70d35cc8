// `dynamic_metadata` of a CheckResponse, which Envoy files under `envoy.filters.http.ext_authz`: for access logs and later
// filters.
import type { Decision, PolicyRef } from '../core/decision.ts';
import { REASONS, type ReasonName } from '../core/reasons.ts';
import { BYTES, tagOf } from './proto-reader.ts';
import { ProtoWriter } from './proto-writer.ts';

/** google.protobuf.Struct, and an entry of its map. */
const FIELDS = tagOf(1, BYTES);
const KEY = tagOf(1, BYTES);
const VALUE = tagOf(2, BYTES);
/** Value. */
const STRING_VALUE = tagOf(3, BYTES);

/** Writes a google.protobuf.Struct: what does not vary from check to check of a policy was encoded with its first. */
export function writeMetadata(writer: ProtoWriter, tag: number, { decisionId, policy, reason }: Decision): void {
  const before = writer.mark;
  writer.raw(REASON_FIELDS[reason]);
  writer.raw(policyField(policy));
  writeField(writer, 'decision_id', decisionId);
  writer.endMessage(tag, before);
}

/** An entry of Struct.fields with a string. */
function writeField(writer: ProtoWriter, key: string, value: string): void {
  const before = writer.mark;
  writer.text(STRING_VALUE, value);
  writer.endMessage(VALUE, before);
  writer.text(KEY, key);
  writer.endMessage(FIELDS, before);
}

function encodedField(key: string, value: string): Uint8Array {
  const writer = new ProtoWriter();
  writeField(writer, key, value);
  return writer.finish();
}

const REASON_FIELDS = Object.fromEntries(
  Object.keys(REASONS).map((reason) => [reason, encodedField('reason', reason)]),
) as Readonly<Record<ReasonName, Uint8Array>>;
const NO_POLICY = encodedField('policy', 'none');
const policyFields = new WeakMap<PolicyRef, Uint8Array>();

function policyField(policy: PolicyRef | undefined): Uint8Array {
  if (policy === undefined) return NO_POLICY;
  const known = policyFields.get(policy);
  if (known !== undefined) return known;
  const field = encodedField('policy', `${policy.namespace}/${policy.name}`);
  policyFields.set(policy, field);
  return field;
}
