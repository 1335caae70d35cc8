import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ManualTimers } from './manual-timers.fixture.ts';
import { aList } from './reflector.fixture.ts';
import { aStatus, ScriptedApi, settled, Told } from './scripted-api.fixture.ts';
import { SecretWatches } from './secret-watches.ts';

const aSecret = (name: string, version: number): object => ({
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: String(version) },
  data: { plain: 'c2VjcmV0' },
});
const named = (...names: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> =>
  new Map([['shop', new Set(names)]]);

let api: ScriptedApi;
let timers: ManualTimers;
let told: Told;
let watches: SecretWatches;
async function setUp(): Promise<void> {
  api = await ScriptedApi.start();
  timers = new ManualTimers();
  told = new Told();
  watches = new SecretWatches({
    config: api.config,
    clock: timers,
    timers,
    random: () => 0,
    onChange: (namespace) => told.add(`change ${namespace}`),
    onError: (secret, why) => told.add(`error ${secret} ${why}`),
    onRecovery: (secret) => told.add(`recovery ${secret}`),
  });
}

async function tearDown(): Promise<void> {
  watches.stop();
  await api.stop();
}

const stateOf = (name: string): unknown => {
  const found = watches.find('shop', name);
  return typeof found === 'string' ? found : found.metadata.resourceVersion;
};

describe('SecretWatches', () => {
  beforeEach(setUp);
  afterEach(tearDown);

  it('reads each Secret that is named, by its name, and asks for no other', async () => {
    watches.follow(named('acme'));
    watches.follow(named('acme'));
    const list = await api.next();
    assert.deepEqual([list.path, list.query.fieldSelector], ['/api/v1/namespaces/shop/secrets', 'metadata.name=acme']);
    list.json(aList(7, [aSecret('acme', 3)]));
    const watch = await api.next();
    assert.equal(watch.query.fieldSelector, 'metadata.name=acme');
    assert.deepEqual([stateOf('acme'), stateOf('other')], ['3', 'absent']);
    await settled();
    assert.deepEqual(api.waiting, []);
  });

  it('has a Secret that is deleted gone at once', async () => {
    watches.follow(named('acme'));
    (await api.next()).json(aList(7, [aSecret('acme', 3)]));
    const stream = (await api.next()).stream();
    assert.deepEqual(await told.next(3), ['change shop', 'recovery shop/acme', 'recovery shop/acme']);
    stream.send('DELETED', aSecret('acme', 8));
    assert.deepEqual(await told.next(), ['change shop']);
    assert.equal(stateOf('acme'), 'absent');
  });

  it('takes one that may not be read for forbidden, whatever it held, and for what it is once it may be', async () => {
    watches.follow(named('acme'));
    (await api.next()).json(aList(7, [aSecret('acme', 3)]));
    const stream = (await api.next()).stream();
    await told.next(3);
    timers.advance(2000);
    stream.end();
    (await api.next()).json(aStatus(403, 'secrets is forbidden'), 403);
    assert.deepEqual(await told.next(2), ['change shop', 'error shop/acme secrets is forbidden']);
    assert.deepEqual([stateOf('acme'), watches.silenceS], ['forbidden', undefined]);
    await settled();
    timers.advance(100);
    (await api.next()).stream();
    assert.deepEqual(await told.next(2), ['recovery shop/acme', 'change shop']);
    assert.deepEqual([stateOf('acme'), watches.silenceS], ['3', 0]);
  });

  it('keeps what it has while the API server is away', async () => {
    watches.follow(named('acme'));
    (await api.next()).json(aList(7, [aSecret('acme', 3)]));
    const stream = (await api.next()).stream();
    await told.next(3);
    timers.advance(2000);
    stream.cut();
    const [said] = await told.next();
    assert.match(said ?? '', /^error shop\/acme Cannot reach/);
    assert.equal(stateOf('acme'), '3');
  });

  it('hangs up on one that nobody names any more, and says that its trouble is over', async () => {
    watches.follow(named('acme', 'other'));
    const [one, other] = [await api.next(), await api.next()];
    one.json(aList(7, [aSecret('acme', 3)]));
    other.json(aStatus(403, 'forbidden'), 403);
    const watch = await api.next();
    watch.stream();
    await told.next(5);
    watches.follow(named());
    assert.deepEqual(await told.next(2), ['recovery shop/acme', 'recovery shop/other']);
    await watch.gone;
    assert.deepEqual([stateOf('acme'), stateOf('other'), watches.silenceS], ['absent', 'absent', undefined]);
    timers.advance(60_000);
    await settled();
    assert.deepEqual([api.waiting, told.rest], [[], []]);
  });

  it('looks through no names of a namespace of which they stayed the same', async () => {
    let looks = 0;
    class Counted extends Set<string> {
      override [Symbol.iterator]() {
        looks += 1;
        return super[Symbol.iterator]();
      }
    }
    const names = new Map([['shop', new Counted(['acme'])]]);
    watches.follow(names);
    (await api.next()).json(aList(7, [aSecret('acme', 3)]));
    watches.follow(new Map([...names, ['bank', new Set(['globex'])]]));
    const asked = [await api.next(), await api.next()].map(({ path }) => path);
    assert.deepEqual(asked.toSorted(), ['/api/v1/namespaces/bank/secrets', '/api/v1/namespaces/shop/secrets']);
    assert.deepEqual([looks, stateOf('acme')], [1, '3']);
  });

  it('is settled once each was read or refused, and after five seconds in any case', async () => {
    watches.follow(named('acme', 'refused', 'hangs'));
    let isSettled = false;
    const waiting = watches.settled().then(() => {
      isSettled = true;
    });
    const lists = [await api.next(), await api.next(), await api.next()];
    for (const { query, json } of lists) {
      if (query.fieldSelector === 'metadata.name=acme') json(aList(7, []));
      if (query.fieldSelector === 'metadata.name=refused') json(aStatus(403), 403);
    }
    await told.next(3);
    assert.equal(isSettled, false);
    timers.advance(5000);
    await waiting;
    assert.equal(stateOf('hangs'), 'absent');
  });

  it('is settled at once where none is named', async () => watches.settled());
});
