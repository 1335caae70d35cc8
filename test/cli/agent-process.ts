import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MAIN } from './command.ts';

/** The agent as a process of its own. */
export interface AgentProcess {
  readonly pid: number;
  readonly grpcAddress: string;
  readonly adminAddress: string;
  /** Every line it logged so far. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Resolves when it serves a snapshot. */
  readonly ready: Promise<void>;
  /** SIGTERM; resolves with its exit code. Safe to call again. */
  stop(): Promise<number | null>;
  /** SIGKILL: it is gone without a word. */
  kill(): Promise<void>;
}

/** What its tests have in common: free ports, and no wait at its end for who is still connected. */
const USUAL = { 'grpc-addr': '127.0.0.1:0', 'admin-addr': '127.0.0.1:0', 'debug-addr': 'off', 'drain-delay': '0s' };
// With workers it listens when the first of them has begun.
const START_MS = 60_000;

const flagsOf = (flags: Readonly<Record<string, string>>): string[] =>
  Object.entries(flags).map(([name, value]) => `--${name}=${value}`);

/** The arguments of a container, on free ports of loopback. */
export const onLoopback = (args: readonly string[]): readonly string[] => [
  ...args.filter((arg) => !/^--((grpc|admin|debug)-addr|drain-delay)=/.test(arg)),
  ...flagsOf(USUAL),
];

/**
 * Runs `postern` with these arguments and no variables but those that are given; resolves when it listens.
 *
 * @param main the program, by default the one in this folder
 * @throws {Error} with what it said, when it ends before it listens
 */
export async function startAgentProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  main = MAIN,
): Promise<AgentProcess> {
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: Record<string, unknown>[] = [];
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const listening = Promise.withResolvers<Record<string, unknown>>();
  const ready = Promise.withResolvers<void>();
  // Who never asks for it need not hear that it ended.
  ready.promise.catch(() => undefined);
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    lines.push(line);
    if (line.message === 'Postern listens') listening.resolve(line);
    if (line.message === 'Postern is ready') ready.resolve();
  });
  child.once('close', () => {
    const ended = new Error(`It ended: ${said}`);
    listening.reject(ended);
    ready.reject(ended);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  const { grpc, admin } = await listening.promise.finally(() => clearTimeout(timer));
  return {
    pid: child.pid ?? 0,
    grpcAddress: String(grpc),
    adminAddress: String(admin),
    lines,
    ready: ready.promise,
    stop: () => stop(child, 'SIGTERM'),
    kill: async () => void (await stop(child, 'SIGKILL')),
  };
}

/** `postern serve` on a directory of its own, ready to decide. */
export async function startServe(
  yaml: string,
  flags: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<AgentProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-serve-'));
  writeFileSync(join(directory, 'policies.yaml'), yaml);
  const all = { policies: directory, ...USUAL, 'client-address': 'direct', ...flags };
  const agent = await startAgentProcess(['serve', ...flagsOf(all)], env);
  await agent.ready;
  return {
    ...agent,
    async stop() {
      const code = await agent.stop();
      rmSync(directory, { recursive: true, force: true });
      return code;
    },
  };
}

async function stop(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill(signal);
  await once(child, 'close');
  return child.exitCode;
}
