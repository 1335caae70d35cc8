import { digest } from './compile.ts';

const SLOTS = 4096;
/** Longer texts are seldom the same twice. */
const MAX_LENGTH = 64;
const PRIME = 0x0100_0193;

/**
 * Digests of keys that come again and again, a caller's with each of its requests. A table of fixed size, compared in
 * full: whoever fills it with other keys costs others a hash and nothing else. Secrets do not belong here.
 */
export class KeyDigests {
  readonly #texts: string[] = Array.from({ length: SLOTS }, () => '');
  readonly #digests: string[] = Array.from({ length: SLOTS }, () => '');

  /** The digest of a key of one part. */
  of(part: string): string {
    if (part.length > MAX_LENGTH || part === '') return digest([part]);
    const slot = slotOf(part);
    if (this.#texts[slot] !== part) {
      this.#digests[slot] = digest([part]);
      this.#texts[slot] = part;
    }
    return this.#digests[slot] ?? '';
  }
}

/** FNV-1a over UTF-16 units. */
function slotOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}
