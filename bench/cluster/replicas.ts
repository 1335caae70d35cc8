import { setTimeout as wait } from 'node:timers/promises';
import type { ApiServer } from '../../test/components/api-server.ts';
import { closeClients } from '../../test/door/client.ts';
import type { Figure } from '../figures.ts';
import type { BenchServer } from '../servers.ts';
import { anyone, createAll } from './objects.ts';
import { answersBy, change, isProgrammed, type ReplicaSet, startReplicas, statusWrites } from './replica-set.ts';

type Say = (line: string) => void;

const REPLICAS = 3;
const CHANGES = 100;
const PAUSES = 20;
/** Shorter than a Lease lasts from its newest renewal on, whenever that was. */
const SHORT_MS = 5000;
/** Longer than a Lease lasts. */
const LONG_MS = 20_000;
/** So long after a stop began the stopped one is alive for sure: 15 s behind a renewal of at most 7 s before. */
const ALIVE_MS = 8000;
const IDLE_POLICIES = 1000;
const IDLE_MS = 180_000;

export async function measureReplicas(say: Say): Promise<Figure[]> {
  const set = await startReplicas(REPLICAS);
  try {
    const changed = await measureChanges(set, say);
    const pauses = await measurePauses(set, say);
    const idle = await measureIdle(set, say);
    return [
      changed.latency,
      {
        key: 'programmed_false',
        value: changed.wrong + pauses.wrong,
        unit: 'times',
        bar: '0',
        note: `${CHANGES} changes; ${PAUSES} stops of a replica, the writer among them: after ${pauses.lapsed} of them Programmed came without the stopped one`,
      },
      changed.writes,
      idle,
    ];
  } finally {
    closeClients();
    await set.stop();
  }
}

/** Resolves with the milliseconds until it says so. */
async function programmedAfter(api: ApiServer, generation: number, withinMs: number): Promise<number | undefined> {
  const start = performance.now();
  while (performance.now() - start < withinMs) {
    if (await isProgrammed(api, generation)) return performance.now() - start;
    await wait(5);
  }
  return undefined;
}

interface Changed {
  readonly latency: Figure;
  readonly writes: Figure;
  readonly wrong: number;
}

async function measureChanges(set: ReplicaSet, say: Say): Promise<Changed> {
  const { api, replicas } = set;
  await programmedAfter(api, await change(api, true), 30_000);
  const before = await statusWrites(set);
  const latencies: number[] = [];
  let wrong = 0;
  for (let i = 0; i < CHANGES; i += 1) {
    const isOpen = i % 2 === 1;
    const ms = await programmedAfter(api, await change(api, isOpen), 30_000);
    if (ms === undefined) throw new Error('A change was not programmed');
    latencies.push(ms);
    const answers = await Promise.all(replicas.map(answersBy));
    if (answers.some((by) => by !== (isOpen ? 'open' : 'closed'))) wrong += 1;
  }
  latencies.sort((a, b) => a - b);
  const written = (await statusWrites(set)) - before;
  const p99 = latencies[Math.ceil(CHANGES * 0.99) - 1] ?? Number.NaN;
  say(`  programmed: p50 ${latencies[CHANGES / 2]?.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, ${written} writes`);
  return {
    wrong,
    latency: {
      key: 'programmed_p99_ms',
      value: Math.round(p99),
      unit: 'ms',
      bar: '<= 2000',
      note: `${CHANGES} changes by kubectl, ${REPLICAS} replicas; p50 ${latencies[CHANGES / 2]?.toFixed(0)} ms`,
    },
    writes: {
      key: 'api_writes_per_change',
      value: written / CHANGES,
      unit: 'writes',
      bar: '<= 2',
      note: `status writes of all ${REPLICAS} replicas over ${CHANGES} changes`,
    },
  };
}

