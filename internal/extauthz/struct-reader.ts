import { PosternError } from '../core/error.ts';
import { ProtoReader } from './proto-reader.ts';

/** Deepest nesting and most values of a google.protobuf.Struct that is read. */
export const MAX_STRUCT_DEPTH = 32;
const MAX_STRUCT_VALUES = 10_000;

type Json = Record<string, unknown>;

/** Reads `envoy.config.core.v3.Metadata.filter_metadata` (field 1) from one or more encoded messages, later ones winning. */
export function readMetadata(messages: readonly Uint8Array[]): Json {
  const metadata: Json = Object.create(null) as Json;
  const budget = { values: MAX_STRUCT_VALUES };
  for (const bytes of messages) {
    const reader = new ProtoReader(bytes);
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field !== 1 || !reader.isBytes) {
        reader.skip();
        continue;
      }
      readEntry(reader.message(), metadata, (value) => readStruct(value, 0, budget));
    }
  }
  return metadata;
}

interface Budget {
  values: number;
}

function readEntry(entry: ProtoReader, into: Json, read: (value: ProtoReader) => unknown): void {
  let key = '';
  let value: ProtoReader | undefined;
  for (let field = entry.next(); field !== 0; field = entry.next()) {
    if (field === 1 && entry.isBytes) key = entry.text();
    else if (field === 2 && entry.isBytes) value = entry.message();
    else entry.skip();
  }
  into[key] = value === undefined ? null : read(value);
}

function readStruct(reader: ProtoReader, depth: number, budget: Budget): Json {
  const struct: Json = Object.create(null) as Json;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1 && reader.isBytes) readEntry(reader.message(), struct, (value) => readValue(value, depth + 1, budget));
    else reader.skip();
  }
  return struct;
}

function readValue(reader: ProtoReader, depth: number, budget: Budget): unknown {
  budget.values -= 1;
  if (depth > MAX_STRUCT_DEPTH || budget.values < 0) throw new PosternError('ERR_POSTERN_WIRE', 'The metadata is too deep or too large');
  let value: unknown = null;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 2) value = reader.double();
    else if (field === 3 && reader.isBytes) value = reader.text();
    else if (field === 4 && reader.isVarint) value = reader.int64() !== 0;
    else if (field === 5 && reader.isBytes) value = readStruct(reader.message(), depth, budget);
    else if (field === 6 && reader.isBytes) value = readList(reader.message(), depth, budget);
    else {
      if (field === 1) value = null;
      reader.skip();
    }
  }
  return value;
}

function readList(reader: ProtoReader, depth: number, budget: Budget): unknown[] {
  const list: unknown[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1 && reader.isBytes) list.push(readValue(reader.message(), depth + 1, budget));
    else reader.skip();
  }
  return list;
}
