import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ManualTimers } from '../kube/manual-timers.fixture.ts';
import { settled } from '../kube/scripted-api.fixture.ts';
import { Admission } from './admission.ts';

/** A replica whose Lease and reading a test plays. */
class Bench {
  readonly timers = new ManualTimers();
  readonly asked: string[] = [];
  readonly admission: Admission;
  renews: PromiseWithResolvers<boolean> | undefined;
  reads: PromiseWithResolvers<void> | undefined;

  constructor() {
    this.admission = new Admission({
      clock: this.timers,
      timers: this.timers,
      renew: () => {
        this.asked.push('renew');
        this.renews = Promise.withResolvers<boolean>();
        return this.renews.promise;
      },
      refresh: (after) => {
        this.asked.push(`refresh ${after}`);
        this.reads = Promise.withResolvers<void>();
        return this.reads.promise;
      },
      onWoken: (ms) => this.asked.push(`woken ${ms}`),
    });
  }

  get answers(): string {
    return this.admission.refusal()?.reason ?? 'answers';
  }

  async renew(isRenewed = true): Promise<void> {
    if (isRenewed) this.admission.renewed(this.timers.nowMs);
    this.renews?.resolve(isRenewed);
    await settled();
  }

  async read(): Promise<void> {
    this.reads?.resolve();
    await settled();
  }

  /** Runs for so long, looking all the while. */
  run(ms: number): void {
    for (let left = ms; left > 0; left -= 250) this.timers.advance(Math.min(left, 250));
  }

  /** Stopped: the clock moves, and no timer runs. */
  stopFor(ms: number): void {
    this.timers.nowMs += ms;
  }

  /** The wall clock alone moves: the machine was suspended, or its clock was put. */
  suspendFor(ms: number): void {
    this.timers.skewMs += ms;
  }

  async admit(): Promise<void> {
    this.admission.built();
    await this.renew();
    await this.read();
    assert.equal(this.answers, 'answers');
    this.asked.length = 0;
  }
}

let bench: Bench;
function setUp(): void {
  bench = new Bench();
}

