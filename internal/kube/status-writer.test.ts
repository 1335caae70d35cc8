import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ManualTimers } from './manual-timers.fixture.ts';
import { type Asked, aStatus, type ScriptedApi, settled, type Told } from './scripted-api.fixture.ts';
import { desired, startWriter } from './status-writer.fixture.ts';
import { type DesiredStatus, StatusWriter } from './status-writer.ts';

const PATH = '/apis/postern.dev/v1alpha1/namespaces/shop/apipolicies';

const anObject = (
  name: string,
  version: string,
  parts: { uid?: string; generation?: number; status?: object } = {},
) => ({
  metadata: { name, uid: parts.uid ?? `uid-${name}`, resourceVersion: version, generation: parts.generation ?? 5 },
  ...(parts.status && { status: parts.status }),
});

let api: ScriptedApi;
let timers: ManualTimers;
let told: Told;
let writer: StatusWriter;
async function setUp(): Promise<void> {
  ({ api, timers, told, writer } = await startWriter(0));
}

async function tearDown(): Promise<void> {
  writer.stop();
  await api.stop();
}

const aConsumer = (namespace: string, name: string): DesiredStatus =>
  desired(name, {
    resource: { group: 'postern.dev', version: 'v1alpha1', plural: 'apiconsumers' },
    kind: 'APIConsumer',
    namespace,
  });

const versionOf = ({ body }: Asked): unknown =>
  (body as { metadata: { resourceVersion?: string } }).metadata.resourceVersion;

