import { formatLine } from '../files/format-problem.ts';
import { locateProblems } from '../files/locate-problems.ts';
import { type FileObject, identityOf, type LocatedProblem } from '../files/parse-file.ts';
import type { ObjectReport } from '../policy/store.ts';
import { standingText } from '../policy/unserved.ts';

/** What a build found, with places for pages and as lines for the log. */
export interface ProblemLines {
  readonly problems: readonly LocatedProblem[];
  readonly lines: readonly string[];
  /** Policies of which something else than the newest version serves, or nothing. */
  readonly unaccepted: ReadonlySet<string>;
}

/** Places and lines of what a build found, an object a step; each line of a policy says what serves in its stead. */
export function* problemLines(
  reports: readonly ObjectReport[],
  files: ReadonlyMap<string, FileObject>,
): Generator<undefined, ProblemLines> {
  const problems: LocatedProblem[] = [];
  const lines: string[] = [];
  const unaccepted = new Set<string>();
  for (const report of reports) {
    const found = yield* locateProblems([report], files);
    for (const problem of found) problems.push(problem);
    const standing = standingOf(report);
    if (standing !== undefined) unaccepted.add(identityOf(report));
    for (const problem of found) {
      const isTold = standing !== undefined && problem.severity === 'error';
      lines.push(isTold ? `${formatLine(problem)}; ${standing}` : formatLine(problem));
    }
    // Its problems were said where its file was read.
    if (standing !== undefined && !found.some(({ severity }) => severity === 'error'))
      lines.push(`${identityOf(report)}: ${standing}`);
  }
  return { problems, lines, unaccepted };
}

function standingOf(report: ObjectReport): string | undefined {
  if (report.object.kind !== 'APIPolicy' || report.isAccepted) return undefined;
  return standingText(report);
}
