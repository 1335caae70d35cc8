import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import type { ApiServer } from '../../test/components/api-server.ts';
import { checkOver } from '../../test/door/client.ts';
import type { Figure } from '../figures.ts';
import { LOAD_CORE, startPostern } from '../servers.ts';
import { anyone, type Created, createAll } from './objects.ts';
import { withApi } from './with-api.ts';

const POLICIES = 5000;
const CALLERS = 4;
/** Each run takes so long, and longer where policies are still to be applied. */
const LEAST_MS = 30_000;

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
 * What the traffic of one namespace waits while another one applies policies and asks with ever new keys of a limit:
 * against itself alone, and against the same load of the other with one key and nothing applied.
 */
export const measureNoisy = withApi(noisy);

async function noisy(api: ApiServer, say: (line: string) => void): Promise<Figure[]> {
  for (const namespace of ['quiet', 'noisy']) await api.kubectl(['create', 'namespace', namespace]);
  await createAll(api, [anyone('quiet', 'quiet.example.org', true, 'quiet'), limited('flood', 'flood.example.org')]);
  const agent = await startPostern('', ['--kube', '--kubeconfig', api.kubeconfig]);
  const run = async (what: string, beside: (isOver: () => boolean) => Promise<unknown>): Promise<Probed> => {
    const probing = probe(agent.target, 'quiet.example.org');
    let isOver = false;
    const busy = beside(() => isOver);
    await wait(LEAST_MS);
    isOver = true;
    await busy;
    const probed = await probing.end();
    say(`  ${what}: ${JSON.stringify(probed)}`);
    if (probed.refused > 0) throw new Error('The quiet namespace was refused');
    return probed;
  };
  await run('to begin with', () => wait(0));
  const alone = await run('alone', () => wait(0));
  const crowded = await run('the other asks, with one key', (isOver) => flood(agent.target, () => 0, isOver));
  let keys = 0;
  const loud = await run('the other asks with new keys, and applies policies', async (isOver) => {
    const policies = Array.from({ length: POLICIES }, (_, i) => limited(`p${i}`, `p${i}.noisy.example.org`));
    let isApplied = false;
    const asking = flood(
      agent.target,
      () => (keys += 1),
      () => isOver() && isApplied,
    );
    await createAll(api, policies, 20);
    isApplied = true;
    await asking;
  });
  await agent.stop();
  const ratio = (to: Probed): number => Math.round((loud.p99Ms / to.p99Ms) * 100) / 100;
  return [
    {
      key: 'noisy_p99_ratio',
      value: ratio(alone),
      unit: 'ratio',
      bar: '<= 1.5',
      note: `p99 ${loud.p99Ms.toFixed(2)} ms, alone ${alone.p99Ms.toFixed(2)} ms, beside the same load without new keys and policies ${crowded.p99Ms.toFixed(2)} ms (${ratio(crowded)}); ${POLICIES} policies, ${keys} keys`,
    },
  ];
}

/** Several callers, each asking a little after its last answer. */
async function flood(target: string, key: () => number, isOver: () => boolean): Promise<void> {
  const call = async (): Promise<void> => {
    while (!isOver()) {
      await checkOver(target, { host: 'flood.example.org', path: `/${key()}` });
      await wait(1);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
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
