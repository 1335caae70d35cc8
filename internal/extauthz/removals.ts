// Request headers that an answer removes. A list that is frozen belongs to a policy and stands in each of its answers: it
// is judged and encoded once.
import { fieldName } from './header-rules.ts';
import { BYTES, tagOf } from './proto-reader.ts';
import { ProtoWriter } from './proto-writer.ts';

/** OkHttpResponse.headers_to_remove. */
export const HEADERS_TO_REMOVE = tagOf(5, BYTES);

const encoded = new WeakMap<readonly string[], Uint8Array>();
const sizes = new WeakMap<readonly string[], number>();

/** The whole list as it stands in an OkHttpResponse; undefined where it is one answer's own. */
export function encodedRemovals(names: readonly string[]): Uint8Array | undefined {
  const known = encoded.get(names);
  if (known !== undefined || !Object.isFrozen(names)) return known;
  const writer = new ProtoWriter();
  for (const name of names.toReversed()) writer.text(HEADERS_TO_REMOVE, fieldName(name) ?? '');
  const bytes = writer.finish();
  encoded.set(names, bytes);
  return bytes;
}

/** Characters of the names; NaN, which no sum loses, where one of them may not be removed. */
export function sizeOfRemovals(names: readonly string[]): number {
  const known = sizes.get(names);
  if (known !== undefined) return known;
  let size = 0;
  for (let i = 0; i < names.length; i += 1) size += sizeOfRemoval(names[i] ?? '');
  if (Object.isFrozen(names)) sizes.set(names, size);
  return size;
}

/** Envoy removes neither `Host` nor HTTP/2's own fields, without a word. */
function sizeOfRemoval(name: string): number {
  const lower = fieldName(name);
  return lower === undefined || lower === 'host' ? Number.NaN : name.length;
}
