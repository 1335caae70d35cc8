import { resolve } from 'node:path';
import { readConfig } from '../config/read-config.ts';
import { systemClock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { addressText } from '../core/listen-address.ts';
import { type EchoUpstream, startEchoUpstream } from '../envoy/echo-upstream.ts';
import { obtainEnvoy } from '../envoy/obtain.ts';
import { type RunningEnvoy, startEnvoy } from '../envoy/process.ts';
import { createLog } from '../telemetry/log.ts';
import { openOutput } from '../telemetry/output.ts';
import { TRACING_OFF } from '../telemetry/tracing.ts';
import { type Agent, startAgent } from './agent.ts';
import { VERSION } from './version.ts';

export interface DevOptions {
  readonly policies: string;
  readonly port: number;
  readonly adminAddress: string;
  readonly debugAddress: string;
  /** `PATH` of this process, where an Envoy is looked for. */
  readonly searchPath: string;
  readonly say: (line: string) => void;
}

const CACHE = resolve(import.meta.dirname, '../../.cache');
/** The keys of the sample policies; they are public. */
const PARTNER = 'pk_dev_partner_9c1f2e77a0b44d5f';
const GUEST = 'pk_dev_guest_51d0c7b3e8aa4c92';

/** Runs everything a first try needs, until Ctrl-C. */
export async function runDev(options: DevOptions): Promise<void> {
  const { say } = options;
  const envoy = await obtainEnvoy({ cacheDirectory: CACHE, searchPath: options.searchPath, onProgress: say });
  if ('missing' in envoy) return sayWithoutEnvoy(envoy.missing, options);
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
    const ended = await Promise.race([nextSignal(), running.exited.then(() => 'envoy')]);
    say(ended === 'envoy' ? 'Envoy has ended; stopping.' : 'Stopping.');
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
      withBody: { maxBytes: 65_536, allowPartial: true },
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = /address already in use/i.test(why) ? `port ${port} is in use: choose another with --port` : why;
    throw new PosternError('ERR_POSTERN_LISTEN', `Envoy cannot be started: ${hint}`, { cause: error });
  }
}

async function startDevAgent({ policies, adminAddress, debugAddress }: DevOptions): Promise<Agent> {
  const flags = {
    policies,
    'grpc-addr': '127.0.0.1:0',
    'admin-addr': adminAddress,
    'debug-addr': debugAddress,
    'client-address': 'direct',
    bodies: 'forwarded',
  };
  const result = readConfig({ flags, env: {}, readFile: () => '' });
  if (!result.ok) throw new PosternError('ERR_POSTERN_CONFIG', result.problems.join('; '));
  const output = openOutput(1);
  const log = createLog({ level: 'warn', output, clock: systemClock });
  return startAgent({
    config: result.config,
    clock: systemClock,
    log,
    tracing: TRACING_OFF,
    version: VERSION,
    logDropped: () => output.dropped,
  });
}

function sayReady({ port, say, policies }: DevOptions, agent: Agent): void {
  const url = `http://localhost:${port}`;
  const curl = "curl -s -o /dev/null -w '%{http_code}\\n'";
  const curls = [
    `${curl} -H 'x-api-key: ${PARTNER}' ${url}/v1/orders/7`,
    `${curl} ${url}/v1/orders/7`,
    `${curl} -H 'x-api-key: ${GUEST}' ${url}/v1/orders/7`,
    `${curl} -H 'x-api-key: ${PARTNER}' '${url}/v1/orders/[1-6]'`,
  ];
  say(`Postern decides by ${policies}/, behind Envoy on ${url}. Try, in another terminal:`);
  say('');
  say(`  ${curls[0]}   # 200: a partner`);
  say(`  ${curls[1]}   # 401: nobody`);
  say(`  ${curls[2]}   # 403: a guest`);
  say(`  ${curls[3]}   # … 429: too often`);
  say('');
  say(`Metrics: http://${addressText(agent.adminAddress)}/metrics`);
  if (agent.debugAddress !== undefined) say(`Loaded:  http://${addressText(agent.debugAddress)}/debug/policies`);
  say('Every refusal is a line below. Change a file, and it counts at once. Ctrl-C stops.');
}

function sayWithoutEnvoy(missing: string, { say, policies }: DevOptions): void {
  const check = 'npx postern check';
  say(`There is no Envoy to put in front: ${missing}.`);
  say('The same decisions, without it:');
  say('');
  for (const header of [` -H 'x-api-key: ${PARTNER}'`, '', ` -H 'x-api-key: ${GUEST}'`])
    say(`  ${check} --policies ${policies}${header} http://localhost/v1/orders/7`);
}

const nextSignal = (): Promise<string> =>
  new Promise((resolve_) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve_(signal));
  });
