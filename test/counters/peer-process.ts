// A process with the counters of one worker: node peer-process.ts DIRECTORY INDEX COUNT GENERATION
import { machineMonotonicMs, systemClock } from '../../internal/core/clock.ts';
import { MemoryStore } from '../../internal/counters/memory-store.ts';
import { PeerCounters } from '../../internal/counters/peers/peer-counters.ts';
import { calendarNamed } from '../../internal/phases/ratelimit/calendar.ts';
import type { Rate } from '../../internal/phases/ratelimit/counter-store.ts';

/** What the test tells a worker to do; each is answered by one `Told`. */
export type Order =
  | {
      readonly kind: 'take';
      readonly times: number;
      readonly key: string;
      readonly tag: number;
      readonly rate: WrittenRate;
    }
  | { readonly kind: 'changed'; readonly index: number; readonly generation: number }
  | { readonly kind: 'connected' };

/** As `Rate`; of calendars the name alone. */
export type WrittenRate =
  | Exclude<Rate, { algorithm: 'Calendar' }>
  | { readonly calendarName: string; readonly requests: number };

export interface Told {
  readonly passed: number;
  readonly refused: number;
  readonly failed: number;
  /** The longest that a take was waited for. */
  readonly longestMs: number;
  /** The machine's monotonic clock, as the worker reads it. */
  readonly machineMs: number;
}

const [directory = '', index = '', count = '', generation = ''] = process.argv.slice(2);
const generations: number[] = [];
generations[Number(index)] = Number(generation);
const counters = new PeerCounters({
  index: Number(index),
  count: Number(count),
  generations,
  directory,
  local: new MemoryStore({ maxKeys: 10_000, onEvict: () => undefined }),
  calendarNamed,
  // A machine that does much else keeps a process from running for longer than the default.
  bounds: { stallMs: 500 },
  onTrouble: (why) => process.stderr.write(`${why}\n`),
});

const machineMs = (): number => systemClock.monotonicMs() + machineMonotonicMs;
const nothing = (): Told => ({ passed: 0, refused: 0, failed: 0, longestMs: 0, machineMs: machineMs() });

function rateOf(written: WrittenRate): Rate {
  if (!('calendarName' in written)) return written;
  const calendar = calendarNamed(written.calendarName);
  if (calendar === undefined) throw new Error(`No calendar ${written.calendarName}`);
  return { algorithm: 'Calendar', calendar, ...written };
}

async function take({ times, key, tag, rate }: Order & { kind: 'take' }): Promise<Told> {
  const told: { -readonly [K in keyof Told]: Told[K] } = nothing();
  const takes = [{ key, rate: rateOf(rate), cost: 1, namespace: 'shop', tag }];
  const one = async (): Promise<void> => {
    const beganMs = systemClock.monotonicMs();
    try {
      const [state] = await counters.take(takes, { monotonicMs: beganMs, wallMs: systemClock.wallMs() });
      told[state?.isWithin === true ? 'passed' : 'refused'] += 1;
    } catch {
      told.failed += 1;
    }
    told.longestMs = Math.max(told.longestMs, systemClock.monotonicMs() - beganMs);
  };
  await Promise.all(Array.from({ length: times }, one));
  return told;
}

async function obey(order: Order): Promise<Told> {
  if (order.kind === 'take') return take(order);
  if (order.kind === 'changed') counters.peerChanged(order.index, order.generation);
  else await counters.connected();
  return nothing();
}

process.on('message', (order: Order) => void obey(order).then((told) => process.send?.(told)));
process.on('disconnect', () => process.exit());
await counters.open();
process.send?.(nothing());