describe('StatusWriter', () => {
  beforeEach(setUp);
  afterEach(tearDown);

  it('applies a status on the server, as its class, for the object that was seen', async () => {
    writer.want(desired('a'));
    const asked = await api.next();
    assert.deepEqual(
      [asked.method, asked.path, asked.query],
      ['PATCH', `${PATH}/a/status`, { fieldManager: 'postern-edge', force: 'true' }],
    );
    assert.equal(asked.headers['content-type'], 'application/apply-patch+yaml');
    assert.deepEqual(asked.body, {
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'APIPolicy',
      metadata: { name: 'a', namespace: 'shop', resourceVersion: '7' },
      status: { conditions: [] },
    });
    asked.json({});
    assert.deepEqual(await told.next(), ['success']);
    assert.equal(writer.waiting, 0);
  });

  it('writes at most 20 in any second, however many wait and however fast they are answered', async () => {
    const times: number[] = [];
    api.serve((asked) => {
      times.push(timers.nowMs);
      asked.json({});
    });
    for (let i = 0; i < 65; i += 1) writer.want(desired(`p${i}`));
    let count = 0;
    for (const expected of [20, 20, 20, 5]) {
      await told.next(expected);
      await settled();
      count += expected;
      assert.equal(times.length, count);
      timers.advance(999);
      await settled();
      assert.equal(times.length, count, 'not a millisecond early');
      timers.advance(1);
    }
    for (const start of times) assert.ok(times.filter((ms) => ms >= start && ms < start + 1000).length <= 20);
  });

  it('writes for namespaces in turn, so that one with hundreds of statuses delays nobody else', async () => {
    const written: string[] = [];
    api.serve((asked) => {
      written.push(asked.path.replace(/.*\/namespaces\/(.*)\/status/, '$1'));
      asked.json({});
    });
    for (let i = 0; i < 60; i += 1) writer.want(aConsumer('evil', `c${i}`));
    writer.want(desired('late', { namespace: 'evil' }));
    for (const namespace of ['bank', 'shop']) {
      writer.want(aConsumer(namespace, 'c'));
      writer.want(desired('p', { namespace }));
    }
    await told.next(20);
    await settled();
    assert.deepEqual(written.filter((place) => !place.startsWith('evil/apiconsumers/')).toSorted(), [
      'bank/apiconsumers/c',
      'bank/apipolicies/p',
      'evil/apipolicies/late',
      'shop/apiconsumers/c',
      'shop/apipolicies/p',
    ]);
  });

  it('has four under way at once, and one that hangs holds up no other', async () => {
    for (let i = 0; i < 6; i += 1) writer.want(desired(`p${i}`));
    const [hangs, ...others] = await Promise.all([api.next(), api.next(), api.next(), api.next()]);
    await settled();
    assert.deepEqual([api.waiting, writer.waiting], [[], 6]);
    for (const asked of others) asked.json({});
    for (const _ of 'ab') (await api.next()).json({});
    assert.deepEqual(await told.next(5), Array(5).fill('success'));
    hangs.json({});
    assert.deepEqual(await told.next(), ['success']);
  });

  it('writes the newest that is wanted of an object, once the one under way is through', async () => {
    writer.want(desired('a', { status: { hosts: ['1'] } }));
    const first = await api.next();
    writer.want(desired('a', { status: { hosts: ['2'] } }));
    writer.want(desired('a', { status: { hosts: ['3'] } }));
    await settled();
    assert.deepEqual(api.waiting, []);
    first.json({});
    const second = await api.next();
    assert.deepEqual((second.body as DesiredStatus).status, { hosts: ['3'] });
    second.json({});
    await told.next(2);
    assert.equal(writer.waiting, 0);
  });

  it('looks at the object again when it lost a race (409), and writes for the newer one', async () => {
    writer.want(desired('a'));
    (await api.next()).json(aStatus(409), 409);
    const look = await api.next();
    assert.deepEqual([look.method, look.path], ['GET', `${PATH}/a`]);
    look.json(anObject('a', '9'));
    const again = await api.next();
    assert.equal(versionOf(again), '9');
    again.json({});
    assert.deepEqual(await told.next(), ['success']);
  });

  for (const [what, accepted, written] of [
    ['a newer one, which it leaves', { generation: 4, spec: 'theirs' }, { generation: 4, spec: 'theirs' }],
    ['an older one, which it replaces', { generation: 2, spec: 'theirs' }, { generation: 3, spec: 'ours' }],
    ['one of a generation that is yet to come', { generation: 99, spec: 'forged' }, { generation: 3, spec: 'ours' }],
  ] as const) {
    it(`finds, after a lost race, an accepted spec: ${what}`, async () => {
      writer.want(desired('a', { status: { accepted: { generation: 3, spec: 'ours' } } }));
      (await api.next()).json(aStatus(409), 409);
      (await api.next()).json(anObject('a', '9', { status: { accepted } }));
      const again = await api.next();
      assert.deepEqual((again.body as DesiredStatus).status, { accepted: written });
    });
  }

  it("sets back no class's accepted spec of a kind of the cluster, after a lost race", async () => {
    const entry = (className: string, generation: number) => ({ className, accepted: { generation, spec: className } });
    writer.want(desired('a', { status: { instances: [entry('edge', 1)] } }));
    (await api.next()).json(aStatus(409), 409);
    (await api.next()).json(anObject('a', '9', { status: { instances: [entry('other', 4), entry('edge', 3)] } }));
    assert.deepEqual(((await api.next()).body as DesiredStatus).status, { instances: [entry('edge', 3)] });
  });

  it('writes nothing to one that was made anew under the name, or is gone, and says nothing', async () => {
    writer.want(desired('a'));
    (await api.next()).json(aStatus(409), 409);
    (await api.next()).json(anObject('a', '9', { uid: 'another' }));
    writer.want(desired('b'));
    (await api.next()).json(aStatus(404), 404);
    writer.want(desired('c'));
    (await api.next()).json(aStatus(409), 409);
    (await api.next()).json(aStatus(404), 404);
    while (writer.waiting > 0) await settled(1);
    assert.deepEqual([told.rest, api.waiting, timers.left], [[], [], []]);
  });

  it('tries again after a pause of its own, which grows, and forgets it with a success', async () => {
    writer.want(desired('a'));
    for (const pauseMs of [100, 200, 400]) {
      (await api.next()).json(aStatus(503, 'away'), 503);
      assert.deepEqual(await told.next(), ['failure APIPolicy shop/a: away']);
      await settled();
      assert.deepEqual(timers.left, [pauseMs]);
      writer.want(desired('a', { status: { hosts: ['newer'] } }));
      await settled();
      assert.deepEqual(api.waiting, [], 'a new status for it changes what is written, not when');
      timers.advance(pauseMs);
    }
    const last = await api.next();
    assert.deepEqual((last.body as DesiredStatus).status, { hosts: ['newer'] });
    last.json({});
    await told.next();
    writer.want(desired('a'));
    (await api.next()).json(aStatus(503, 'away'), 503);
    await told.next();
    await settled();
    assert.deepEqual(timers.left, [100]);
  });

  it('tries what was refused again within half a minute, however often it was: rights may have been given', async () => {
    writer.want(desired('a'));
    for (let time = 0; time < 12; time += 1) {
      (await api.next()).json(aStatus(403, 'forbidden'), 403);
      await told.next();
      await settled();
      const [pauseMs = 0] = timers.left;
      assert.ok(pauseMs <= 30_000, `${pauseMs} ms`);
      timers.advance(pauseMs);
    }
    (await api.next()).json({});
  });

  it('waits as long as the API server asks (Retry-After)', async () => {
    writer.want(desired('a'));
    (await api.next()).json(aStatus(429, 'slow down'), 429, { 'retry-after': '9' });
    await told.next();
    await settled();
    assert.deepEqual(timers.left, [9000]);
  });

  it('does not try again what is refused for its content', async () => {
    writer.want(desired('a'));
    (await api.next()).json(aStatus(422, 'too long'), 422);
    assert.deepEqual(await told.next(), ['failure APIPolicy shop/a: too long']);
    await settled();
    assert.deepEqual([writer.waiting, timers.left], [0, []]);
  });

  it('breaks off and forgets everything when it is cleared: somebody else writes now', async () => {
    for (const name of ['failed', 'under-way', 'b', 'c', 'd', 'waits']) writer.want(desired(name));
    const failed = await api.next('failed/status');
    const underWay = await Promise.all([api.next(), api.next(), api.next()]);
    failed.json(aStatus(503, 'away'), 503);
    await told.next();
    underWay.push(await api.next('/d/status'));
    writer.clear();
    await Promise.all(underWay.map(({ gone }) => gone));
    await settled();
    timers.advance(600_000);
    await settled();
    assert.deepEqual([writer.waiting, api.waiting, told.rest, timers.left], [0, [], [], []]);
    writer.want(desired('a'));
    (await api.next('a/status')).json({});
    assert.deepEqual(await told.next(), ['success'], 'and writes again what is wanted later');
  });

  it('sets no status back: who woke up late leaves alone what is of a newer generation by now', async () => {
    writer.want(desired('a'));
    (await api.next('/a/status')).json(aStatus(409), 409);
    (await api.next('/a')).json(anObject('a', '9', { generation: 6 }));
    await settled();
    assert.deepEqual([api.waiting, told.rest, writer.waiting], [[], [], 0]);
  });

  it('asks right before each write whether it may: a process that was stopped in between writes nothing', async () => {
    let isWriter = true;
    const other = new StatusWriter({
      config: api.config,
      fieldManager: 'postern-edge',
      clock: timers,
      timers,
      random: () => 0,
      mayWrite: () => isWriter,
      onWrite: (result) => told.add(result),
    });
    other.want(desired('a'));
    const first = await api.next('/a/status');
    isWriter = false;
    first.json(aStatus(409), 409);
    (await api.next('/a')).json(anObject('a', '9'));
    await settled();
    assert.deepEqual([api.waiting, told.rest, other.waiting], [[], [], 0]);
    other.stop();
  });
});
