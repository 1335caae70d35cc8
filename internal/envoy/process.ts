import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EnvoyAdmin } from './admin.ts';
import { type EnvoyOptions, envoyBootstrap } from './bootstrap.ts';
import { type RunningChild, startChild } from './child.ts';

/** An Envoy that serves. */
export interface RunningEnvoy {
  readonly listenPort: number;
  readonly adminPort: number;
  /** A counter of Envoy's, by its full name; 0 when it was never touched. */
  stat(name: string): Promise<number>;
  /** All counters and gauges whose name begins so. */
  stats(prefix: string): Promise<Readonly<Record<string, number>>>;
  /** What it runs with, as its admin page says. */
  configDump(): Promise<unknown>;
  /** The end of what it has written to stderr. */
  readonly said: () => string;
  /** Resolves when Envoy ends, whoever ended it. */
  readonly exited: Promise<void>;
  /** SIGTERM, then SIGKILL. */
  stop(): Promise<void>;
}

/** How the program is run. */
export interface EnvoyProgram {
  readonly path: string;
  /** Worker threads, 1 by default. */
  readonly concurrency?: number;
  /** Processors that Envoy may use, as `taskset` writes them. */
  readonly cpus?: string;
}

export interface StartEnvoyOptions extends Omit<EnvoyOptions, 'listenPort' | 'adminPort'>, EnvoyProgram {
  /** 0 or absent: a free one. */
  readonly listenPort?: number;
}

const START_MS = 30_000;
const POLL_MS = 25;

/**
 * Starts a real Envoy and waits until it serves.
 *
 * @throws {Error} with what Envoy said, when it ends or does not serve within 30 s; a port in use is among the reasons
 */
export const startEnvoy = ({ listenPort = 0, ...options }: StartEnvoyOptions): Promise<RunningEnvoy> =>
  startEnvoyWith(envoyBootstrap({ ...options, listenPort, adminPort: 0 }), options);

/**
 * The same with a bootstrap that somebody else wrote: its listener is called "ingress", its admin page is on port 0 of
 * loopback.
 */
export async function startEnvoyWith(
  bootstrap: string,
  { path, concurrency = 1, cpus }: EnvoyProgram,
): Promise<RunningEnvoy> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-envoy-'));
  const config = join(folder, 'bootstrap.json');
  const addressFile = join(folder, 'admin');
  // A file that only we may read, not an argument: keys are in it, and arguments have a length and are public.
  writeFileSync(config, bootstrap, { mode: 0o600 });
  const args = ['--config-path', config, '--admin-address-path', addressFile, '--concurrency', String(concurrency)];
  const own = [...args, '--log-level', 'warning', '--disable-hot-restart'];
  const child = cpus === undefined ? startChild(path, own) : startChild('taskset', ['-c', cpus, path, ...own]);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // When this process ends first, which it may at any moment: its Envoy goes, and what was made for it.
  const onExit = (): void => {
    void child.kill();
    remove();
  };
  process.once('exit', onExit);
  void child.exited.then(() => {
    process.off('exit', onExit);
    remove();
  });
  try {
    const admin = await untilLive(child, addressFile);
    return running(child, admin, await admin.listenerPort('ingress'));
  } catch (error) {
    await child.kill();
    throw new Error(`Envoy did not start: ${child.said().trim() || String(error)}`, { cause: error });
  }
}

const running = (child: RunningChild, admin: EnvoyAdmin, listenPort: number): RunningEnvoy => ({
  listenPort,
  adminPort: admin.port,
  stat: async (name) => (await admin.stats(name))[name] ?? 0,
  stats: (prefix) => admin.stats(prefix),
  configDump: () => admin.configDump(),
  said: child.said,
  exited: child.exited,
  stop: () => child.stop(),
});

async function untilLive(child: RunningChild, addressFile: string): Promise<EnvoyAdmin> {
  const give = performance.now() + START_MS;
  while (performance.now() < give) {
    if (child.hasExited()) throw new Error('it has ended');
    const port = adminPort(addressFile);
    if (port !== undefined) {
      const admin = new EnvoyAdmin(port);
      if (await admin.isLive()) return admin;
    }
    await delay(POLL_MS);
  }
  throw new Error(`it did not serve within ${START_MS / 1000} s`);
}

/** Envoy writes `host:port` when it has opened its admin page; a port it chose itself cannot have been taken. */
function adminPort(addressFile: string): number | undefined {
  try {
    const port = Number(/^127\.0\.0\.1:(\d+)\s*$/.exec(readFileSync(addressFile, 'utf8'))?.[1]);
    return port > 0 ? port : undefined;
  } catch {
    return undefined;
  }
}
