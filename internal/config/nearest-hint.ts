import { nearest } from '../core/nearest.ts';

/** The end of a sentence about a word that nobody knows: the one that may be meant, or where to look. */
export function nearestHint(word: string, known: readonly string[]): string {
  const found = nearest(word, known);
  return found === undefined || found === word ? ': none is like it, see --help' : `: the nearest is "${found}"`;
}
