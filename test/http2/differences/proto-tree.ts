// A message of protobuf as a tree that can be changed and written again, by the wire format alone: whatever reads as a message
// is one, so a text may be taken for one now and then, and is then changed as one.

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

export interface Field {
  number: number;
  wire: number;
  /** Of a varint, or of what is fixed, as it stands. */
  raw: Buffer;
  /** Of bytes that read as a message. */
  fields: Field[] | undefined;
  /** Zero bytes of a length that is written longer than it needs to be; 0: as short as it can be. */
  overlong: number;
}

/** The fields of bytes that are a message, else undefined. */
export function parseTree(bytes: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = varintAt(bytes, at);
    if (tag === undefined || tag.value < 8) return undefined;
    at = tag.end;
    const wire = tag.value & 7;
    const end = endOf(bytes, at, wire);
    if (end === undefined || end > bytes.length) return undefined;
    const from = wire === BYTES ? (varintAt(bytes, at)?.end ?? at) : at;
    const raw = bytes.subarray(from, end);
    const inner = wire === BYTES && raw.length > 0 ? parseTree(raw) : undefined;
    fields.push({ number: Math.floor(tag.value / 8), wire, raw, fields: inner, overlong: 0 });
    at = end;
  }
  return fields;
}

function endOf(bytes: Buffer, at: number, wire: number): number | undefined {
  if (wire === VARINT) return varintAt(bytes, at)?.end;
  if (wire === FIXED64) return at + 8;
  if (wire === FIXED32) return at + 4;
  const length = wire === BYTES ? varintAt(bytes, at) : undefined;
  return length && length.end + length.value;
}

function varintAt(bytes: Buffer, start: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let at = start; at < Math.min(bytes.length, start + 10); at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

export const writeTree = (fields: readonly Field[]): Buffer => Buffer.concat(fields.map(writeField));

function writeField(field: Field): Buffer {
  const tag = varint(field.number * 8 + field.wire, 0);
  if (field.wire !== BYTES) return Buffer.concat([tag, field.raw]);
  const payload = field.fields === undefined ? field.raw : writeTree(field.fields);
  return Buffer.concat([tag, varint(payload.length, field.overlong), payload]);
}

/** @param overlong bytes more than it needs */
export function varint(value: number, overlong: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  for (let i = 0; i < overlong; i += 1) {
    bytes.push((bytes.pop() ?? 0) | 0x80);
    bytes.push(0);
  }
  return Buffer.from(bytes);
}

/** Every list of fields in it, the outermost first. */
export function listsOf(fields: Field[]): Field[][] {
  return [fields, ...fields.flatMap((field) => (field.fields === undefined ? [] : listsOf(field.fields)))];
}

/** The fields behind numbers, as `[1, 4, 2]` for `attributes.request.http`; undefined where they are not. */
export function fieldsAt(fields: Field[], path: readonly number[]): Field[] | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return fields;
  const inner = fields.find(({ number }) => number === first)?.fields;
  return inner && fieldsAt(inner, rest);
}
