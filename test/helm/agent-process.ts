import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The agent as a process of its own, listening on free ports of loopback. */
export interface AgentProcess {
  readonly pid: number;
  readonly grpcAddress: string;
  readonly adminAddress: string;
  /** Every line it logged so far. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Resolves when it serves a snapshot. */
  readonly ready: Promise<void>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: it is gone without a word. */
  kill(): Promise<void>;
}

export interface AgentCommand {
  readonly command: string;
  /** As a container would get them; its two addresses are replaced. */
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const LOOPBACK = ['--grpc-addr=127.0.0.1:0', '--admin-addr=127.0.0.1:0', '--debug-addr=off'];

const START_MS = 30_000;

/** @throws {Error} with what it said, when it ends before it listens */
export async function startAgentProcess({ command, args, cwd, env = {} }: AgentCommand): Promise<AgentProcess> {
  const own = args.filter((arg) => !/^--(grpc|admin|debug)-addr=/.test(arg));
  const child = spawn(command, [...own, ...LOOPBACK], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: Record<string, unknown>[] = [];
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const listening = Promise.withResolvers<Record<string, unknown>>();
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    lines.push(line);
    if (line.message === 'Postern listens') listening.resolve(line);
    if (line.message === 'Postern is ready') ready.resolve();
  });
  child.once('close', () => listening.reject(new Error(`It ended: ${said}`)));
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

async function stop(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill(signal);
  await once(child, 'close');
  return child.exitCode;
}
