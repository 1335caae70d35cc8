import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentProcess, startAgentProcess } from '../cli/agent-process.ts';
import { type CheckInput, decodeCheck, encodeCheck } from '../door/client.ts';
import { DoorClient } from '../door/door-client.ts';

/** An agent with workers, and the directory of its policies. */
export interface PoolProcess extends AgentProcess {
  readonly directory: string;
  /** Process ids of its workers now, the first one first. */
  workers(): readonly number[];
  write(yaml: string): void;
  /** Its lines with this message. */
  said(message: string): readonly Readonly<Record<string, unknown>>[];
  /** What `/readyz` says. */
  readyz(): Promise<string>;
  metrics(): Promise<string>;
}

const USUAL = {
  workers: '2',
  'grpc-addr': '127.0.0.1:0',
  'admin-addr': '127.0.0.1:0',
  'debug-addr': 'off',
  'drain-delay': '0s',
  'client-address': 'direct',
};
const started = new Set<PoolProcess>();

/** For `after`: what a failed test left would go on for ever. */
export async function endAll(): Promise<void> {
  for (const pool of started) {
    // What is stopped does not hear that it is to end.
    for (const pid of pool.workers()) signal(pid, 'SIGCONT');
    await pool.kill();
    rmSync(pool.directory, { recursive: true, force: true });
  }
}

export async function startPool(
  yaml: string,
  flags: Readonly<Record<string, string>> = {},
  main?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<PoolProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-pool-'));
  const file = join(directory, 'policies.yaml');
  writeFileSync(file, yaml);
  const args = Object.entries({ ...(flags.kube === undefined && { policies: directory }), ...USUAL, ...flags }).map(
    ([name, value]) => `--${name}=${value}`,
  );
  const agent = await startAgentProcess(['serve', ...args], env, main);
  const ask = async (page: string): Promise<string> => (await fetch(`http://${agent.adminAddress}${page}`)).text();
  const pool: PoolProcess = {
    ...agent,
    directory,
    workers: () => workersOf(agent.pid),
    write: (text) => writeFileSync(file, text),
    said: (message) => agent.lines.filter((line) => line.message === message),
    readyz: async () => (await ask('/readyz')).trim(),
    metrics: () => ask('/metrics'),
  };
  started.add(pool);
  return pool;
}

/** What Envoy would answer with. */
export function httpOf(answer: Buffer): number | 'none' {
  const { status, denied_response: denied, error_response: error } = decodeCheck(answer);
  return status?.code === 0 ? 200 : (denied?.status?.code ?? error?.status?.code ?? 'none');
}

/** What Envoy would answer with over a connection of its own; `none` where there was no answer. */
export async function askAlone(address: string, check: CheckInput): Promise<number | 'none'> {
  const client = new DoorClient(address);
  try {
    // As Envoy does: it waits for no answer for ever.
    return httpOf(await client.check(encodeCheck(check), { deadline: Date.now() + 5000 }));
  } catch {
    return 'none';
  } finally {
    client.close();
  }
}

/** A signal to a process that may be gone by now. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether a process runs; one that ended and was not waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function workersOf(pid: number): readonly number[] {
  const found = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const index = indexOf(Number(name), pid);
    if (index !== undefined) found.set(index, Number(name));
  }
  return [...found].sort(([a], [b]) => a - b).map(([, worker]) => worker);
}

function indexOf(pid: number, parent: number): number | undefined {
  try {
    const [, ofParent] = /^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    if (Number(ofParent) !== parent || !isAlive(pid)) return undefined;
    const [, index] = /\0worker\0(\d+)\0/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? [];
    return index === undefined ? undefined : Number(index);
  } catch {
    return undefined;
  }
}
