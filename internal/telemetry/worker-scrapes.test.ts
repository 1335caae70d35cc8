import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metrics } from './metrics.ts';
import type { MetricsExport } from './metrics-export.ts';
import { type ScrapedWorker, WorkerScrapes } from './worker-scrapes.ts';

const aMain = (): Metrics => new Metrics({ version: '1.2.3', process: false, hasWorkers: true });
const aWorkerMetrics = (): Metrics => new Metrics({ version: '1.2.3', process: false });

async function linesOf(metrics: Metrics, pattern: RegExp): Promise<string[]> {
  let text = '';
  for await (const piece of metrics.scrape('text')) text += piece;
  return text.split('\n').filter((line) => pattern.test(line) && !line.startsWith('#'));
}

const states = ([starting, serving, silent, ending = 0, waiting = 0]: readonly number[]): string[] => [
  `postern_workers{state="starting"} ${starting}`,
  `postern_workers{state="serving"} ${serving}`,
  `postern_workers{state="silent"} ${silent}`,
  `postern_workers{state="ending"} ${ending}`,
  `postern_workers{state="waiting"} ${waiting}`,
];

/** A worker that answers when the test says so. */
function lateWorker(id: number, metrics: Metrics): { readonly worker: ScrapedWorker; readonly asked: (() => void)[] } {
  const asked: (() => void)[] = [];
  const ask = (): Promise<MetricsExport> => {
    const { promise, resolve } = Promise.withResolvers<MetricsExport>();
    asked.push(() => void metrics.export().then(resolve));
    return promise;
  };
  return { worker: { id, isServing: true, isEnding: false, ask }, asked };
}

describe('WorkerScrapes', () => {
  it('adds what each worker counted since the scrape before', async () => {
    const main = aMain();
    const workers = [1, 2].map((id) => ({ id, metrics: aWorkerMetrics() }));
    new WorkerScrapes({
      metrics: main,
      count: 2,
      workers: () =>
        workers.map(({ id, metrics }) => ({ id, isServing: id === 1, isEnding: false, ask: () => metrics.export() })),
    });
    for (const { id, metrics } of workers) metrics.count('postern_log_dropped_total', undefined, id);
    const pattern = /^postern_(workers|log_dropped)/;
    assert.deepEqual(await linesOf(main, pattern), [...['postern_log_dropped_total 3'], ...states([1, 1, 0])]);
    workers[0]?.metrics.count('postern_log_dropped_total', undefined, 10);
    assert.deepEqual(await linesOf(main, pattern), [...['postern_log_dropped_total 13'], ...states([1, 1, 0])]);
  });

  it('does not wait for a worker that is silent, asks it once, and adds what it counted when it answers', async () => {
    const main = aMain();
    const metrics = aWorkerMetrics();
    const { worker, asked } = lateWorker(7, metrics);
    const scrapes = new WorkerScrapes({ metrics: main, workers: () => [worker], count: 1, waitMs: 1 });
    metrics.count('postern_log_dropped_total', undefined, 5);
    const pattern = /^postern_(workers|log_dropped)/;
    assert.deepEqual(await linesOf(main, pattern), ['postern_log_dropped_total 0', ...states([0, 0, 1])]);
    assert.deepEqual(await linesOf(main, pattern), ['postern_log_dropped_total 0', ...states([0, 0, 1])]);
    assert.equal(asked.length, 1);
    asked[0]?.();
    // The next question is asked and answered as soon as the first one is.
    while (asked.length < 2) await scrapes.gather();
    asked[1]?.();
    await new Promise(setImmediate);
    const answered = linesOf(main, pattern);
    asked[2]?.();
    assert.equal((await answered)[0], 'postern_log_dropped_total 5');
  });

  it('keeps what a worker counted when it ends, and none of its gauges, also where its answer comes after its end', async () => {
    const main = aMain();
    const metrics = aWorkerMetrics();
    const { worker, asked } = lateWorker(7, metrics);
    let all: readonly ScrapedWorker[] = [worker];
    const scrapes = new WorkerScrapes({ metrics: main, workers: () => all, count: 1, waitMs: 1 });
    metrics.count('postern_keys_fetches_total', 'failure', 5);
    metrics.read('postern_ratelimit_keys', () => 40);
    await scrapes.gather();
    all = [];
    scrapes.ended(7);
    scrapes.restarted();
    asked[0]?.();
    const pattern = /^postern_(keys_fetches|ratelimit_keys|worker)/;
    const expected = [
      'postern_ratelimit_keys 0',
      'postern_keys_fetches_total{result="success"} 0',
      'postern_keys_fetches_total{result="failure"} 5',
      ...states([0, 0, 0, 0, 1]),
      'postern_worker_restarts_total 1',
    ];
    let lines: string[] = [];
    for (let turn = 0; turn < 100 && lines[2] !== expected[2]; turn += 1) lines = await linesOf(main, pattern);
    assert.deepEqual(lines, expected);
  });

  it('tells what it has where a worker cannot be asked', async () => {
    const main = aMain();
    const worker = { id: 1, isServing: true, isEnding: false, ask: () => Promise.reject(new Error('channel closed')) };
    new WorkerScrapes({ metrics: main, workers: () => [worker], count: 1 });
    assert.deepEqual(await linesOf(main, /^postern_workers/), states([0, 1, 0]));
  });

  it('tells workers that end from those that begin, and counts places whose worker waits to be started again', async () => {
    const main = aMain();
    const workers = [1, 2, 3].map((id) => ({
      id,
      isServing: id === 2,
      isEnding: id === 3,
      ask: () => aWorkerMetrics().export(),
    }));
    new WorkerScrapes({ metrics: main, workers: () => workers, count: 5 });
    assert.deepEqual(await linesOf(main, /^postern_workers/), states([1, 1, 0, 1, 2]));
  });
});
