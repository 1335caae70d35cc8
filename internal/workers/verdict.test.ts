import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeardVerdict, type Verdict } from './verdict.ts';

const TIMES = { heldMs: 10_000, stopMs: 1000 };
/** The machine was up for so long when this process began. */
const MACHINE_MS = 5_000_000;

/** A worker whose clocks a test sets; it was told at 0 that it may answer, while others counted on it for 10 s more. */
class World {
  wall = 1_700_000_000_000;
  monotonic = 0;
  readonly heard = new HeardVerdict({ wallMs: () => this.wall, monotonicMs: () => this.monotonic }, MACHINE_MS, TIMES);

  hear(heldForMs: number, refusal?: Verdict['refusal']): this {
    const sentMs = this.monotonic + MACHINE_MS;
    this.heard.hear({ refusal, sentMs, sentWallMs: this.wall, heldUntilMs: sentMs + heldForMs });
    return this;
  }

  pass(ms: number): this {
    this.wall += ms;
    this.monotonic += ms;
    return this;
  }

  get reason(): string | undefined {
    return this.heard.refusal()?.reason;
  }
}

describe('HeardVerdict', () => {
  it('refuses before anything was heard: nobody knows of this instance yet', () => {
    assert.equal(new World().reason, 'no_snapshot');
  });

  it('answers and refuses as it was told', () => {
    const world = new World().hear(10_000);
    const first = world.reason;
    world.hear(10_000, { reason: 'stale_snapshot' });
    assert.deepEqual([first, world.reason, world.hear(10_000).reason], [undefined, 'stale_snapshot', undefined]);
  });

  it('refuses when the main process was not heard for as long as others count on it', () => {
    const world = new World().hear(-Infinity);
    assert.deepEqual([world.pass(9999).reason, world.pass(1).reason], [undefined, 'stale_snapshot']);
  });

  it('refuses sooner when a Lease that held has lapsed since, and the main process was not heard as it did', () => {
    const world = new World().hear(1500);
    assert.deepEqual([world.pass(1499).reason, world.pass(1).reason], [undefined, 'stale_snapshot']);
  });

  it('takes a lapse within a moment for none: whoever was heard then would have been told', () => {
    const world = new World().hear(500);
    assert.deepEqual([world.pass(999).reason, world.pass(1).reason], [undefined, 'stale_snapshot']);
  });

  it('goes on without a Lease while the main process does: the API server does not answer it', () => {
    const world = new World().hear(-5000);
    for (let i = 0; i < 100; i += 1) assert.equal(world.pass(2000).hear(-5000).reason, undefined);
  });

  it('refuses after the machine was suspended, which only the wall clock counts', () => {
    const world = new World().hear(9000);
    world.wall += 60_000;
    assert.equal(world.reason, 'stale_snapshot');
  });

  it('is not made younger by a wall clock that is put back', () => {
    const world = new World().hear(9000).pass(12_000);
    world.wall -= 3_600_000;
    assert.equal(world.reason, 'stale_snapshot');
  });

  it('takes what lay in the channel for as old as it is', () => {
    const world = new World();
    const sentMs = MACHINE_MS;
    const old: Verdict = { refusal: undefined, sentMs, sentWallMs: world.wall, heldUntilMs: sentMs + 9000 };
    world.pass(15_000).heard.hear(old);
    assert.equal(world.reason, 'stale_snapshot');
  });
});
