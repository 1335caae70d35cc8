// Messages that are almost what Envoy sends.
import { type Field, fieldsAt, listsOf, parseTree, varint, writeTree } from './proto-tree.ts';

type Next = () => number;
type Mutation = (message: Buffer, below: (bound: number) => number) => Buffer;

const HTTP = [1, 4, 2];
const HEADERS = 3;
const HEADER_MAP = 13;
const BYTES = 2;

/** Changes a message in one way or several. @param next 32 bits at a time */
export function mutated(message: Buffer, next: Next): Buffer {
  const below = (bound: number): number => (bound === 0 ? 0 : next() % bound);
  let changed = message;
  for (let i = 0; i <= below(3); i += 1) changed = (MUTATIONS[below(MUTATIONS.length)] ?? flipped)(changed, below);
  return changed;
}

const flipped: Mutation = (message, below) => {
  const changed = Buffer.from(message);
  for (let i = 0; i <= below(3); i += 1) {
    const at = below(changed.length);
    changed[at] = (changed[at] ?? 0) ^ (1 << below(8));
  }
  return changed;
};

const replaced: Mutation = (message, below) => {
  const changed = Buffer.from(message);
  if (changed.length > 0) changed[below(changed.length)] = below(256);
  return changed;
};

const cutOff: Mutation = (message, below) => message.subarray(0, below(message.length + 1));

const insertedBytes: Mutation = (message, below) => {
  const at = below(message.length + 1);
  const some = Buffer.from(Array.from({ length: 1 + below(4) }, () => below(256)));
  return Buffer.concat([message.subarray(0, at), some, message.subarray(at)]);
};

/** A change of the tree; what is none is changed in its bytes. */
const inTree =
  (change: (fields: Field[], below: (bound: number) => number) => void): Mutation =>
  (message, below) => {
    const fields = parseTree(message);
    if (fields === undefined || fields.length === 0) return flipped(message, below);
    change(fields, below);
    return writeTree(fields);
  };

const pickList = (fields: Field[], below: (bound: number) => number): Field[] => {
  const lists = listsOf(fields).filter((list) => list.length > 0);
  return lists[below(lists.length)] ?? fields;
};

const copyOf = (field: Field): Field => ({
  ...field,
  fields: field.fields?.map(copyOf),
});

/** A field that comes twice, behind all others or anywhere; of messages the second is merged into the first. */
const doubled = inTree((fields, below) => {
  const list = pickList(fields, below);
  const field = list[below(list.length)];
  if (field !== undefined) list.splice(below(2) === 0 ? list.length : below(list.length + 1), 0, copyOf(field));
});

const dropped = inTree((fields, below) => {
  const list = pickList(fields, below);
  list.splice(below(list.length), 1);
});

const shuffled = inTree((fields, below) => {
  const list = pickList(fields, below);
  const [field] = list.splice(below(list.length), 1);
  if (field !== undefined) list.splice(below(list.length + 1), 0, field);
});

/** A field's number, or how it is written. */
const retagged = inTree((fields, below) => {
  const list = pickList(fields, below);
  const field = list[below(list.length)];
  if (field === undefined) return;
  if (below(3) === 0) field.wire = [0, 1, 2, 5, 3, 4, 6, 7][below(8)] ?? 0;
  else field.number = [1, 2, 3, 4, 9, 11, 12, HEADER_MAP, 15, 16, 1000, 536_870_911][below(12)] ?? 1;
});

/** A length or a number that is longer than it need be, or as long as none may be. */
const overlong = inTree((fields, below) => {
  const list = pickList(fields, below);
  const field = list[below(list.length)];
  if (field === undefined) return;
  if (field.wire === BYTES) field.overlong = 1 + below(10);
  else field.raw = varint(below(1000), below(12));
});

/** A number as large as one can be, or negative. */
const numbered = inTree((fields, below) => {
  const numbers = listsOf(fields).flatMap((list) => list.filter(({ wire }) => wire === 0));
  const field = numbers[below(numbers.length)];
  if (field !== undefined) field.raw = EXTREMES[below(EXTREMES.length)] ?? field.raw;
});

const EXTREMES: readonly Buffer[] = [
  Buffer.of(0),
  Buffer.of(0xff, 0xff, 0xff, 0xff, 0x0f),
  Buffer.of(0xff, 0xff, 0xff, 0xff, 0x07),
  Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
  Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
  Buffer.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01),
];

/** Some header fields in the other form, or in both. */
const mixedForms = inTree((fields, below) => {
  const http = fieldsAt(fields, HTTP);
  if (http === undefined) return;
  const entries = http.filter(({ number }) => number === HEADERS);
  const inMap = fieldsAt(http, [HEADER_MAP]) ?? [];
  const moved = (entries.length > 0 ? entries : inMap).filter(() => below(2) === 0).map(copyOf);
  if (entries.length > 0) {
    const map = moved.map((entry) => ({ ...entry, number: 1 }));
    http.push({ number: HEADER_MAP, wire: BYTES, raw: Buffer.alloc(0), fields: map, overlong: 0 });
  } else http.push(...moved.map((entry) => ({ ...entry, number: HEADERS })));
});

/** The message twice, the second of which says something else. */
const merged: Mutation = (message, below) => Buffer.concat([message, flipped(message, below)]);

const MUTATIONS: readonly Mutation[] = [
  flipped,
  replaced,
  cutOff,
  insertedBytes,
  doubled,
  dropped,
  shuffled,
  retagged,
  overlong,
  numbered,
  mixedForms,
  merged,
];
