import { bodiesFor, mustAllow, mustHaveTaken } from '../asked.ts';
import { compare } from '../compare.ts';
import type { Figure } from '../figures.ts';
import { API_KEY, apiKeyPolicies } from '../policies.ts';
import { LOAD_CORE, SERVER_CORE, startPostern } from '../servers.ts';
import { FULL, type Lengths } from './lengths.ts';

const KEY = { 'x-api-key': API_KEY };
const BOTH = `${SERVER_CORE},${LOAD_CORE}`;
/** Enough for each process to get some of them. */
const CONNECTIONS = 8;

/**
 * Two processes on two cores against one on one, with a limit that all of them take. The load comes from the same machine:
 * beside one process it has a core to itself, beside two it has what they leave of both.
 */
export async function measureWorkers(say: (line: string) => void, lengths: Lengths = FULL): Promise<Figure[]> {
  const one = await startPostern(apiKeyPolicies(1));
  const two = await startPostern(apiKeyPolicies(1), ['--workers', '2'], 'Postern is ready', { cores: BOTH });
  const bodies = bodiesFor(1, KEY);
  for (const server of [one, two]) await mustAllow(server, 'h0.example.org', KEY);
  const { ratio, a, b } = await compare({
    a: { server: two, bodies, load: { connections: CONNECTIONS, cores: BOTH } },
    b: { server: one, bodies, load: { connections: CONNECTIONS } },
    say,
    ...lengths,
  });
  // Whichever process answers, it is one limit: it has to have given what the load took.
  await mustHaveTaken(two, KEY, a.done);
  await Promise.all([one.stop(), two.stop()]);
  return [
    {
      key: 'workers_ratio',
      value: Math.round(ratio * 1000) / 1000,
      unit: 'ratio',
      bar: '>= 1.15',
      note: `${Math.round(a.perSecond)} a second against ${Math.round(b.perSecond)}, ${CONNECTIONS} connections`,
    },
  ];
}
