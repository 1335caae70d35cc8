import { execFile } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

export const run = promisify(execFile);

/** Where components lie between runs; git-ignored, safe to delete. */
export const CACHE = resolve(import.meta.dirname, '../../.cache');

export const progress = (line: string): void => void process.stderr.write(`[components] ${line}\n`);

/** A component to run, or why there is none. */
export type Obtained = { readonly path: string } | { readonly missing: string };

const LOCK_MS = 20 * 60_000;

/** Runs `make` for one process at a time; a lock whose process is gone is taken over. */
export async function locked<T>(name: string, make: () => Promise<T>): Promise<T> {
  mkdirSync(CACHE, { recursive: true });
  const lock = resolve(CACHE, `${name}.lock`);
  const give = performance.now() + LOCK_MS;
  while (!take(lock)) {
    if (performance.now() > give) throw new Error(`"${lock}" is held for too long: delete it`);
    await wait(200);
  }
  try {
    return await make();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock: string): boolean {
  try {
    const file = openSync(lock, 'wx');
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch {
    if (existsSync(lock) && !isAlive(readFileSync(lock, 'utf8'))) rmSync(lock, { force: true });
    return false;
  }
}

function isAlive(pid: string): boolean {
  // Written in two steps: an empty file is a lock that is just being taken.
  if (!/^\d+$/.test(pid)) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
}

/** Skips a test whose component cannot be had, loudly; with CI=true that is a failure. */
export function requireComponent(obtained: Obtained, test: { skip(message: string): void }): string | undefined {
  if ('path' in obtained) return obtained.path;
  if (process.env.CI === 'true') throw new Error(`A component is missing: ${obtained.missing}`);
  progress(`SKIPPED: ${obtained.missing}`);
  test.skip(obtained.missing);
  return undefined;
}

/** The same for a whole suite: the reason to skip it, or false. */
export function skipWithout(obtained: Obtained): string | false {
  if ('path' in obtained) return false;
  if (process.env.CI === 'true') throw new Error(`A component is missing: ${obtained.missing}`);
  progress(`SKIPPED: ${obtained.missing}`);
  return obtained.missing;
}
