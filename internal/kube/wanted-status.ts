import type { ObjectReport } from '../policy/store.ts';

/** What was last wanted for an object: a watch may show an older status than the one just written. */
export interface Wanted {
  readonly words: string;
  readonly given: ObjectReport['given'];
  readonly status: object;
  /** The object that it was last compared with: a status that somebody else changed is another one. */
  readonly comparedVersion: string | undefined;
}

/** Sections are the same objects as long as their baseline says the same. */
export const isSameGiven = (a: ObjectReport['given'] = [], b: ObjectReport['given'] = []): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);

/**
 * What a report says, without working out the status: the same words make the same status. All of it but the object, of
 * which only the generation is told of, and what baselines gave, which is compared as it is: what a report will say one
 * day is not left out.
 */
export function wordsOf({ object, given, ...said }: ObjectReport): string {
  return `${object.metadata.generation} ${JSON.stringify(said)}`;
}
