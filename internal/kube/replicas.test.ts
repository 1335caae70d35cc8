import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { LeaseObject } from './lease-record.ts';
import { ManualTimers } from './manual-timers.fixture.ts';
import { aList } from './reflector.fixture.ts';
import { Replicas } from './replicas.ts';
import { type Asked, ScriptedApi, type Stream, settled, Told } from './scripted-api.fixture.ts';

const OWN = 'postern-replica-edge-a-1';
const OTHER = 'postern-replica-edge-b-1';

function aLease(name: string, version: number, beat?: number): LeaseObject {
  const serves = { 'postern.dev/serves': `{"horizon":{"*":"${version}"},"digest":"d","refusals":{"shop":["m"]}}` };
  return {
    metadata: {
      name,
      namespace: 'infra',
      uid: `uid-${name}`,
      resourceVersion: String(version),
      ...(beat !== undefined && { annotations: { 'postern.dev/beat': String(beat), ...serves } }),
    },
    spec: { holderIdentity: name, leaseDurationSeconds: 15 },
  };
}

let api: ScriptedApi;
let timers: ManualTimers;
let told: Told;
let replicas: Replicas;
let watch: Stream;
const begun = new Map<number, number>();
async function setUp(): Promise<void> {
  api = await ScriptedApi.start();
  timers = new ManualTimers();
  told = new Told();
  begun.clear();
  replicas = new Replicas({
    config: api.config,
    namespace: 'infra',
    className: 'edge',
    clock: timers,
    timers,
    random: () => 0,
    own: { name: OWN, begunMs: (beat) => begun.get(beat) },
    onChange: () => told.add('change'),
    onError: (why) => told.add(`error ${why}`),
    onContact: () => {},
  });
  replicas.start();
  const list = await api.next('/leases');
  assert.equal(list.query.labelSelector, 'postern.dev/class=edge');
  list.json(aList(5, [aLease(OTHER, 3, 7), aLease('postern-status-edge', 4)]));
  watch = (await api.next('/leases')).stream();
  await told.next(2);
}

/** A renewal of our own that began now comes back by the watch. */
async function renew(beat: number, version: number): Promise<void> {
  begun.set(beat, timers.nowMs);
  watch.send(beat === 1 ? 'ADDED' : 'MODIFIED', aLease(OWN, version, beat));
  await told.next();
}

const alive = (): readonly string[] | undefined => replicas.alive()?.map(({ name }) => name);

async function tearDown(): Promise<void> {
  replicas.stop();
  await api.stop();
}

describe('Replicas', () => {
  beforeEach(setUp);
  afterEach(tearDown);

  it('knows of nobody before it sees itself, and then of all; the Lease of the writer is nobody', async () => {
    assert.equal(alive(), undefined);
    await renew(1, 6);
    assert.deepEqual(alive(), [OTHER, OWN]);
    assert.deepEqual(replicas.alive()?.[0]?.serving, {
      horizon: { '*': '3' },
      digest: 'd',
      refusals: new Map([['shop', ['m']]]),
    });
    assert.equal(replicas.lease('postern-status-edge')?.metadata.name, 'postern-status-edge');
  });

  it('gives up one whose Lease did not change for its duration, by its own clock', async () => {
    await renew(1, 6);
    timers.nowMs += 14_999;
    await renew(2, 7);
    assert.deepEqual(alive(), [OTHER, OWN]);
    timers.nowMs += 1;
    await renew(3, 8);
    assert.deepEqual(alive(), [OWN]);
    watch.send('MODIFIED', aLease(OTHER, 9, 8));
    await told.next();
    assert.deepEqual(alive(), [OTHER, OWN]);
  });

  it('takes nobody for dead when it was stopped itself and has not read its events yet', async () => {
    await renew(1, 6);
    timers.nowMs += 60_000;
    assert.deepEqual(alive(), [OTHER, OWN]);
    assert.equal(replicas.isAnyLate, true);
    // What the other did meanwhile comes first, for it was first.
    watch.send('MODIFIED', aLease(OTHER, 8, 17));
    await told.next();
    await renew(2, 9);
    assert.deepEqual([alive(), replicas.isAnyLate], [[OTHER, OWN], false]);
  });

  it('forgets at once who removed its Lease', async () => {
    await renew(1, 6);
    watch.send('DELETED', aLease(OTHER, 7, 7));
    await told.next();
    assert.deepEqual(alive(), [OWN]);
  });

  it('removes the Lease of one that was killed a minute ago, as it was seen, and no other', async () => {
    await renew(1, 6);
    await replicas.sweep();
    assert.deepEqual(api.waiting, []);
    timers.nowMs += 60_000;
    await renew(2, 7);
    const swept = replicas.sweep();
    const asked: Asked = await api.next(OTHER);
    assert.deepEqual(
      [asked.method, asked.body],
      ['DELETE', { preconditions: { uid: `uid-${OTHER}`, resourceVersion: '3' } }],
    );
    asked.json({ kind: 'Status', code: 409, message: 'it was renewed' }, 409);
    await swept;
    await settled();
    assert.deepEqual([api.waiting, told.rest], [[], []]);
  });
});
