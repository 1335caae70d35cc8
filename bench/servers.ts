import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '..');
export const SERVER_CORE = '0';
export const LOAD_CORE = '1';

export interface BenchServer {
  readonly target: string;
  readonly admin: string;
  readonly pid: number;
  /** SIGKILL. */
  stop(): Promise<void>;
  /** SIGTERM; resolves when it has drained. */
  drain(): Promise<void>;
}

/** The log line that says how far a server is. */
export type StartedAt = 'Postern listens' | 'Postern is ready';

/** How the process of a server is run. */
export interface RunOptions {
  /** As `taskset` writes them; `SERVER_CORE` where none is given. */
  readonly cores?: string;
  /** Flags of Node. */
  readonly node?: readonly string[];
  /** Told of each line of its output that is no log. */
  readonly onText?: (line: string) => void;
  readonly env?: Readonly<Record<string, string>>;
}

type ReadLine = (line: Record<string, unknown>) => { target: string; admin: string } | undefined;

/** Starts a script of Node on a core and waits for the line that `read` takes. */
const start = (
  args: readonly string[],
  read: ReadLine,
  until?: StartedAt,
  how: RunOptions = {},
): Promise<BenchServer> => startProgram([process.execPath, ...(how.node ?? []), ...args], read, until, how);

function startProgram(
  command: readonly string[],
  read: ReadLine,
  until: StartedAt = 'Postern is ready',
  { cores = SERVER_CORE, onText, env }: RunOptions = {},
): Promise<BenchServer> {
  const child = spawn('taskset', ['-c', cores, ...command], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((ready, fail) => {
    let found: { target: string; admin: string } | undefined;
    let hasStarted = false;
    createInterface({ input: child.stdout }).on('line', (text) => {
      if (!text.startsWith('{')) onText?.(text);
      // What it logs under load is not worth the load core's time.
      if (hasStarted || !text.startsWith('{')) return;
      const line = JSON.parse(text) as Record<string, unknown>;
      found ??= read(line);
      const isReady = found !== undefined && (line.message === until || line.port !== undefined);
      hasStarted = isReady;
      if (isReady && found !== undefined)
        ready({ ...found, pid: child.pid ?? 0, stop: () => end(child, 'SIGKILL'), drain: () => end(child, 'SIGTERM') });
    });
    child.once('exit', (code) => fail(new Error(`it ended with ${code}`)));
  });
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    child.once('exit', () => done());
    child.kill(signal);
  });
}

const onPort: ReadLine = ({ port }) =>
  port === undefined ? undefined : { target: `127.0.0.1:${String(port)}`, admin: '' };

export const startNoop = (transport: 'grpc-js' | 'native' = 'grpc-js'): Promise<BenchServer> =>
  start(['bench/noop-server.ts', transport], onPort);

/** A program that prints its port as `{"port": N}`. */
export const startOther = (path: string, how: RunOptions = {}): Promise<BenchServer> =>
  startProgram([path], onPort, undefined, how);

/** The bundle that is shipped, on a directory with these policies, or with other flags. */
export function startPostern(
  yaml: string,
  flags: readonly string[] = [],
  until: StartedAt = 'Postern is ready',
  how: RunOptions = {},
): Promise<BenchServer> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  // A file has a bound; ten thousand policies are several.
  const documents = yaml.split('\n---\n');
  for (let at = 0; at < documents.length; at += 1000) {
    writeFileSync(join(directory, `policies-${at}.yaml`), documents.slice(at, at + 1000).join('\n---\n'));
  }
  const source = flags.includes('--kube') ? [] : ['--policies', directory];
  const usual = {
    'grpc-addr': '127.0.0.1:0',
    'admin-addr': '127.0.0.1:0',
    'debug-addr': 'off',
    'client-address': 'direct',
  };
  const own = Object.entries(usual).flatMap(([name, value]) =>
    flags.includes(`--${name}`) ? [] : [`--${name}`, value],
  );
  const args = ['dist/cmd/postern/main.js', 'serve', ...source, ...own, ...flags];
  const listening = ({ message, grpc, admin }: Record<string, unknown>) =>
    message === 'Postern listens' ? { target: String(grpc), admin: String(admin) } : undefined;
  return start(args, listening, until, how);
}

export interface LoadResult {
  readonly perSecond: number;
  readonly done: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Writes the messages where the load generator reads them. */
export function writeBodies(messages: readonly Uint8Array[]): string {
  const file = join(mkdtempSync(join(tmpdir(), 'postern-load-')), 'bodies.bin');
  const parts = messages.flatMap((message) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(message.length);
    return [length, message];
  });
  writeFileSync(file, Buffer.concat(parts));
  return file;
}

/** How a load is made; what is not given is what the load generator does by itself. */
export interface LoadOptions {
  readonly connections?: number;
  /** Of each connection: calls that wait for their answer. */
  readonly streams?: number;
  /** Calls a second of an open loop, however long answers take; 0: the next call follows an answer. */
  readonly rate?: number;
  /** As `taskset` writes them; `LOAD_CORE` where none is given. */
  readonly cores?: string;
}

export function load(
  target: string,
  bodies: string,
  seconds: number,
  { connections = 2, streams = 16, rate = 0, cores = LOAD_CORE }: LoadOptions = {},
): Promise<LoadResult> {
  const args = [target, bodies, ...[seconds, connections, streams, rate].map(String)];
  const child = spawn('taskset', ['-c', cores, process.execPath, 'bench/http2-load.ts', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((done, fail) => {
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8');
    });
    child.once('exit', (code) =>
      code === 0 ? done(JSON.parse(out) as LoadResult) : fail(new Error(`the load ended with ${code}`)),
    );
  });
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Resident memory of a process. */
export const rssMib = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** What every result says of how it came about. */
export interface Measured {
  readonly command: string;
  readonly date: string;
  readonly node: string;
  readonly cpu: string;
  readonly commit: string;
}

export const measuredBy = (command: string): Measured => ({
  command,
  date: new Date().toISOString().slice(0, 10),
  node: process.versions.node,
  cpu: cpus()[0]?.model ?? '',
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
});
