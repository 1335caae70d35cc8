import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { request } from 'undici';
import { type EnvoyOptions, envoyBootstrap } from './bootstrap.ts';

export interface RunningEnvoy {
  readonly listenPort: number;
  readonly adminPort: number;
  /** A counter of Envoy's, by its full name; 0 when it was never touched. */
  stat(name: string): Promise<number>;
  /** Resolves when Envoy ends, whoever ended it. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

export interface StartEnvoyOptions extends Omit<EnvoyOptions, 'listenPort' | 'adminPort'> {
  readonly path: string;
  /** 0 or absent: a free one. */
  readonly listenPort?: number;
  /** Processors that Envoy may use, as `taskset` writes them. */
  readonly cpus?: string;
}

const START_MS = 20_000;
const STOP_MS = 3000;

/** Starts a real Envoy and waits until it serves. */
export async function startEnvoy(options: StartEnvoyOptions): Promise<RunningEnvoy> {
  const listenPort = options.listenPort || (await freePort());
  const adminPort = await freePort();
  const config = envoyBootstrap({ ...options, listenPort, adminPort });
  const args = ['--config-yaml', config, '--concurrency', '1', '--log-level', 'warning', '--use-dynamic-base-id'];
  const [command, rest] =
    options.cpus === undefined ? [options.path, args] : ['taskset', ['-c', options.cpus, options.path, ...args]];
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-4000);
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      said += error.message;
      resolve();
    });
  });
  await untilLive(adminPort, child, () => said);
  return {
    listenPort,
    adminPort,
    exited,
    stat: (name) => readStat(adminPort, name),
    stop: () => stopChild(child, exited),
  };
}

async function untilLive(adminPort: number, child: ChildProcess, said: () => string): Promise<void> {
  const give = performance.now() + START_MS;
  while (performance.now() < give) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`Envoy did not start: ${said().trim()}`);
    try {
      const { body } = await request(`http://127.0.0.1:${adminPort}/ready`);
      if ((await body.text()).trim() === 'LIVE') return;
    } catch {
      // Not listening yet.
    }
    await wait(50);
  }
  child.kill('SIGKILL');
  throw new Error(`Envoy was not ready in ${START_MS / 1000} s: ${said().trim()}`);
}

async function readStat(adminPort: number, name: string): Promise<number> {
  const { body } = await request(`http://127.0.0.1:${adminPort}/stats?filter=^${name}$&format=json`);
  const { stats } = (await body.json()) as { stats: { name?: string; value?: number }[] };
  return stats.find((stat) => stat.name === name)?.value ?? 0;
}

async function stopChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}

/** A port of loopback that nobody holds at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
