import { type BenchServer, type LoadOptions, type LoadResult, load, median } from './servers.ts';

/** A server and what it is asked. */
export interface Side {
  readonly server: BenchServer;
  readonly bodies: string;
  /** How it is asked; as every other server where nothing is said. */
  readonly load?: LoadOptions;
}

export interface Comparison {
  readonly a: Side;
  readonly b: Side;
  readonly pairs: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface Compared {
  /** Median over the pairs of what `a` does for each of `b`. */
  readonly ratio: number;
  /** The run of `a`, and of `b`, with the median throughput. */
  readonly a: LoadResult;
  readonly b: LoadResult;
}

const WARM_SECONDS = 4;

/** Throughput of one server against another's, asked in turn so that both have the same weather. */
export async function compare({ a, b, pairs, seconds, say }: Comparison): Promise<Compared> {
  for (const side of [a, b]) await ask(side, Math.min(seconds, WARM_SECONDS));
  const runs: { readonly a: LoadResult; readonly b: LoadResult }[] = [];
  for (let i = 0; i < pairs; i += 1) {
    const run = {
      a: await ask(a, seconds),
      b: await ask(b, seconds),
    };
    if (run.a.failed + run.b.failed > 0) throw new Error('A call failed under load');
    say(`  ${words(run.a)} against ${words(run.b)}`);
    runs.push(run);
  }
  return {
    ratio: median(runs.map((run) => run.a.perSecond / run.b.perSecond)),
    a: middle(runs.map((run) => run.a)),
    b: middle(runs.map((run) => run.b)),
  };
}

const ask = ({ server, bodies, load: how }: Side, seconds: number): Promise<LoadResult> =>
  load(server.target, bodies, seconds, how);

const words = ({ perSecond, p50Ms, p99Ms }: LoadResult): string =>
  `${Math.round(perSecond)} a second (p50 ${p50Ms.toFixed(2)}, p99 ${p99Ms.toFixed(2)} ms)`;

function middle(results: readonly LoadResult[]): LoadResult {
  const sorted = [...results].sort((left, right) => left.perSecond - right.perSecond);
  const result = sorted[Math.floor(sorted.length / 2)];
  if (result === undefined) throw new Error('Nothing was measured');
  return result;
}
