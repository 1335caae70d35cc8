import { bodiesFor, mustAllow } from '../asked.ts';
import type { Figure } from '../figures.ts';
import { API_KEY, apiKeyPolicies } from '../policies.ts';
import { load, startPostern } from '../servers.ts';

const KEY = { 'x-api-key': API_KEY };

/** How long it is warmed up, and how long collections are looked at. */
export interface CollectionTimes {
  readonly warmSeconds: number;
  readonly seconds: number;
}

const MINUTE: CollectionTimes = Object.freeze({ warmSeconds: 15, seconds: 60 });

/** One collection, as `--trace-gc` tells of it. */
interface Collection {
  readonly isYoung: boolean;
  readonly ms: number;
}

/**
 * Milliseconds that the process stood still for the longest young collection, at full load. V8 itself tells of each
 * (`--trace-gc`), and nothing has to run in the process for that.
 */
export async function measureCollections(
  say: (line: string) => void,
  { warmSeconds, seconds }: CollectionTimes = MINUTE,
): Promise<Figure[]> {
  const collections: Collection[] = [];
  const onText = (line: string): void => {
    const collection = collectionIn(line);
    if (collection !== undefined) collections.push(collection);
  };
  const server = await startPostern(apiKeyPolicies(1), [], 'Postern is ready', { node: ['--trace-gc'], onText });
  await mustAllow(server, 'h0.example.org', KEY);
  const bodies = bodiesFor(1, KEY);
  say(`  ${warmSeconds} s to warm up, then ${seconds} s`);
  await load(server.target, bodies, warmSeconds);
  collections.length = 0;
  const { perSecond } = await load(server.target, bodies, seconds);
  await server.stop();
  const timesOf = (isYoung: boolean): number[] =>
    collections.filter((one) => one.isYoung === isYoung).map(({ ms }) => ms);
  const young = timesOf(true);
  const full = timesOf(false);
  if (young.length === 0) throw new Error('V8 told of no young collection');
  const mean = young.reduce((sum, ms) => sum + ms, 0) / young.length;
  return [
    {
      key: 'young_gc_ms',
      value: Math.max(...young),
      unit: 'ms',
      bar: '<= 3',
      note: `by --trace-gc, in ${seconds} s at ${Math.round(perSecond)} checks a second: ${young.length} young ones, ${mean.toFixed(2)} ms in the mean; ${full.length} others, the longest ${Math.max(0, ...full)} ms`,
    },
  ];
}

/** `[pid:isolate] 123 ms: Scavenge 5.6 (7.0) -> 4.7 (8.0) MB, pooled: 0 MB, 0.55 / 0.00 ms …`. */
export function collectionIn(line: string): Collection | undefined {
  const [, kind = '', ms] =
    /^\[\d+:\w+\][^:]*ms: ([A-Z][\w-]*(?: [A-Z][\w-]*)*).* MB, .*?([\d.]+) \/ [\d.]+ ms/.exec(line) ?? [];
  if (ms === undefined) return undefined;
  return { isYoung: kind.startsWith('Scavenge') || kind.startsWith('Minor'), ms: Number(ms) };
}
