import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, type AgentOptions, startAgent } from '../../internal/app/agent.ts';
import { VERSION } from '../../internal/app/version.ts';
import { readConfig } from '../../internal/config/read-config.ts';
import { systemClock } from '../../internal/core/clock.ts';
import { type EchoUpstream, startEchoUpstream } from '../../internal/envoy/echo-upstream.ts';
import { obtainEnvoy } from '../../internal/envoy/obtain.ts';
import { type RunningEnvoy, type StartEnvoyOptions, startEnvoy } from '../../internal/envoy/process.ts';
import { createLog } from '../../internal/telemetry/log.ts';
import { TRACING_OFF } from '../../internal/telemetry/tracing.ts';
import { CACHE, type Obtained, progress } from '../components/cache.ts';

export { type Answer, rawRequest, send, sendRaw } from './harness-http1.ts';
export { type Http2Client, openHttp2 } from './harness-http2.ts';

export const envoyBinary = (): Promise<Obtained> =>
  obtainEnvoy({ cacheDirectory: CACHE, searchPath: process.env.PATH ?? '', onProgress: progress });

/** The agent that is shipped, on a directory of its own, with every line it logs. */
export interface TestAgent extends Agent {
  readonly directory: string;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  write(file: string, yaml: string): void;
}

/** @param parts of the agent that are not the usual ones: another clock, tracing */
export async function startTestAgent(
  yaml: string,
  flags: Readonly<Record<string, string>> = {},
  parts: Partial<Pick<AgentOptions, 'clock' | 'tracing' | 'logDropped'>> = {},
): Promise<TestAgent> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-policies-'));
  writeFileSync(join(directory, 'policies.yaml'), yaml);
  const source = flags.kube === undefined ? { policies: directory } : {};
  const result = readConfig({
    flags: {
      ...source,
      'grpc-addr': '127.0.0.1:0',
      'admin-addr': '127.0.0.1:0',
      'debug-addr': '127.0.0.1:0',
      'drain-delay': '0s',
      'client-address': 'direct',
      ...flags,
    },
    env: {},
    readFile: () => '',
  });
  if (!result.ok) throw new Error(result.problems.join('; '));
  const lines: Record<string, unknown>[] = [];
  const output = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const log = createLog({ level: 'debug', output, clock: systemClock });
  const agent = await startAgent({
    config: result.config,
    clock: systemClock,
    log,
    tracing: TRACING_OFF,
    version: VERSION,
    logDropped: () => 0,
    ...parts,
  });
  return {
    ...agent,
    directory,
    lines,
    write: (file, text) => writeFileSync(join(directory, file), text),
    async stop() {
      await agent.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A real Envoy between a client and an upstream that echoes, asking an agent. */
export interface Front {
  readonly envoy: RunningEnvoy;
  readonly upstream: EchoUpstream;
  readonly port: number;
  stop(): Promise<void>;
}

/** Who is asked: a port of loopback, a unix socket, or (neither) nobody. */
export interface FrontOptions extends Partial<Omit<StartEnvoyOptions, 'extAuthz' | 'upstreamPort'>> {
  readonly extAuthzPort?: number;
  readonly socket?: string;
}

/** @throws {Error} when no Envoy can be had; ask `envoyBinary` first where the test is to be skipped then */
export async function startEnvoyInFront({ extAuthzPort, socket, ...options }: FrontOptions): Promise<Front> {
  const found = options.path === undefined ? await envoyBinary() : { path: options.path };
  if ('missing' in found) throw new Error(`There is no Envoy: ${found.missing}`);
  const port = extAuthzPort === undefined ? undefined : `127.0.0.1:${extAuthzPort}`;
  return startFront(found.path, socket === undefined ? port : `unix:${socket}`, options);
}

/** The same with an Envoy that was found before, and an agent's address as the agent gives it. */
export async function startFront(
  path: string,
  extAuthz: string | undefined,
  options: Partial<StartEnvoyOptions> = {},
): Promise<Front> {
  const upstream = await startEchoUpstream();
  const stopUpstream = (): Promise<void> => upstream.close();
  try {
    const envoy = await startEnvoy({ ...options, path, extAuthz, upstreamPort: upstream.port });
    const stop = (): Promise<void> => envoy.stop().then(stopUpstream);
    return { envoy, upstream, port: envoy.listenPort, stop };
  } catch (error) {
    await stopUpstream();
    throw error;
  }
}
