import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../../internal/envoy/lock.ts';

export const run = promisify(execFile);

/** Where components lie between runs; git-ignored, safe to delete. */
export const CACHE = resolve(import.meta.dirname, '../../.cache');

export const progress = (line: string): void => void process.stderr.write(`[components] ${line}\n`);

/** A component to run, or why there is none: the end of a sentence, for a person. */
export type Obtained = { readonly path: string } | { readonly missing: string };

/** Runs `make` for one process at a time. */
export function locked<T>(name: string, make: () => Promise<T>): Promise<T> {
  const onWait = (): void => progress(`Waiting for another process that makes "${name}" …`);
  return withLock(join(CACHE, `${name}.lock.db`), make, onWait);
}

/** How one component is found, and made where it is not there. */
export interface Recipe {
  readonly title: string;
  /** Recipes of one lock are never made at the same time. */
  readonly lock: string;
  /** Where it is, if it is there whole. */
  readonly find: () => Promise<string | undefined>;
  readonly make: () => Promise<void>;
}

/** Finds a component, else makes it, once for all processes. Never throws: whatever goes wrong is why it is missing. */
export async function obtain({ title, lock, find, make }: Recipe): Promise<Obtained> {
  const there = await find();
  if (there !== undefined) return { path: there };
  try {
    return await locked(lock, async () => {
      if ((await find()) === undefined) await make();
      const made = await find();
      return made === undefined ? { missing: `${title} came incomplete` } : { path: made };
    });
  } catch (error) {
    return { missing: `${title} cannot be had: ${reasonOf(error)}` };
  }
}

/** What a command said last; a command that did not even start says nothing. */
function reasonOf(error: unknown): string {
  const { stderr = '' } = error as { stderr?: string };
  const said = stderr.trim() || (error instanceof Error ? error.message : String(error));
  return said.slice(-500);
}

const missingInCi = ({ missing }: { missing: string }): Error => new Error(`A component is missing: ${missing}`);

/** Skips a test whose component cannot be had, loudly; with CI=true that is a failure. */
export function requireComponent(obtained: Obtained, test: { skip(message: string): void }): string | undefined {
  const reason = skipWithout(obtained);
  if (reason !== false) test.skip(reason);
  return 'path' in obtained ? obtained.path : undefined;
}

/** The same for a whole suite: the reason to skip it, or false. */
export function skipWithout(obtained: Obtained): string | false {
  if ('path' in obtained) return false;
  if (process.env.CI === 'true') throw missingInCi(obtained);
  progress(`SKIPPED: ${obtained.missing}`);
  return obtained.missing;
}
