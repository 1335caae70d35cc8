// Keys of counters as bytes in a fixed space: a million strings would be a hundred megabytes that the collector walks.
import { fnv1a, fnv1aOfBytes } from '../core/fnv.ts';

/** Bytes of one key: its length, then its characters. */
export const KEY_BYTES = 48;
/** The contract of `Take.key`. */
const MAX_LENGTH = KEY_BYTES - 1;

/** Begun with a secret: whoever can choose keys must not be able to choose their places. */
export const hashOfKey = (key: string, seed: number): number => fnv1a(key, seed);

/** The same of a key that is written. */
export const hashOfWritten = (bytes: Uint8Array, at: number, seed: number): number =>
  fnv1aOfBytes(bytes, at + 1, at + 1 + (bytes[at] ?? 0), seed);

export function isKeyAt(bytes: Uint8Array, at: number, key: string): boolean {
  const { length } = key;
  if (bytes[at] !== length) return false;
  for (let i = 0; i < length; i += 1) if (bytes[at + 1 + i] !== key.charCodeAt(i)) return false;
  return true;
}

/** @throws {RangeError} for a key that would not be the same when it is read */
export function writeKey(bytes: Uint8Array, at: number, key: string): void {
  const { length } = key;
  if (length > MAX_LENGTH)
    throw new RangeError(`A key of a counter has ${length} characters, at most ${MAX_LENGTH} fit`);
  for (let i = 0; i < length; i += 1) {
    const unit = key.charCodeAt(i);
    if (unit > 0x7f) throw new RangeError('A key of a counter is not ASCII');
    bytes[at + 1 + i] = unit;
  }
  bytes[at] = length;
}
