import { PosternError } from '../../internal/core/error.ts';

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
