import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** `postern serve` as its own process, on a directory of its own. */
export interface ServeProcess {
  readonly process: ChildProcess;
  readonly grpcAddress: string;
  readonly adminUrl: string;
  /** Every line that it wrote to stdout. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** SIGTERM; gives the exit code. Safe to call again. */
  stop(): Promise<number | null>;
}

const MAIN = join(import.meta.dirname, '../../cmd/postern/main.ts');
const START_MS = 30_000;

/** Resolves once it is ready to decide. */
export async function startServe(
  yaml: string,
  flags: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<ServeProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-serve-'));
  writeFileSync(join(directory, 'policies.yaml'), yaml);
  const all = {
    policies: directory,
    'grpc-addr': '127.0.0.1:0',
    'admin-addr': '127.0.0.1:0',
    'debug-addr': 'off',
    'client-address': 'direct',
    ...flags,
  };
  const args = Object.entries(all).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(process.execPath, [MAIN, 'serve', ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit').finally(() => rmSync(directory, { recursive: true, force: true }));
  const lines: Record<string, unknown>[] = [];
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    await exited;
    return child.exitCode;
  };
  const isReady = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const record = JSON.parse(line) as Record<string, unknown>;
      lines.push(record);
      if (record.message === 'Postern is ready') resolve();
    });
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  await Promise.race([isReady, exited]);
  clearTimeout(timer);
  const started = lines.find(({ message }) => message === 'Postern listens');
  if (started === undefined) throw new Error('`postern serve` did not start; what it said is above');
  return {
    process: child,
    grpcAddress: String(started.grpc),
    adminUrl: `http://${String(started.admin)}`,
    lines,
    stop,
  };
}
