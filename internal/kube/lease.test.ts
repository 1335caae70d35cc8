import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { LeaseHolder, type LeaseOptions } from './lease.ts';
import type { LeaseObject, LeaseSpec } from './lease-record.ts';
import { ManualTimers } from './manual-timers.fixture.ts';
import { type Asked, aStatus, ScriptedApi, settled, Told } from './scripted-api.fixture.ts';

const PATH = '/apis/coordination.k8s.io/v1/namespaces/infra/leases';

/** One Lease, as an API server keeps it: a write that saw an older version is refused. */
class LeaseServer {
  lease: LeaseObject | undefined = undefined;
  isDown = false;
  /** Runs before the next write is looked at: somebody is faster. */
  beforeWrite: () => void = () => {};
  readonly asked: string[] = [];
  #version = 0;

  answer(asked: Asked): void {
    this.asked.push(`${asked.method} ${asked.path}`);
    asked.json(...this.#answerTo(asked));
  }

  #answerTo({ method, body }: Asked): [body: unknown, status?: number] {
    if (this.isDown) return [aStatus(503, 'away'), 503];
    if (method === 'GET') return this.lease === undefined ? [aStatus(404), 404] : [this.lease];
    this.beforeWrite();
    const { metadata, spec } = body as LeaseObject;
    const seen = this.lease?.metadata.resourceVersion;
    if (method === 'POST' ? seen !== undefined : seen !== metadata.resourceVersion)
      return [aStatus(409, 'the object has been modified'), 409];
    this.write(spec);
    return [this.lease];
  }