async function measurePauses(set: ReplicaSet, say: Say): Promise<{ readonly wrong: number; readonly lapsed: number }> {
  const { api, replicas } = set;
  let wrong = 0;
  let lapsed = 0;
  for (let i = 0; i < PAUSES; i += 1) {
    const stopped = replicas[i % REPLICAS];
    if (stopped === undefined) throw new Error('There is no such replica');
    const isLong = i % 2 === 1;
    const isOpen = (await answersBy(stopped)) !== 'open';
    process.kill(stopped.pid, 'SIGSTOP');
    const stoppedMs = performance.now();
    const generation = await change(api, isOpen);
    const leftMs = (): number => stoppedMs + (isLong ? LONG_MS : SHORT_MS) - performance.now();
    const cameMs = await programmedAfter(api, generation, leftMs());
    const isLapsed = cameMs !== undefined;
    if (isLapsed) lapsed += 1;
    // The stopped one cannot answer by the new policy, and was alive.
    if (isLapsed && performance.now() - stoppedMs < ALIVE_MS) wrong += 1;
    await wait(Math.max(0, leftMs()));
    const old = await oldAnswers(set, { stopped, isOpen, generation });
    say(
      `  ${isLong ? 'long' : 'short'} stop ${i + 1}: ${isLapsed ? 'programmed without it' : 'waited for it'}, ${old} old answers`,
    );
    wrong += old;
    if ((await programmedAfter(api, generation, 60_000)) === undefined) throw new Error('It was not programmed');
  }
  return { wrong, lapsed };
}

/**
 * Lets a stopped replica go on, and counts its answers by the older policy at times when the status said that all serve
 * the newer one. Checks wait in its socket already: they are the first that it sees.
 */
async function oldAnswers(
  { api }: ReplicaSet,
  { stopped, isOpen, generation }: { stopped: BenchServer; isOpen: boolean; generation: number },
): Promise<number> {
  const old = isOpen ? 'closed' : 'open';
  const waiting = Array.from({ length: 20 }, () => answersBy(stopped));
  await wait(200);
  const wasProgrammed = await isProgrammed(api, generation);
  process.kill(stopped.pid, 'SIGCONT');
  let count = 0;
  for (const by of await Promise.all(waiting)) if (wasProgrammed && by === old) count += 1;
  const untilMs = performance.now() + 3000;
  while (performance.now() < untilMs) {
    // Said before it was asked: whoever answers by the older one then is alive, and not counted.
    const isSaid = await isProgrammed(api, generation);
    if ((await answersBy(stopped)) === old && isSaid) count += 1;
  }
  return count;
}

async function measureIdle({ api }: ReplicaSet, say: Say): Promise<Figure> {
  await createAll(
    api,
    Array.from({ length: IDLE_POLICIES }, (_, i) => anyone(`idle-${i}`, `idle-${i}.example.org`, true)),
  );
  // Twenty statuses a second, and some time for what follows.
  await wait((IDLE_POLICIES / 20) * 1000 + 20_000);
  const before = await agentRequests(api);
  await wait(IDLE_MS);
  const after = await agentRequests(api);
  const perMinute = ((after.sum - before.sum) / IDLE_MS) * 60_000;
  for (const [what, count] of after.counts) say(`  ${what}: ${count - (before.counts.get(what) ?? 0)}`);
  return {
    key: 'idle_requests_per_min',
    value: Math.round(perMinute * 10) / 10,
    unit: 'requests/min',
    bar: '<= 60',
    note: `${REPLICAS} replicas, ${IDLE_POLICIES} policies, over ${IDLE_MS / 60_000} min; by apiserver_request_total`,
  };
}

/** Besides their own kinds. */
const ASKED_FOR: ReadonlySet<string> = new Set(['leases', 'customresourcedefinitions', 'namespaces', 'secrets']);

/** Requests for what agents ask for, by the API server's own count; it keeps a Lease of its own in kube-system. */
async function agentRequests(
  api: ApiServer,
): Promise<{ readonly sum: number; readonly counts: ReadonlyMap<string, number> }> {
  const { body } = await api.call('GET', '/metrics');
  const counts = new Map<string, number>();
  let sum = 0;
  for (const [, labels = '', value] of String(body).matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
    const label = (name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    if (label('group') !== 'postern.dev' && !ASKED_FOR.has(label('resource'))) continue;
    const what = `${label('verb')} ${label('resource')} ${label('code')}`;
    counts.set(what, (counts.get(what) ?? 0) + Number(value));
    sum += Number(value);
  }
  return { sum, counts };
}
