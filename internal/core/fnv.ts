const PRIME = 0x0100_0193;

/** FNV-1a over UTF-16 units, its high bits folded into the low ones; `seed` is what it begins with. */
export function fnv1a(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  return spread(hash);
}

/** The same of ASCII that is written as bytes. */
export function fnv1aOfBytes(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ (bytes[i] ?? 0), PRIME);
  return spread(hash);
}

const spread = (hash: number): number => (hash ^ (hash >>> 15)) >>> 0;
