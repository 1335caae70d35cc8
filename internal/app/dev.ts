import { resolve } from 'node:path';
import { pathProblem } from '../config/paths.ts';
import { readConfig } from '../config/read-config.ts';
import { systemClock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { type EchoUpstream, startEchoUpstream } from '../envoy/echo-upstream.ts';
import { obtainEnvoy } from '../envoy/obtain.ts';
import { type RunningEnvoy, startEnvoy } from '../envoy/process.ts';
import { createLog } from '../telemetry/log.ts';
import { openOutput } from '../telemetry/output.ts';
import { TRACING_OFF } from '../telemetry/tracing.ts';
import { type Agent, startAgent } from './agent.ts';
import { sayReady, sayWithoutEnvoy, type Trial } from './dev-words.ts';
import { nextSignal } from './signals.ts';
import { VERSION } from './version.ts';

export interface DevOptions extends Trial {
  readonly adminAddress: string;
  readonly debugAddress: string;
  readonly logLevel: string;
  /** `PATH` of this process, where an Envoy is looked for. */
  readonly searchPath: string;
}

const CACHE = resolve(import.meta.dirname, '../../.cache');

/**
 * Runs everything a first try needs, until Ctrl-C, which ends it at once while it starts.
 *
 * @returns the exit code: 1 when there is no Envoy, or it has ended by itself
 * @throws {PosternError} ERR_POSTERN_LISTEN, ERR_POSTERN_CONFIG, ERR_POSTERN_FILE
 */
export async function runDev(options: DevOptions): Promise<0 | 1> {
  const { say, searchPath } = options;
  const problem = pathProblem(options.policies, 'directory');
  if (problem !== undefined) throw new PosternError('ERR_POSTERN_FILE', `--policies: ${problem}`);
  const envoy = await obtainEnvoy({ cacheDirectory: CACHE, searchPath, onProgress: say });
  if ('missing' in envoy) {
    sayWithoutEnvoy(options, envoy);
    return 1;
  }
  const stops: (() => Promise<void>)[] = [];
  try {
    const agent = await startDevAgent(options);
    stops.push(() => agent.stop());
    await agent.ready;
    const upstream = await startEchoUpstream();
    stops.push(() => upstream.close());
    const running = await startFront(envoy.path, { agent, upstream, port: options.port });
    stops.push(() => running.stop());
    sayReady(options, agent);
    const hasStopped = await Promise.race([nextSignal(), running.exited]);
    say(
      hasStopped === undefined
        ? `Envoy has ended by itself. It said: ${running.said().trim() || 'nothing'}`
        : 'Stopping.',
    );
    return hasStopped === undefined ? 1 : 0;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

interface Front {
  readonly agent: Agent;
  readonly upstream: EchoUpstream;
  readonly port: number;
}

async function startFront(path: string, { agent, upstream, port }: Front): Promise<RunningEnvoy> {
  try {
    return await startEnvoy({
      path,
      listenPort: port,
      upstreamPort: upstream.port,
      extAuthz: agent.grpcAddress,
      withBody: { maxBytes: 65_536, allowPartial: true, asBytes: true },
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const other = port < 65_535 ? port + 1 : port - 1;
    const isTaken = /address already in use/i.test(why);
    const hint = isTaken ? `Port ${port} is in use: choose another, as in npm start -- --port ${other}` : why;
    throw new PosternError('ERR_POSTERN_LISTEN', hint, { cause: error });
  }
}

async function startDevAgent(options: DevOptions): Promise<Agent> {
  const flags = {
    policies: options.policies,
    'grpc-addr': '127.0.0.1:0',
    'drain-delay': '0s',
    'admin-addr': options.adminAddress,
    'debug-addr': options.debugAddress,
    'log-level': options.logLevel,
    'client-address': 'direct',
    bodies: 'forwarded',
  };
  const result = readConfig({ flags, env: {}, readFile: () => '' });
  if (!result.ok) throw new PosternError('ERR_POSTERN_CONFIG', result.problems.join('; '));
  const output = openOutput(1);
  const log = createLog({ level: result.config.logLevel, output, clock: systemClock });
  try {
    return await startAgent({
      config: result.config,
      clock: systemClock,
      log,
      tracing: TRACING_OFF,
      version: VERSION,
      logDropped: () => output.dropped,
    });
  } catch (error) {
    if (!(error instanceof PosternError) || error.code !== 'ERR_POSTERN_LISTEN') throw error;
    const hint = 'Another "npm start"? Stop it, or pass --admin-addr, --debug-addr and --port';
    throw new PosternError('ERR_POSTERN_LISTEN', `${error.message}. ${hint}`, { cause: error });
  }
}
