// node bench/peer-takes.ts [takes]: what a take from a counter of another worker costs both processes, by takes in flight.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../internal/core/clock.ts';
import { MemoryStore } from '../internal/counters/memory-store.ts';
import { PeerCounters } from '../internal/counters/peers/peer-counters.ts';
import { calendarNamed } from '../internal/phases/ratelimit/calendar.ts';
import type { Take } from '../internal/phases/ratelimit/counter-store.ts';

const KEYS = 10_000;
const RATE = { algorithm: 'GCRA', requests: 1_000_000, windowMs: 1000, burst: 1_000_000 } as const;

async function worker(index: number, directory: string): Promise<PeerCounters> {
  const counters = new PeerCounters({
    index,
    count: 2,
    generations: [],
    directory,
    local: new MemoryStore({ maxKeys: 100_000, onEvict: () => undefined }),
    calendarNamed,
    // Who shares its cores with others may be kept from running for longer than a check may wait.
    bounds: { stallMs: 5000 },
    onTrouble: (why) => process.stderr.write(`${why}\n`),
  });
  await counters.open();
  return counters;
}

/** Prefix and digest, as limits make them: 44 characters. */
const takes: Take[][] = Array.from({ length: KEYS }, (_, i) => [
  { key: `${'p'.repeat(22)}${String(i).padStart(22, '0')}`, rate: RATE, cost: 1, namespace: 'shop', tag: 1 },
]);

/** As checks come: each takes, waits, and another one follows. */
async function load(counters: PeerCounters, count: number, inFlight: number): Promise<void> {
  let left = count;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const moment = { monotonicMs: systemClock.monotonicMs(), wallMs: systemClock.wallMs() };
      await counters.take(takes[left % KEYS] ?? [], moment);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
}

const spentUs = ({ user, system }: NodeJS.CpuUsage): number => user + system;

if (process.argv[2] === 'owner') {
  await worker(1, process.argv[3] ?? '');
  let before = process.cpuUsage();
  process.on('message', () => {
    process.send?.(spentUs(process.cpuUsage(before)));
    before = process.cpuUsage();
  });
  process.on('disconnect', () => process.exit());
  process.send?.('open');
} else {
  const count = Number(process.argv[2] ?? 400_000);
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const owner = fork(import.meta.filename, ['owner', directory]);
  await once(owner, 'message');
  const counters = await worker(0, directory);
  await counters.connected();
  const askOwner = async (): Promise<number> => {
    owner.send('spent');
    return Number((await once(owner, 'message'))[0]);
  };
  await load(counters, count, 64);
  for (const inFlight of [1, 8, 32, 64, 128]) {
    await askOwner();
    const before = process.cpuUsage();
    const beganMs = systemClock.monotonicMs();
    await load(counters, count, inFlight);
    const wallUs = (systemClock.monotonicMs() - beganMs) * 1000;
    const askerUs = spentUs(process.cpuUsage(before)) / count;
    const ownerUs = (await askOwner()) / count;
    const rounded = (us: number): number => Math.round(us * 100) / 100;
    const row = { inFlight, askerUs: rounded(askerUs), ownerUs: rounded(ownerUs), wallUs: rounded(wallUs / count) };
    process.stdout.write(`${JSON.stringify({ ...row, sumUs: rounded(askerUs + ownerUs) })}\n`);
  }
  await counters.close();
  owner.disconnect();
  rmSync(directory, { recursive: true, force: true });
}
