const PRIME = 0x0100_0193;
const SPREADER = 0x85eb_ca6b;
/** Letters are taken four at a time, each into a byte of its own: a multiplication waits for the one before it. */
const UNITS = 4;

/**
 * FNV-1a, but four UTF-16 units with each multiplication, and spread at the end; `seed` is what it begins with. Texts that differ only in units beyond a byte can have the same hash: it finds places, where texts are compared.
 */
export function fnv1a(text: string, seed: number): number {
  const { length } = text;
  const whole = length - (length % UNITS);
  let hash = seed ^ length;
  let i = 0;
  for (; i < whole; i += UNITS) {
    const low = text.charCodeAt(i) | (text.charCodeAt(i + 1) << 8);
    const high = text.charCodeAt(i + 2) | (text.charCodeAt(i + 3) << 8);
    hash = mixed(hash ^ low ^ (high << 16));
  }
  for (; i < length; i += 1) hash = mixed(hash ^ text.charCodeAt(i));
  return spread(hash);
}

/** The same of ASCII that is written as bytes. */
export function fnv1aOfBytes(bytes: Uint8Array, from: number, to: number, seed: number): number {
  const length = to - from;
  const whole = to - (length % UNITS);
  let hash = seed ^ length;
  let i = from;
  for (; i < whole; i += UNITS) {
    const low = (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8);
    const high = (bytes[i + 2] ?? 0) | ((bytes[i + 3] ?? 0) << 8);
    hash = mixed(hash ^ low ^ (high << 16));
  }
  for (; i < to; i += 1) hash = mixed(hash ^ (bytes[i] ?? 0));
  return spread(hash);
}

/** A product's low bits know nothing of its factors' high bits: they are folded down between two of them. */
function mixed(hash: number): number {
  const product = Math.imul(hash, PRIME);
  return product ^ (product >>> 15);
}

/** Every bit of the last letters reaches every bit that places are made of (a round of MurmurHash3's finaliser). */
function spread(hash: number): number {
  const mixedDown = Math.imul(hash ^ (hash >>> 16), SPREADER);
  return (mixedDown ^ (mixedDown >>> 13)) >>> 0;
}
