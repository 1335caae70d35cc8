import { BYTES, FIXED64, malformed, ProtoReader, tagOf, VARINT } from './proto-reader.ts';

/** Deepest nesting of a google.protobuf.Struct that is read; protobuf's own parsers stop at 100 messages, earlier. */
export const MAX_STRUCT_DEPTH = 64;
/** Most values in all Structs of one metadata field; a key without one counts as one. */
export const MAX_STRUCT_VALUES = 10_000;

type Json = Record<string, unknown>;

/** What is left of the bounds while one metadata field is read. */
interface Budget {
  values: number;
}

const KEY = tagOf(1, BYTES);
const ENTRY_VALUE = tagOf(2, BYTES);
const FIELDS = tagOf(1, BYTES);
const NULL_VALUE = tagOf(1, VARINT);
const NUMBER_VALUE = tagOf(2, FIXED64);
const STRING_VALUE = tagOf(3, BYTES);
const BOOL_VALUE = tagOf(4, VARINT);
const STRUCT_VALUE = tagOf(5, BYTES);
const LIST_VALUE = tagOf(6, BYTES);

/**
 * `envoy.config.core.v3.Metadata.filter_metadata`. Objects have no prototype, so that no key means anything but itself.
 *
 * @param messages the field's encodings in order of arrival: protobuf merges them, later entries win
 * @throws {PosternError} ERR_POSTERN_WIRE on malformed bytes, and beyond the bounds above
 */
export function readMetadata(messages: readonly Uint8Array[]): Json {
  const metadata = Object.create(null) as Json;
  const budget: Budget = { values: MAX_STRUCT_VALUES };
  for (const bytes of messages) {
    const reader = new ProtoReader(bytes);
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === FIELDS) readFilter(reader, metadata, budget);
      else reader.skip();
    }
  }
  return metadata;
}

/** An entry of map<string, Struct>. */
function readFilter(reader: ProtoReader, into: Json, budget: Budget): void {
  spend(budget, 0);
  const struct = Object.create(null) as Json;
  let key = '';
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === KEY) key = reader.text();
    else if (tag === ENTRY_VALUE) readStruct(reader, struct, { depth: 1, budget });
    else reader.skip();
  }
  reader.leave(outer);
  into[key] = struct;
}

interface Place {
  readonly depth: number;
  readonly budget: Budget;
}

/** Reads an embedded Struct into an object; into one that is there already where the message is sent in pieces. */
function readStruct(reader: ProtoReader, into: Json, place: Place): void {
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === FIELDS) readField(reader, into, place);
    else reader.skip();
  }
  reader.leave(outer);
}

/** An entry of map<string, Value>. */
function readField(reader: ProtoReader, into: Json, place: Place): void {
  let key = '';
  let value: unknown;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === KEY) key = reader.text();
    else if (tag === ENTRY_VALUE) value = readValue(reader, value ?? null, place);
    else reader.skip();
  }
  reader.leave(outer);
  if (value === undefined) spend(place.budget, place.depth);
  into[key] = value ?? null;
}

/** google.protobuf.Value: a oneof, whose last member counts; messages sent in pieces are merged. */
function readValue(reader: ProtoReader, before: unknown, { depth, budget }: Place): unknown {
  spend(budget, depth);
  const inner: Place = { depth: depth + 1, budget };
  let value = before;
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === NULL_VALUE) {
      reader.skip();
      value = null;
    } else if (tag === NUMBER_VALUE) value = reader.double();
    else if (tag === STRING_VALUE) value = reader.text();
    else if (tag === BOOL_VALUE) value = reader.bool();
    else if (tag === STRUCT_VALUE) {
      if (!isStruct(value)) value = Object.create(null) as Json;
      readStruct(reader, value as Json, inner);
    } else if (tag === LIST_VALUE) {
      if (!Array.isArray(value)) value = [];
      readList(reader, value as unknown[], inner);
    } else reader.skip();
  }
  reader.leave(outer);
  return value;
}

function readList(reader: ProtoReader, into: unknown[], place: Place): void {
  const outer = reader.enter();
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === FIELDS) into.push(readValue(reader, null, place));
    else reader.skip();
  }
  reader.leave(outer);
}

const isStruct = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

function spend(budget: Budget, depth: number): void {
  budget.values -= 1;
  if (depth > MAX_STRUCT_DEPTH || budget.values < 0) throw malformed('its metadata is too deep or too large');
}
