// Header fields as they stand in a CheckResponse.
import type { HeaderEdit } from '../core/decision.ts';
import { fieldName } from './header-rules.ts';
import { BYTES, tagOf, VARINT } from './proto-reader.ts';
import { encodedText, type ProtoWriter } from './proto-writer.ts';

/** HeaderValueOption. */
const HEADER = tagOf(1, BYTES);
const APPEND = tagOf(2, BYTES);
const APPEND_ACTION = tagOf(3, VARINT);
const KEEP_EMPTY_VALUE = tagOf(4, VARINT);
/** BoolValue. */
const BOOL_VALUE = tagOf(1, VARINT);
/** HeaderValue. */
const KEY = tagOf(1, BYTES);
const VALUE = tagOf(2, BYTES);

const DECISION_ID_HEADER = 'x-postern-decision-id';
const MAX_DECISION_ID = 128;

/**
 * What follows the header in a HeaderValueOption. Envoy lets `append` win where it is present, and up to 1.36 sees
 * nothing else, so it is there wherever it can say the same as `append_action`.
 */
const ACTIONS: Readonly<Record<HeaderEdit['action'], Uint8Array>> = {
  Set: Uint8Array.of(APPEND, 0, APPEND_ACTION, 2),
  Append: Uint8Array.of(APPEND, 2, BOOL_VALUE, 1, APPEND_ACTION, 0),
  AddIfAbsent: Uint8Array.of(APPEND_ACTION, 1),
};

/** Whether an id can stand in a header: letters, digits, and `.`, `_`, `:`, `-`. Asked by every answer: no pattern is started. */
export function isDecisionId(text: string): boolean {
  if (text.length === 0 || text.length > MAX_DECISION_ID) return false;
  for (let i = 0; i < text.length; i += 1) if (!isIdUnit(text.charCodeAt(i))) return false;
  return true;
}

const isIdUnit = (unit: number): boolean =>
  // 0-9 and `:`, a-z, A-Z, `-` and `.`, `_`.
  (unit >= 0x30 && unit <= 0x3a) ||
  (unit >= 0x61 && unit <= 0x7a) ||
  (unit >= 0x41 && unit <= 0x5a) ||
  unit === 0x2d ||
  unit === 0x2e ||
  unit === 0x5f;

export function writeHeaders(writer: ProtoWriter, tag: number, edits: readonly HeaderEdit[]): void {
  for (let i = edits.length - 1; i >= 0; i -= 1) {
    const edit = edits[i];
    if (edit !== undefined) writeHeader(writer, tag, edit);
  }
}

/** @param action where it is not the edit's own */
export function writeHeader(
  writer: ProtoWriter,
  tag: number,
  { name, value, action: own }: HeaderEdit,
  action = own,
): void {
  const before = writer.mark;
  if (value === '') {
    writer.byte(1);
    writer.varint(KEEP_EMPTY_VALUE);
  }
  writer.raw(ACTIONS[action]);
  const inner = writer.mark;
  writer.text(VALUE, value);
  writer.text(KEY, fieldName(name) ?? '');
  writer.endMessage(HEADER, inner);
  writer.endMessage(tag, before);
}

const DECISION_ID_KEY = encodedText(KEY, DECISION_ID_HEADER);

/** Every answer carries it, set over what an upstream calls so: its name is encoded once. */
export function writeDecisionId(writer: ProtoWriter, tag: number, decisionId: string): void {
  if (!isDecisionId(decisionId)) return;
  const before = writer.mark;
  writer.raw(ACTIONS.Set);
  const inner = writer.mark;
  writer.text(VALUE, decisionId);
  writer.raw(DECISION_ID_KEY);
  writer.endMessage(HEADER, inner);
  writer.endMessage(tag, before);
}
