// A real Envoy on the servers' core, asked by wrk on the other: what a check adds to a request.
import { execFileSync } from 'node:child_process';
import { type RunningEnvoy, startEnvoy } from '../internal/envoy/process.ts';
import { obtainDebian } from '../test/components/debian.ts';
import { envoyBinary } from '../test/envoy/harness.ts';
import { API_KEY } from './policies.ts';
import { LOAD_CORE, SERVER_CORE } from './servers.ts';

export interface EnvoyRun {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const CONNECTIONS = 32;

/** Envoy answers by itself, so that no upstream is measured with it. */
const ANSWERS_ITSELF = {
  route_config: {
    name: 'all',
    virtual_hosts: [
      { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }] },
    ],
  },
};

/** @param agent its address; undefined: nobody is asked */
export async function startBenchEnvoy(agent: string | undefined): Promise<RunningEnvoy> {
  const found = await envoyBinary();
  if ('missing' in found) throw new Error(`There is no Envoy: ${found.missing}`);
  return startEnvoy({
    path: found.path,
    extAuthz: agent,
    upstreamPort: 1,
    cpus: SERVER_CORE,
    managerFields: ANSWERS_ITSELF,
  });
}

/** @throws {Error} when an answer is not 2xx */
export async function loadThroughEnvoy({ listenPort }: RunningEnvoy, seconds: number): Promise<EnvoyRun> {
  const wrk = await obtainDebian('wrk');
  if ('missing' in wrk) throw new Error(`There is no wrk: ${wrk.missing}`);
  const headers = ['-H', 'Host: h0.example.org', '-H', `x-api-key: ${API_KEY}`];
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', ...headers];
  const url = `http://127.0.0.1:${listenPort}/v1/orders/42`;
  const text = execFileSync('taskset', ['-c', LOAD_CORE, wrk.path, ...args, url], { encoding: 'utf8' });
  const refused = /Non-2xx[^\n]*/.exec(text)?.[0];
  if (refused !== undefined) throw new Error(`Envoy did not let all pass: ${refused}`);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    p50Ms: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(text)),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(text)),
  };
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };
const milliseconds = (match: RegExpExecArray | null): number =>
  Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? Number.NaN);
