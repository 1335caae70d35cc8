import { shortPath } from '../../internal/config/paths.ts';
import { PosternError } from '../../internal/core/error.ts';
import { formatProblem } from '../../internal/files/format-problem.ts';
import type { LocatedProblem } from '../../internal/files/parse-file.ts';

/** Prints what is wrong, a line each, and ends the process. */
export function fail(code: number, problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`error: ${problem}\n`);
  process.exit(code);
}

/** A failure that was foreseen is one line; one that was not shows where it came from. */
export function describe(error: unknown): string {
  if (error instanceof PosternError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A line for each problem, with its file as short as it can be typed. */
export function printProblems(problems: readonly LocatedProblem[], output: NodeJS.WritableStream): void {
  for (const { place, ...problem } of problems)
    output.write(`${formatProblem({ ...problem, place: { ...place, file: shortPath(place.file) } })}\n`);
}
