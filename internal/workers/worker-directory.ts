import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';

/** A folder for sockets between the workers, that nobody else may enter. */
export interface WorkerDirectory {
  readonly path: string;
  /** Takes it away. */
  remove(): void;
}

const PREFIX = 'postern-workers-';
/** Somebody listens there as long as the main process lives, so that the folder is known to be in use. */
const IN_USE = 'main.sock';
/** Of more than any worker's socket: its number, and how often it was replaced. */
const LONGEST_NAME = 'worker-999-9999999.sock';
/** Longest path of a unix socket on Linux. */
const MOST_BYTES = 107;
/** A folder in which nobody listens yet may be one that was just made. */
const YOUNG_MS = 60_000;

/**
 * Makes the folder, and takes away those of instances that ended without being able to.
 *
 * @param parent where; by default the folder for temporary files
 * @throws {PosternError} ERR_POSTERN_LISTEN, which says where it cannot be made and what to do
 */
export async function makeDirectory(clock: Pick<Clock, 'wallMs'>, parent: string = tmpdir()): Promise<WorkerDirectory> {
  const longest = Buffer.byteLength(join(parent, `${PREFIX}xxxxxx`, LONGEST_NAME));
  if (longest > MOST_BYTES) throw cannot(parent, `a path of a socket has at most ${MOST_BYTES} bytes, not ${longest}`);
  await sweep(parent, clock.wallMs());
  let path: string;
  try {
    path = mkdtempSync(join(parent, PREFIX));
  } catch (error) {
    throw cannot(parent, error instanceof Error ? error.message : String(error), error);
  }
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  // Also where a second signal, or an error, leaves no time for anything else.
  process.once('exit', remove);
  const server = await holdOpen(join(path, IN_USE)).catch((error: unknown) => {
    remove();
    throw cannot(parent, error instanceof Error ? error.message : String(error), error);
  });
  return {
    path,
    remove() {
      process.off('exit', remove);
      server.close();
      remove();
    },
  };
}

function cannot(parent: string, why: string, cause?: unknown): PosternError {
  const message = `--workers needs a folder for sockets in "${parent}", which cannot be made: ${why}. Make it writable, or name another one, with a short path, in TMPDIR`;
  return new PosternError('ERR_POSTERN_LISTEN', message, { cause });
}

async function holdOpen(path: string): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer((probe) => probe.on('error', () => undefined).end());
  server.once('error', reject);
  server.listen(path, resolve);
  await promise;
  return server
    .off('error', reject)
    .on('error', () => undefined)
    .unref();
}

/** Takes away what nobody uses any more. What cannot be looked at or removed is somebody else's, or stays. */
async function sweep(parent: string, nowMs: number): Promise<void> {
  let names: string[] = [];
  try {
    names = readdirSync(parent).filter((name) => name.startsWith(PREFIX));
  } catch {
    // Whether a folder can be made there is said next.
  }
  for (const name of names) {
    const path = join(parent, name);
    try {
      if (await isLeftBehind(path, nowMs)) rmSync(path, { recursive: true, force: true });
    } catch {
      // The next start tries again.
    }
  }
}

async function isLeftBehind(path: string, nowMs: number): Promise<boolean> {
  const folder = lstatSync(path, { throwIfNoEntry: false });
  if (!folder?.isDirectory() || folder.uid !== process.getuid?.()) return false;
  const socket = lstatSync(join(path, IN_USE), { throwIfNoEntry: false });
  if (socket === undefined) return nowMs - folder.mtimeMs > YOUNG_MS;
  return refuses(join(path, IN_USE));
}

/** Whether it is sure that nobody listens. */
function refuses(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect(path);
  probe.on('connect', () => {
    probe.destroy();
    resolve(false);
  });
  probe.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  return promise;
}
