import { type ChildProcess, spawn } from 'node:child_process';

/** A program that runs beside this one and never outlives it. */
export interface RunningChild {
  /** The end of what it wrote to stderr, at most 8,000 characters. */
  readonly said: () => string;
  readonly hasExited: () => boolean;
  /** Resolves when it ends, whoever ended it. */
  readonly exited: Promise<void>;
  /** SIGKILL, as a crash would be. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL for one that has not ended three seconds later. */
  stop(): Promise<void>;
}

const STOP_MS = 3000;
const KEPT_CHARACTERS = 8000;

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Starts a program; that it cannot be started shows in `exited` and `said`, nothing is thrown. */
export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): RunningChild {
  const child = spawn(command, [...args], { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  let hasExited = false;
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-KEPT_CHARACTERS);
  });
  const exited = new Promise<void>((resolve) => {
    const end = (): void => {
      hasExited = true;
      resolve();
    };
    // "close" and not "exit": what it said last has been read by then.
    child.once('close', end);
    child.once('error', (error) => {
      said += error.message;
      end();
    });
  });
  tie(child);
  // A test that failed before its clean-up, say, ends all the same, and the guard then ends the program.
  child.unref();
  unref(child.stderr);
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    child.ref();
    if (!hasExited) child.kill(name);
    await exited;
  };
  return {
    said: () => said,
    hasExited: () => hasExited,
    exited,
    kill: () => signal('SIGKILL'),
    async stop() {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await signal('SIGTERM');
      clearTimeout(timer);
    },
  };
}

/**
 * Ends `child` when this process ends, even when it is killed: a shell reads from a pipe whose other end only this
 * process holds. It stands outside our process group, so that a Ctrl-C does not end it first.
 */
function tie(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const script = 'read -r _; kill -KILL "$0" 2>/dev/null';
  const guard = spawn('/bin/sh', ['-c', script, String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Without a shell there is no guard, which costs no more than a left-over process.
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  unref(guard.stdin);
  child.once('exit', () => guard.kill('SIGKILL'));
}

/** Node's pipes are sockets, which its types do not say. */
const unref = (pipe: unknown): void => (pipe as { unref?: () => void }).unref?.();
