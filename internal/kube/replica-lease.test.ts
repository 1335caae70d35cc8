import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ManualTimers } from './manual-timers.fixture.ts';
import { ReplicaLease } from './replica-lease.ts';
import { type Asked, aStatus, ScriptedApi, settled, Told } from './scripted-api.fixture.ts';
import type { Serving } from './serving.ts';

const serving = (version: string): Serving => ({ horizon: { '*': version }, refusals: new Map(), digest: 'd' });

let api: ScriptedApi;
let timers: ManualTimers;
let told: Told;
let lease: ReplicaLease;
async function setUp(): Promise<void> {
  api = await ScriptedApi.start();
  timers = new ManualTimers();
  told = new Told();
  lease = new ReplicaLease({
    config: api.config,
    namespace: 'infra',
    className: 'edge',
    host: 'Pod_7.local',
    clock: timers,
    timers,
    random: () => 0.5,
    onRenewed: (startMs) => told.add(`renewed ${startMs - 1_000_000}`),
    onError: (why) => told.add(`error ${why}`),
  });
}

/** Answers a write as an API server does. */
function take(asked: Asked, version: string): string {
  const { metadata, ...rest } = asked.body as { metadata: { annotations: Record<string, string> } };
  asked.json({ ...rest, metadata: { ...metadata, uid: 'u', resourceVersion: version } });
  const { 'postern.dev/serves': serves = '{}', 'postern.dev/beat': beat } = metadata.annotations;
  return `${asked.method} ${beat} ${(JSON.parse(serves) as Serving).horizon['*']}`;
}

describe('ReplicaLease', () => {
  beforeEach(setUp);
  afterEach(() => api.stop());

  it('is made with what is served first, under a name of its own, and renewed every six seconds', async () => {
    assert.equal(lease.name, 'postern-replica-edge-pod-7-local-i0000000');
    lease.tell(serving('10'), true);
    const made = await api.next('/leases');
    assert.deepEqual((made.body as { metadata: object; spec: object }).spec, {
      holderIdentity: 'Pod_7.local_i0000000',
      leaseDurationSeconds: 15,
      acquireTime: '2026-11-24T00:16:40.000000Z',
      renewTime: '2026-11-24T00:16:40.000000Z',
    });
    assert.equal(take(made, '1'), 'POST 1 10');
    await told.next();
    lease.tell(serving('11'), false);
    await settled();
    assert.deepEqual([api.waiting, timers.left], [[], [6000]]);
    timers.advance(6000);
    assert.equal(take(await api.next(lease.name), '2'), 'PUT 2 11');
    assert.deepEqual(await told.next(), ['renewed 6000']);
    assert.deepEqual([lease.begunMs(2), lease.begunMs(3)], [1_006_000, undefined]);
  });

  it('tells what changes at once, and what follows closely together: at most five times a second', async () => {
    lease.tell(serving('10'), true);
    const made = await api.next('/leases');
    lease.tell(serving('11'), true);
    lease.tell(serving('12'), true);
    take(made, '1');
    await told.next();
    await settled();
    assert.deepEqual([api.waiting, timers.left], [[], [200]]);
    timers.advance(200);
    assert.equal(take(await api.next(lease.name), '2'), 'PUT 2 12');
    await told.next();
  });

  it('is renewed on request by a request that begins after it', async () => {
    lease.tell(serving('10'), true);
    const made = await api.next('/leases');
    const renewed = lease.renew();
    take(made, '1');
    await told.next();
    timers.advance(200);
    take(await api.next(lease.name), '2');
    assert.equal(await renewed, true);
    assert.deepEqual(await told.next(), ['renewed 200']);
  });

  it('says that it could not, and tries again two seconds later, after a look', async () => {
    lease.tell(serving('10'), true);
    const renewed = lease.renew();
    (await api.next('/leases')).json(aStatus(503, 'away'), 503);
    await told.next();
    timers.advance(200);
    (await api.next(lease.name)).json(aStatus(503, 'away'), 503);
    assert.equal(await renewed, false);
    assert.deepEqual([await told.next(), timers.left], [['error away'], [2000]]);
    timers.advance(2000);
    (await api.next(lease.name)).json(aStatus(404), 404);
    assert.equal(take(await api.next('/leases'), '1'), 'POST 2 10');
    await told.next();
  });

  it('is made anew when it was removed as lapsed', async () => {
    lease.tell(serving('10'), true);
    take(await api.next('/leases'), '1');
    await told.next();
    await settled();
    timers.advance(6000);
    (await api.next(lease.name)).json(aStatus(404), 404);
    (await api.next(lease.name)).json(aStatus(404), 404);
    assert.equal(take(await api.next('/leases'), '9'), 'POST 2 10');
    await told.next();
  });

  it('is removed when the replica stops', async () => {
    lease.tell(serving('10'), true);
    take(await api.next('/leases'), '1');
    await told.next();
    const stopped = lease.stop();
    const removal = await api.next(lease.name);
    assert.deepEqual([removal.method, removal.body], ['DELETE', { preconditions: { uid: 'u', resourceVersion: '1' } }]);
    removal.json({});
    await stopped;
    assert.deepEqual([timers.left, await lease.renew()], [[], false]);
  });
});
