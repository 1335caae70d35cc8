import type { Figure } from '../figures.ts';
import { grow, longestStretch, tries } from './slow-inputs.ts';

const TRIES = 1_000_000;
/** So many of the slowest are grown. */
const WORST = 1000;
const RUNS = 5;
const SEED = 7;

interface Slow {
  readonly value: string;
  readonly perUnit: number;
}

/** The longest stretch for which a value keeps everybody waiting, that a search for slow ones finds. */
export async function measureStretches(say: (line: string) => void): Promise<Figure[]> {
  const slow: Slow[] = [];
  for (const value of tries(TRIES, chanceOf(SEED))) {
    slow.push({ value, perUnit: longestStretch(value) / value.length });
    if (slow.length >= 4 * WORST) keepWorst(slow);
  }
  keepWorst(slow);
  say(`${TRIES} tries; ${slow.length} are grown`);
  let longest = 0;
  for (const { value } of slow) {
    const ms = shortestRun(grow(value), longest);
    if (ms <= longest) continue;
    longest = ms;
    say(`  ${ms.toFixed(2)} ms: ${JSON.stringify(value.slice(0, 60))}`);
  }
  const note = `built-in detectors: ${TRIES} tries of at most 2 KiB, the worst ${WORST} grown to 64 KiB, best of ${RUNS} runs of each`;
  return [{ key: 'worst_ms', value: Number(longest.toPrecision(4)), unit: 'ms', bar: '<= 5', note }];
}

/** Another process may have had the processor in one run, not in all; a run that is no news needs no other. */
function shortestRun(value: string, longest: number): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS && shortest > longest; run += 1) shortest = Math.min(shortest, longestStretch(value));
  return shortest;
}

function keepWorst(slow: Slow[]): void {
  slow.sort((a, b) => b.perUnit - a.perUnit);
  slow.length = Math.min(slow.length, WORST);
}

/** A linear congruential generator (Numerical Recipes): the same tries each time. */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