  write(spec: LeaseSpec | undefined): void {
    this.#version += 1;
    const metadata = { name: 'postern-status', namespace: 'infra', resourceVersion: String(this.#version) };
    this.lease = { metadata, ...(spec && { spec }) };
  }

  get holder(): string {
    return this.lease?.spec?.holderIdentity?.split('_')[0] ?? '';
  }
}

let api: ScriptedApi;
let server: LeaseServer;
async function setUp(): Promise<void> {
  api = await ScriptedApi.start();
  server = new LeaseServer();
  api.serve((asked) => server.answer(asked));
}

/** A replica with clocks of its own. */
class Contender {
  readonly timers = new ManualTimers();
  readonly told = new Told();
  readonly holder: LeaseHolder;

  constructor(identity: string, options: Partial<LeaseOptions> = {}) {
    this.holder = new LeaseHolder({
      config: api.config,
      namespace: 'infra',
      name: 'postern-status',
      identity,
      clock: this.timers,
      timers: this.timers,
      random: () => 0.5,
      onGain: () => this.told.add('gain'),
      onLoss: () => this.told.add('loss'),
      onError: (why) => this.told.add(`error ${why}`),
      onContact: () => this.told.add('turn'),
      ...options,
    });
    this.holder.start();
  }

  /** Moves its clock and waits for the turn that is due then. */
  async advance(ms: number, lines = 1): Promise<readonly string[]> {
    this.timers.advance(ms);
    const said = await this.told.next(lines);
    await settled();
    return said;
  }
}

describe('LeaseHolder', () => {
  beforeEach(setUp);
  afterEach(() => api.stop());

  it('takes a lease that is not there, and renews it: whose, since when, how often it changed hands', async () => {
    const a = new Contender('a');
    assert.deepEqual(await a.advance(0, 2), ['gain', 'turn']);
    const first = server.lease?.spec;
    assert.deepEqual(first, {
      holderIdentity: `a_${(2 ** 47).toString(36)}`,
      leaseDurationSeconds: 15,
      acquireTime: '2026-11-24T00:16:40.000000Z',
      renewTime: '2026-11-24T00:16:40.000000Z',
      leaseTransitions: 0,
    });
    assert.deepEqual(await a.advance(5000), ['turn']);
    assert.deepEqual(server.lease?.spec, { ...first, renewTime: '2026-11-24T00:16:45.000000Z' });
    assert.deepEqual(
      [...new Set(server.asked)],
      [`GET ${PATH}/postern-status`, `POST ${PATH}`, `PUT ${PATH}/postern-status`],
    );
  });

  it('has one holder of two contenders, and the other takes over once the lease has not changed for its duration', async () => {
    const a = new Contender('a');
    await a.advance(0, 2);
    const b = new Contender('b');
    await b.advance(0);
    for (let ms = 0; ms < 60_000; ms += 5000) {
      await a.advance(5000);
      await b.advance(2500);
      await b.advance(2500);
    }
    assert.deepEqual([a.holder.isHeld, b.holder.isHeld], [true, false]);
    // From here on `a` is gone without a word.
    // It looked twice since the last renewal.
    for (let ms = 5000; ms < 15_000; ms += 2500) assert.deepEqual(await b.advance(2500), ['turn']);
    assert.equal(server.holder, 'a');
    assert.deepEqual(await b.advance(2500, 2), ['gain', 'turn']);
    assert.deepEqual([server.holder, server.lease?.spec?.leaseTransitions], ['b', 1]);
  });

  for (const skewMs of [-86_400_000, 86_400_000]) {
    it(`compares no clock with another: its own is ${skewMs / 3_600_000} hours off`, async () => {
      const a = new Contender('a');
      await a.advance(0, 2);
      const b = new Contender('b');
      b.timers.skewMs += skewMs;
      await b.advance(0);
      for (let ms = 0; ms < 30_000; ms += 5000) {
        await a.advance(5000);
        assert.deepEqual(await b.advance(2500), ['turn']);
        assert.deepEqual(await b.advance(2500), ['turn']);
      }
      assert.equal(server.holder, 'a');
    });
  }

  it('stops holding after two thirds of the duration without renewing, and gets it back when it can', async () => {
    const a = new Contender('a');
    await a.advance(0, 2);
    server.isDown = true;
    for (const ms of [5000, 2500]) assert.deepEqual(await a.advance(ms), ['error away']);
    assert.equal(a.holder.isHeld, true);
    assert.deepEqual(await a.advance(2500, 2), ['loss', 'error away']);
    assert.equal(a.holder.isHeld, false);
    server.isDown = false;
    assert.deepEqual(await a.advance(2500, 2), ['gain', 'turn']);
  });

  it('does not think that it holds on when its process stalled and no timer has run', async () => {
    const a = new Contender('a');
    await a.advance(0, 2);
    a.timers.nowMs += 9999;
    assert.equal(a.holder.isHeld, true);
    a.timers.nowMs += 1;
    assert.equal(a.holder.isHeld, false);
  });

  it('lets go when it finds another holder', async () => {
    const a = new Contender('a');
    await a.advance(0, 2);
    server.write({ holderIdentity: 'c', renewTime: 'now', leaseDurationSeconds: 15 });
    // What it wrote last is older than that: it is refused, and looks.
    assert.deepEqual(await a.advance(5000, 2), ['loss', 'turn']);
    assert.equal(server.holder, 'c');
  });

  it('does not hold what somebody else took between its look and its write (409)', async () => {
    server.write({ holderIdentity: '' });
    server.beforeWrite = () => {
      server.beforeWrite = () => {};
      server.write({ holderIdentity: 'c', renewTime: 'now', leaseDurationSeconds: 15 });
    };
    const a = new Contender('a');
    assert.deepEqual(await a.advance(0), ['turn'], 'somebody was faster: that is no error');
    assert.deepEqual([a.holder.isHeld, server.holder], [false, 'c']);
  });

  it('waits as long as the holder said, or its own duration where none was said', async () => {
    for (const [leaseDurationSeconds, turns] of [
      [30, 12],
      [undefined, 6],
      [0, 6],
    ] as const) {
      server.write({
        holderIdentity: 'c',
        renewTime: 'then',
        ...(leaseDurationSeconds !== undefined && { leaseDurationSeconds }),
      });
      const a = new Contender('a');
      await a.advance(0);
      for (let turn = 1; turn < turns; turn += 1) assert.deepEqual(await a.advance(2500), ['turn']);
      assert.deepEqual(await a.advance(2500, 2), ['gain', 'turn']);
    }
  });

  it('asks for nothing while a watch shows the lease and somebody else holds it', async () => {
    const a = new Contender('a');
    await a.advance(0, 2);
    const b = new Contender('b', { known: () => server.lease });
    server.asked.length = 0;
    for (let ms = 0; ms < 30_000; ms += 5000) {
      await a.advance(5000);
      b.timers.advance(2500);
      b.timers.advance(2500);
      await settled();
    }
    assert.deepEqual([b.holder.isHeld, b.told.rest], [false, []]);
    assert.deepEqual([...new Set(server.asked)], [`GET ${PATH}/postern-status`, `PUT ${PATH}/postern-status`]);
    assert.equal(server.asked.length, 12, 'those of the other one');
  });

  it('renews with one request what a watch shows, also while the watch is behind', async () => {
    let shown: LeaseObject | undefined;
    const a = new Contender('a', { known: () => shown });
    await a.advance(0, 2);
    shown = server.lease;
    server.asked.length = 0;
    for (let turn = 0; turn < 3; turn += 1) assert.deepEqual(await a.advance(5000), ['turn']);
    assert.deepEqual(
      server.asked,
      Array.from({ length: 3 }, () => `PUT ${PATH}/postern-status`),
    );
  });

  it('takes nothing over because its watch shows nothing new: it is refused, looks, and sees who holds it', async () => {
    const a = new Contender('a');
    await a.advance(0, 2);
    const shown = server.lease;
    const b = new Contender('b', { known: () => shown });
    for (let ms = 0; ms < 15_000; ms += 2500) {
      if (ms % 5000 === 0) await a.advance(5000);
      b.timers.advance(2500);
      await settled();
    }
    assert.deepEqual(await b.told.next(), ['turn']);
    assert.deepEqual(await b.advance(2500), ['turn']);
    assert.deepEqual([server.holder, b.holder.isHeld], ['a', false]);
  });

  it('gives the lease back when it stops, so that the next one need not wait', async () => {
    const a = new Contender('a');
    await a.advance(0, 2);
    await a.holder.stop();
    assert.deepEqual(await a.told.next(), ['loss']);
    assert.equal(server.holder, '');
    const b = new Contender('b');
    assert.deepEqual(await b.advance(0, 2), ['gain', 'turn']);
    assert.deepEqual(a.timers.left, []);
  });

  it('takes nothing away from another holder when it stops', async () => {
    const a = new Contender('a');
    await a.advance(0, 2);
    server.write({ holderIdentity: 'c', renewTime: 'now', leaseDurationSeconds: 15 });
    await a.holder.stop();
    assert.equal(server.holder, 'c');
  });
});
