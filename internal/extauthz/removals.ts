// Request headers that an answer removes. A list that is frozen belongs to a policy and stands in each of its answers: it
// is judged and encoded once.
import { fieldName } from './header-rules.ts';
import { BYTES, tagOf } from './proto-reader.ts';
import { ProtoWriter } from './proto-writer.ts';

/** OkHttpResponse.headers_to_remove. */
export const HEADERS_TO_REMOVE = tagOf(5, BYTES);

interface Known {
  readonly size: number;
  readonly bytes: Uint8Array;
}

const known = new WeakMap<readonly string[], Known>();

/** The whole list as it stands in an OkHttpResponse; undefined where it is one answer's own. */
export const encodedRemovals = (names: readonly string[]): Uint8Array | undefined => knownOf(names)?.bytes;

/** Characters of the names; NaN, which no sum loses, where one of them may not be removed. */
export const sizeOfRemovals = (names: readonly string[]): number => knownOf(names)?.size ?? sizeOf(names);

function knownOf(names: readonly string[]): Known | undefined {
  const found = known.get(names);
  if (found !== undefined || !Object.isFrozen(names)) return found;
  const writer = new ProtoWriter();
  for (const name of names.toReversed()) writer.text(HEADERS_TO_REMOVE, fieldName(name) ?? '');
  const made = { size: sizeOf(names), bytes: writer.finish() };
  known.set(names, made);
  return made;
}

function sizeOf(names: readonly string[]): number {
  let size = 0;
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i] ?? '';
    const lower = fieldName(name);
    // Envoy removes neither `Host` nor HTTP/2's own fields, without a word.
    size += lower === undefined || lower === 'host' ? Number.NaN : name.length;
  }
  return size;
}
