import type { Problem } from '../core/problem.ts';
import type { SourceObject } from '../policy/object.ts';
import { type FileObject, identityOf, type LocatedProblem } from './parse-file.ts';

/** What was found of one object after it was read. */
export interface Found {
  readonly object: SourceObject;
  readonly problems: readonly Problem[];
}

/** Where in its file each problem stands, an object a step; without what its reader has said already. */
export function* locateProblems(
  found: readonly Found[],
  files: ReadonlyMap<string, FileObject>,
): Generator<undefined, readonly LocatedProblem[]> {
  const located: LocatedProblem[] = [];
  for (const { object, problems } of found) {
    const file = files.get(identityOf({ object }));
    if (file === undefined) continue;
    for (const problem of problems) {
      if (object.problems?.includes(problem) === true) continue;
      located.push({ ...problem, place: file.placeOf(problem.path) });
    }
    yield;
  }
  return located;
}
