import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, startAgent } from '../../internal/app/agent.ts';
import { VERSION } from '../../internal/app/version.ts';
import { readConfig } from '../../internal/config/read-config.ts';
import { systemClock } from '../../internal/core/clock.ts';
import { type EchoUpstream, startEchoUpstream } from '../../internal/envoy/echo-upstream.ts';
import { obtainEnvoy } from '../../internal/envoy/obtain.ts';
import { type RunningEnvoy, type StartEnvoyOptions, startEnvoy } from '../../internal/envoy/process.ts';
import { createLog } from '../../internal/telemetry/log.ts';
import { TRACING_OFF } from '../../internal/telemetry/tracing.ts';
import { CACHE, type Obtained, progress } from '../components/cache.ts';

export const envoyBinary = (): Promise<Obtained> =>
  obtainEnvoy({ cacheDirectory: CACHE, searchPath: process.env.PATH ?? '', onProgress: progress });

/** The agent that is shipped, on a directory of its own, with every line it logs. */
export interface TestAgent extends Agent {
  readonly directory: string;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  write(file: string, yaml: string): void;
}

export async function startTestAgent(yaml: string, flags: Readonly<Record<string, string>> = {}): Promise<TestAgent> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-policies-'));
  writeFileSync(join(directory, 'policies.yaml'), yaml);
  const source = flags.kube === undefined ? { policies: directory } : {};
  const result = readConfig({
    flags: {
      ...source,
      'grpc-addr': '127.0.0.1:0',
      'admin-addr': '127.0.0.1:0',
      'debug-addr': '127.0.0.1:0',
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

export async function startFront(
  path: string,
  extAuthz: string | undefined,
  options: Partial<StartEnvoyOptions> = {},
): Promise<Front> {
  const upstream = await startEchoUpstream();
  const envoy = await startEnvoy({ path, upstreamPort: upstream.port, extAuthz, ...options });
  return {
    envoy,
    upstream,
    port: envoy.listenPort,
    async stop() {
      await envoy.stop();
      await upstream.close();
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends exact bytes and reads one HTTP/1.1 answer: no client library cleans the request first. */
export function sendRaw(port: number, head: readonly string[], body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(parseAnswer(Buffer.concat(chunks).toString('latin1'))));
    socket.write(`${head.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`, 'latin1');
  });
}

/** One request by method and target, with headers in order and spelling as given. */
export const send = (port: number, target: string, headers: readonly string[] = [], method = 'GET'): Promise<Answer> =>
  sendRaw(port, [
    `${method} ${target} HTTP/1.1`,
    ...(headers.some((line) => /^host:/i.test(line)) ? [] : ['Host: api.example.org']),
    ...headers,
  ]);

function parseAnswer(text: string): Answer {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end === -1 ? undefined : end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { status: Number(statusLine.split(' ')[1] ?? 0), headers, body: text.slice(end + 4) };
}
