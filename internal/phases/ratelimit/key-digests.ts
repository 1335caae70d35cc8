import { fnv1a } from '../../core/fnv.ts';
import { digest } from './compile.ts';

const SLOTS = 4096;
/** Longer texts are seldom the same twice. */
const MAX_LENGTH = 64;
const SEED = 0x811c_9dc5;

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
    const slot = fnv1a(part, SEED) & (SLOTS - 1);
    if (this.#texts[slot] !== part) {
      this.#digests[slot] = digest([part]);
      this.#texts[slot] = part;
    }
    return this.#digests[slot] ?? '';
  }
}
