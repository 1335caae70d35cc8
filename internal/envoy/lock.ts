import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 200;
const PATIENCE_MS = 30 * 60_000;
/** SQLite's result code for a database that somebody else has locked. */
const SQLITE_BUSY = 5;

/**
 * Runs `make` while no other process runs something under the same lock file, and waits at most 30 minutes for that.
 *
 * The lock is the operating system's, which SQLite takes on the file: it ends with the process that holds it, however
 * that ends, so there are no stale ones. The empty file itself stays.
 *
 * @param path   a file of its own in a folder that may be written to; both are made
 * @param onWait called once if somebody else holds the lock
 */
export async function withLock<T>(path: string, make: () => Promise<T>, onWait?: () => void): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const release = await take(path, onWait);
  try {
    return await make();
  } finally {
    release();
  }
}

async function take(path: string, onWait: (() => void) | undefined): Promise<() => void> {
  // Loaded here: nothing that only looks for a component needs it.
  const { DatabaseSync } = await import('node:sqlite');
  const give = performance.now() + PATIENCE_MS;
  for (let attempt = 0; performance.now() < give; attempt += 1) {
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      database.exec('BEGIN EXCLUSIVE');
      return () => database.close();
    } catch (error) {
      database.close();
      if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    }
    if (attempt === 0) onWait?.();
    await delay(POLL_MS);
  }
  throw new Error(`Cannot lock "${path}": another process has held it for ${PATIENCE_MS / 60_000} minutes`);
}
