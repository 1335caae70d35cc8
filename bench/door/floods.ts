import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bodiesFor, mustAllow } from '../asked.ts';
import type { Figure } from '../figures.ts';
import { API_KEY, apiKeyPolicies } from '../policies.ts';
import { type BenchServer, LOAD_CORE, type LoadResult, load, median, startPostern } from '../servers.ts';
import { FLOODS, type FloodName } from './flood-kinds.ts';

/** How long, and against what. */
export interface FloodLengths {
  readonly rounds: number;
  /** Of each run, of which each kind has one with the flood and one without in every round. */
  readonly seconds: number;
  readonly kinds?: readonly FloodName[];
}

const FULL: FloodLengths = Object.freeze({ rounds: 5, seconds: 5 });
const KEY = { 'x-api-key': API_KEY };
const GOOD_PER_SECOND = 2000;
const FRAMES_PER_SECOND = 20_000;
const WARM_SECONDS = 5;

/** What a flooder says when it has begun. */
const READY = 'READY';

/** What a flooder says it did. */
interface Did {
  readonly frames: number;
  readonly connections: number;
  readonly endedByDoor: number;
}

interface Pair {
  readonly without: LoadResult;
  readonly flooded: LoadResult;
  readonly did: Did;
}

/**
 * The tail of a good client's checks, 2,000 a second whatever comes back, while one connection floods the same core, against
 * without: of the worst kind of flood.
 */
export async function measureFloods(
  say: (line: string) => void,
  { rounds, seconds, kinds = Object.keys(FLOODS) as FloodName[] }: FloodLengths = FULL,
): Promise<Figure[]> {
  const server = await startPostern(apiKeyPolicies(1));
  await mustAllow(server, 'h0.example.org', KEY);
  const bodies = bodiesFor(1, KEY);
  const good = (): Promise<LoadResult> =>
    load(server.target, bodies, seconds, { connections: 1, rate: GOOD_PER_SECOND });
  await load(server.target, bodies, Math.min(WARM_SECONDS, seconds));
  const ratios = new Map<FloodName, number>();
  for (const kind of kinds) {
    // Once before it counts: what a kind runs through is compiled then, as it is on a server that was flooded for long.
    await whileFlooded(server, kind, good);
    const pairs: Pair[] = [];
    for (let i = 0; i < rounds; i += 1) {
      const without = await good();
      pairs.push({ without, ...(await whileFlooded(server, kind, good)) });
    }
    const ratio = median(pairs.map(({ without, flooded }) => flooded.p99Ms / without.p99Ms));
    ratios.set(kind, ratio);
    say(`  ${kind}: ${ratio.toFixed(2)}; ${words(pairs)}`);
  }
  await server.stop();
  const [worst, ratio] = [...ratios].toSorted(([, a], [, b]) => b - a)[0] ?? ['none', Number.NaN];
  return [
    {
      key: 'flood_p99_ratio',
      value: Math.round(ratio * 1000) / 1000,
      unit: 'ratio',
      bar: '<= 2',
      note: `worst of ${ratios.size} kinds: ${worst}; medians of ${rounds} pairs of runs`,
    },
  ];
}

function words(pairs: readonly Pair[]): string {
  const of = (pick: (pair: Pair) => number): string => median(pairs.map(pick)).toFixed(2);
  const sum = (pick: (did: Did) => number): number => pairs.reduce((total, { did }) => total + pick(did), 0);
  return [
    `p99 ${of(({ without }) => without.p99Ms)} ms, flooded ${of(({ flooded }) => flooded.p99Ms)} ms`,
    `${sum(({ frames }) => frames)} frames over ${sum(({ connections }) => connections)} connections`,
    `of which the door ended ${sum(({ endedByDoor }) => endedByDoor)}`,
  ].join(', ');
}

async function whileFlooded(
  { target }: BenchServer,
  kind: FloodName,
  good: () => Promise<LoadResult>,
): Promise<Omit<Pair, 'without'>> {
  const args = ['-c', LOAD_CORE, process.execPath, join(import.meta.dirname, 'flooder.ts'), target, kind];
  const child = spawn('taskset', [...args, String(FRAMES_PER_SECOND)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const lines = createInterface({ input: child.stdout }).on('line', (line) => {
    said = line;
  });
  const closed = once(child, 'close');
  await Promise.race([once(lines, 'line'), closed]);
  if (said !== READY) throw new Error(`the flooder did not begin: ${kind}`);
  const flooded = await good();
  child.kill('SIGTERM');
  await closed;
  if (flooded.failed > 0) throw new Error(`${flooded.failed} calls of the good client failed`);
  return { flooded, did: JSON.parse(said) as Did };
}