describe('Admission', () => {
  beforeEach(setUp);

  it('answers nothing before it has said that it is alive, and then read what it may have missed', async () => {
    assert.equal(bench.answers, 'no_snapshot');
    bench.admission.built();
    assert.deepEqual([bench.asked, bench.answers], [['renew'], 'no_snapshot']);
    await bench.renew();
    assert.deepEqual([bench.asked, bench.answers], [['renew', 'refresh first'], 'no_snapshot']);
    await bench.read();
    assert.equal(bench.answers, 'answers');
    await bench.admission.first;
  });

  it('answers at once by what it has when its Lease cannot be written', async () => {
    bench.admission.built();
    await bench.renew(false);
    assert.deepEqual([bench.asked, bench.answers], [['renew'], 'answers']);
  });

  it('waits ten seconds, and no longer, for an API server that does not answer', async () => {
    bench.admission.built();
    bench.run(9750);
    await settled();
    assert.equal(bench.answers, 'no_snapshot');
    bench.run(250);
    await settled();
    assert.equal(bench.answers, 'answers');
  });

  it('was stopped until its Lease lapsed: its very first answer after that refuses, until everything was read anew', async () => {
    await bench.admit();
    bench.run(3000);
    bench.stopFor(8000);
    assert.equal(bench.answers, 'stale_snapshot');
    assert.deepEqual(bench.asked, ['woken 8000', 'renew']);
    await bench.renew();
    assert.equal(bench.answers, 'stale_snapshot');
    await bench.read();
    assert.deepEqual([bench.asked, bench.answers], [['woken 8000', 'renew', 'refresh woken'], 'answers']);
  });

  it('was stopped for less: it answers, until its Lease would have lapsed without a renewal', async () => {
    await bench.admit();
    bench.stopFor(4000);
    assert.equal(bench.answers, 'answers');
    bench.run(5750);
    assert.equal(bench.answers, 'answers');
    bench.run(250);
    assert.equal(bench.answers, 'stale_snapshot');
  });

  it('was stopped for less, and renewed its Lease: nothing was missed', async () => {
    await bench.admit();
    bench.stopFor(4000);
    bench.admission.renewed(bench.timers.nowMs - 4000);
    assert.equal(bench.answers, 'answers');
    bench.run(1000);
    bench.admission.renewed(bench.timers.nowMs);
    bench.run(60_000);
    assert.deepEqual([bench.asked, bench.answers], [[], 'answers']);
  });

  it('is not fooled by a renewal that was sent before the stop and answered after it', async () => {
    await bench.admit();
    const sentMs = bench.timers.nowMs;
    bench.stopFor(9000);
    bench.admission.renewed(sentMs);
    bench.run(1000);
    assert.equal(bench.answers, 'stale_snapshot');
  });

  it('goes on with what it has while the API server is away, for as long as that takes, also over a short stop', async () => {
    await bench.admit();
    bench.run(3_600_000);
    assert.equal(bench.answers, 'answers');
    bench.stopFor(9000);
    assert.deepEqual([bench.asked, bench.answers], [[], 'answers']);
    bench.run(60_000);
    assert.deepEqual([bench.asked, bench.answers], [[], 'answers']);
  });

  it('was cut off, then stopped while the API server came back: it answers nothing of old', async () => {
    await bench.admit();
    bench.run(10_500);
    assert.equal(bench.answers, 'answers');
    bench.stopFor(300_000);
    assert.equal(bench.answers, 'stale_snapshot');
    await bench.renew();
    await bench.read();
    assert.deepEqual([bench.asked, bench.answers], [['woken 300000', 'renew', 'refresh woken'], 'answers']);
  });

  it('was suspended with its machine, which the monotonic clock does not count: it answers nothing of old', async () => {
    await bench.admit();
    bench.suspendFor(300_000);
    assert.equal(bench.answers, 'stale_snapshot');
    await bench.renew();
    await bench.read();
    assert.deepEqual([bench.asked, bench.answers], [['woken 300000', 'renew', 'refresh woken'], 'answers']);
  });

  it('is not fooled by a renewal that was sent before its machine was suspended and answered after it', async () => {
    await bench.admit();
    const sentMs = bench.timers.nowMs;
    bench.run(250);
    bench.suspendFor(9500);
    bench.admission.renewed(sentMs);
    assert.equal(bench.answers, 'answers');
    bench.run(250);
    assert.equal(bench.answers, 'stale_snapshot');
  });

  it('makes nothing of a wall clock that drifts, is put back, or is put forward by less than its Lease', async () => {
    await bench.admit();
    for (const ms of [200, 900, -3_600_000, 5000]) {
      bench.suspendFor(ms);
      assert.equal(bench.answers, 'answers', String(ms));
      bench.admission.renewed(bench.timers.nowMs);
      bench.run(4000);
    }
    assert.deepEqual(bench.asked, []);
  });

  it('refuses for no longer than it takes to read anew when the wall clock is put forward by hours', async () => {
    await bench.admit();
    bench.suspendFor(3_600_000);
    assert.equal(bench.answers, 'stale_snapshot');
    await bench.renew();
    await bench.read();
    bench.run(5000);
    assert.equal(bench.answers, 'answers');
  });

  it('refuses for five seconds at most when the API server went away during the stop', async () => {
    await bench.admit();
    bench.stopFor(20_000);
    assert.equal(bench.answers, 'stale_snapshot');
    bench.run(5000);
    await settled();
    assert.equal(bench.answers, 'answers');
  });

  it('begins anew when it is stopped again while it reads: time that it was stopped is no time that it waited', async () => {
    await bench.admit();
    bench.stopFor(20_000);
    assert.equal(bench.answers, 'stale_snapshot');
    await bench.renew();
    bench.stopFor(20_000);
    bench.run(250);
    await settled();
    assert.equal(bench.answers, 'stale_snapshot');
    assert.deepEqual(bench.asked, ['woken 20000', 'renew', 'refresh woken', 'renew']);
    await bench.renew();
    await bench.read();
    assert.equal(bench.answers, 'answers');
  });
});
