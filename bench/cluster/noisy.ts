import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import type { ApiServer } from '../../test/components/api-server.ts';
import { encodeCheck } from '../../test/door/client.ts';
import type { Figure } from '../figures.ts';
import { LOAD_CORE, load, startPostern, writeBodies } from '../servers.ts';
import { anyone, type Created, createAll } from './objects.ts';
import { withApi } from './with-api.ts';

const POLICIES = 5000;
const KEYS = 200_000;
/** Both runs last as long as the policies take to be applied. */
const SECONDS = 40;

interface Probed {
  readonly answers: number;
  readonly refused: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A limit with a counter for each path. */
const limited = (name: string, host: string): Created => {
  const policy = anyone(name, host, true, 'noisy');
  const rateLimits = [
    {
      name: 'per-path',
      stage: 'AfterAuthentication',
      key: [{ expression: 'request.path' }],
      rates: [{ requests: 1_000_000, window: '1h' }],
    },
  ];
  return { ...policy, spec: { ...policy.spec, rateLimits } };
};

/**
 * What the traffic of one namespace waits while another one applies policies and fills the limits with keys, against the
 * same traffic of both while nothing is applied and no key is new. So the ratio is of what a noisy namespace does, not of
 * the load that it is served.
 */
export const measureNoisy = withApi(noisy);

async function noisy(api: ApiServer, say: (line: string) => void): Promise<Figure[]> {
  for (const namespace of ['quiet', 'noisy']) await api.kubectl(['create', 'namespace', namespace]);
  await createAll(api, [anyone('quiet', 'quiet.example.org', true, 'quiet'), limited('flood', 'flood.example.org')]);
  const agent = await startPostern('', ['--kube', '--kubeconfig', api.kubeconfig, '--host-grants', 'first-come']);
  const bodies = (count: number): string =>
    writeBodies(Array.from({ length: count }, (_, i) => encodeCheck({ host: 'flood.example.org', path: `/${i}` })));
  const run = async (keys: number, beside: () => Promise<unknown>): Promise<Probed> => {
    const probing = probe(agent.target, 'quiet.example.org');
    const [{ perSecond }] = await Promise.all([load(agent.target, bodies(keys), SECONDS), beside()]);
    const probed = await probing.end();
    say(`  ${keys} keys, ${Math.round(perSecond)} checks/s of the other: ${JSON.stringify(probed)}`);
    return probed;
  };
  await run(1, () => wait(0));
  const quiet = await run(1, () => wait(0));
  const loud = await run(KEYS, () =>
    createAll(
      api,
      Array.from({ length: POLICIES }, (_, i) => limited(`p${i}`, `p${i}.noisy.example.org`)),
      20,
    ),
  );
  await agent.stop();
  if (quiet.refused + loud.refused > 0) throw new Error('The quiet namespace was refused');
  return [
    {
      key: 'noisy_p99_ratio',
      value: Math.round((loud.p99Ms / quiet.p99Ms) * 100) / 100,
      unit: 'ratio',
      bar: '<= 1.5',
      note: `p99 ${loud.p99Ms.toFixed(2)} ms against ${quiet.p99Ms.toFixed(2)} ms, longest ${loud.maxMs.toFixed(1)} against ${quiet.maxMs.toFixed(1)} ms; ${POLICIES} policies, ${KEYS} keys`,
    },
  ];
}

function probe(target: string, host: string): { end(): Promise<Probed> } {
  const args = ['-n', '-20', 'taskset', '-c', LOAD_CORE, process.execPath, 'bench/cluster/prober.ts', target, host];
  const child = spawn('nice', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8');
  });
  return {
    end: () =>
      new Promise((done, fail) => {
        child.once('close', () => {
          if (out === '') fail(new Error('The prober said nothing'));
          else done(JSON.parse(out) as Probed);
        });
        child.kill('SIGTERM');
      }),
  };
}
