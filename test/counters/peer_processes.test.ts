import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { machineMonotonicMs, systemClock } from '../../internal/core/clock.ts';
import type { Order, Told, WrittenRate } from './peer-process.ts';

const PROGRAM = join(import.meta.dirname, 'peer-process.ts');
const COUNT = 3;
const HOUR_MS = 3_600_000;
/** More than a stall takes to be noticed, and far less than it lasts here. */
const SOON_MS = 5000;

/** A worker's process, which does one thing after the other. */
class Worker {
  readonly child: ChildProcess;
  readonly index: number;
  readonly #answers: ((told: Told) => void)[] = [];

  constructor(directory: string, index: number, generation = 0) {
    this.index = index;
    this.child = fork(PROGRAM, [directory, index, COUNT, generation].map(String));
    this.child.on('message', (told: Told) => this.#answers.shift()?.(told));
  }

  /** Resolves when it listens. */
  opened(): Promise<Told> {
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  tell(order: Order): Promise<Told> {
    this.child.send(order);
    return this.opened();
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}

const sum = (all: readonly Told[], of: keyof Told): number => all.reduce((total, told) => total + told[of], 0);

describe('counters of three processes', { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-'));
  const workers: Worker[] = [];
  let keys = 0;
  const key = (): string => `k${keys}`;
  const workerAt = (index: number): Worker => workers[index] ?? assert.fail(`no worker ${index}`);
  const everyone = (times: number, tag: number, rate: WrittenRate): Promise<Told[]> =>
    Promise.all(workers.map((worker) => worker.tell({ kind: 'take', times, key: key(), tag, rate })));

  before(async () => {
    workers.push(...Array.from({ length: COUNT }, (_, index) => new Worker(directory, index)));
    await Promise.all(workers.map((worker) => worker.opened()));
    await Promise.all(workers.map((worker) => worker.tell({ kind: 'connected' })));
  });
  beforeEach(() => {
    keys += 1;
  });
  after(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    rmSync(directory, { recursive: true, force: true });
  });

  for (const rate of [
    { algorithm: 'GCRA', requests: 100, windowMs: 24 * HOUR_MS, burst: 100 },
    { algorithm: 'SlidingWindow', requests: 100, windowMs: HOUR_MS },
    { calendarName: 'Year/Europe/Berlin', requests: 100 },
  ] satisfies WrittenRate[]) {
    for (const owner of [0, 1, 2]) {
      it(`let exactly 100 of 600 at once pass by ${JSON.stringify(rate)}, of worker ${owner}`, async () => {
        const told = await everyone(200, owner, rate);
        assert.deepEqual([sum(told, 'passed'), sum(told, 'refused'), sum(told, 'failed')], [100, 500, 0]);
      });
    }
  }

  it('go by one clock, whenever the processes began', async () => {
    for (const worker of workers) {
      const before = systemClock.monotonicMs() + machineMonotonicMs;
      const { machineMs } = await worker.tell({ kind: 'connected' });
      const behind = systemClock.monotonicMs() + machineMonotonicMs;
      assert.ok(machineMs > before - 0.01 && machineMs < behind + 0.01, `${before} ${machineMs} ${behind}`);
    }
  });

  it('are of all processes, whoever asks after whom', async () => {
    const rate = { algorithm: 'GCRA', requests: 1, windowMs: HOUR_MS, burst: 2 } satisfies WrittenRate;
    const takes = [0, 1, 2, 0, 1, 2];
    const passed: number[] = [];
    for (const index of takes)
      passed.push((await workerAt(index).tell({ kind: 'take', times: 1, key: key(), tag: 2, rate })).passed);
    assert.deepEqual(passed, [1, 1, 0, 0, 0, 0]);
  });

  const RATE = { algorithm: 'GCRA', requests: 100, windowMs: 24 * HOUR_MS, burst: 100 } satisfies WrittenRate;

  it('keep nobody waiting for a worker that was stopped, and are exact again when it goes on', async () => {
    const [one, two] = [workerAt(0), workerAt(1)];
    two.child.kill('SIGSTOP');
    const stopped = await one.tell({ kind: 'take', times: 50, key: key(), tag: 1, rate: RATE });
    assert.deepEqual([stopped.failed, stopped.passed], [50, 0]);
    assert.ok(stopped.longestMs < SOON_MS, `${stopped.longestMs} ms`);
    const again = await one.tell({ kind: 'take', times: 50, key: key(), tag: 1, rate: RATE });
    assert.equal(again.failed, 50);
    assert.ok(again.longestMs < stopped.longestMs, `${again.longestMs} ms`);
    two.child.kill('SIGCONT');
    // What it was asked before it has taken by now; nobody was let pass by it.
    let told = again;
    while (told.failed > 0) told = await one.tell({ kind: 'take', times: 1, key: key(), tag: 1, rate: RATE });
    const rest = await everyone(100, 1, RATE);
    assert.deepEqual([sum(rest, 'passed'), sum(rest, 'failed')], [100 - 50 - 1, 0]);
  });

  it('fail what waits for a worker that was killed, at once, and go on with the one in its place', async () => {
    const [one, two] = [workerAt(0), workerAt(1)];
    two.child.kill('SIGSTOP');
    const waiting = one.tell({ kind: 'take', times: 50, key: key(), tag: 1, rate: RATE });
    await two.kill();
    const killed = await waiting;
    assert.deepEqual([killed.failed, killed.passed], [50, 0]);
    assert.ok(killed.longestMs < SOON_MS, `${killed.longestMs} ms`);
    const replaced = new Worker(directory, 1, 1);
    await replaced.opened();
    workers[1] = replaced;
    for (const index of [0, 2]) await workerAt(index).tell({ kind: 'changed', index: 1, generation: 1 });
    await Promise.all(workers.map((worker) => worker.tell({ kind: 'connected' })));
    const told = await everyone(100, 1, RATE);
    assert.deepEqual([sum(told, 'passed'), sum(told, 'failed')], [100, 0]);
  });
});
