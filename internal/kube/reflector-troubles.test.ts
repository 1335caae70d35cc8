import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { aList, anObject, ReflectorBench } from './reflector.fixture.ts';
import { aStatus, settled } from './scripted-api.fixture.ts';

let bench: ReflectorBench;
const start = async (random = 0): Promise<ReflectorBench> => {
  bench = await ReflectorBench.start({ random: () => random });
  return bench;
};

/** The pauses after so many failures, each answered with the same. */
async function pauses(count: number, headers = {}, status = 503): Promise<readonly (number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for (let i = 0; i < count; i += 1) {
    (await bench.api.next()).json(aStatus(status), status, headers);
    const [, pauseMs] = await bench.failed();
    found.push(pauseMs);
    bench.timers.advance(pauseMs ?? 0);
  }
  return found;
}

describe('Reflector, when something goes wrong', () => {
  afterEach(() => bench.stop());

  it('waits twice as long each time it is refused, up to half a minute, at least half of that', async () => {
    await start(0);
    const found = await pauses(10, {}, 403);
    assert.deepEqual(found, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000]);
  });

  it('waits up to all of it, by chance', async () => {
    await start(1);
    assert.deepEqual(await pauses(9, {}, 403), [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000]);
  });

  it('waits three seconds at most while the API server is in trouble: what changed meanwhile is served soon', async () => {
    await start(1);
    assert.deepEqual(await pauses(7), [200, 400, 800, 1600, 3000, 3000, 3000]);
  });

  it('is not late after an outage that ends with refusals, as an API server that comes up does', async () => {
    await start(1);
    await pauses(20);
    assert.deepEqual(await pauses(2, {}, 403), [200, 400]);
    assert.deepEqual(await pauses(1), [3000]);
    assert.deepEqual(await pauses(1, {}, 403), [800], 'nor is it hurried by one that comes and goes');
  });

  it('begins with short pauses again after a list', async () => {
    const { api, told } = await start();
    await pauses(3);
    (await api.next()).json(aList(7, []));
    const { watch } = await bench.watching();
    await told.next(3);
    watch.cut();
    assert.equal((await bench.failed())[1], 100);
  });

  it('waits as long as the API server asks (Retry-After), and no longer than half a minute', async () => {
    await start();
    assert.deepEqual(await pauses(2, { 'retry-after': '7' }, 429), [7000, 7000]);
    assert.deepEqual(await pauses(1, { 'retry-after': '86400' }, 503), [30_000]);
    assert.deepEqual(await pauses(1, { 'retry-after': 'soon' }, 503), [800]);
  });

  it('takes an answer that does not begin in time for none', async () => {
    const { api, told, timers } = await start();
    await bench.synced(7, []).then(({ stream }) => {
      timers.advance(2000);
      stream.end();
    });
    const watch = await api.next();
    timers.advance(15_000);
    await watch.gone;
    assert.deepEqual(await told.next(), ['error 0 the API server did not answer in 15 s']);
  });

  it('gives up a page that takes longer than a minute', async () => {
    const { api, timers } = await start();
    await api.next();
    timers.advance(60_000);
    const [said] = await bench.failed();
    assert.match(said ?? '', /^error 0 Cannot reach the API server at http:.*: there was no answer in 60 s$/);
  });

  it('keeps what it knows while the API server is away, and goes on from its place', async () => {
    const { api, told, timers } = await start();
    const { stream } = await bench.synced(7, [anObject('a', 1)]);
    timers.advance(2000);
    stream.cut();
    assert.match((await bench.failed())[0] ?? '', /^error 0 /);
    timers.advance(100);
    (await api.next()).cut();
    assert.match((await bench.failed())[0] ?? '', /^error 0 Cannot reach .*: it closed the connection$/);
    timers.advance(200);
    const place = await api.next();
    assert.deepEqual(place.query, { limit: '1' }, 'where the API server is now');
    place.json(aList(30, [anObject('a', 1)]));
    assert.equal((await bench.watching()).watch.query.resourceVersion, '7');
    assert.deepEqual(await told.next(), ['contact']);
  });

  it('lists anew when the API server comes back with an older store: from there a watch would be silent', async () => {
    const { api, told, timers } = await start();
    const { stream } = await bench.synced(1000, [anObject('a', 1), anObject('later', 990)]);
    timers.advance(2000);
    stream.cut();
    await bench.failed();
    timers.advance(100);
    (await api.next()).json(aList(998, []));
    const list = await api.next();
    assert.deepEqual(list.query, { limit: '100' });
    list.json(aList(998, [anObject('a', 1)]));
    assert.deepEqual(await told.next(2), ['delete later@990', 'contact']);
    assert.equal((await bench.watching()).watch.query.resourceVersion, '998');
  });

  it('lists anew when its version is refused as none (400)', async () => {
    const { api, timers } = await start();
    const { stream } = await bench.synced(7, []);
    timers.advance(2000);
    stream.end();
    (await api.next()).json(aStatus(400), 400);
    assert.deepEqual(await bench.failed(), ['error 400 told 400', 100]);
    timers.advance(100);
    assert.deepEqual((await api.next()).query, { limit: '100' });
  });

  it('says what it may not do, and tries again', async () => {
    const { api, told, timers } = await start();
    (await api.next()).json(aStatus(403, 'apiroles is forbidden'), 403);
    assert.deepEqual(await bench.failed(), ['error 403 apiroles is forbidden', 100]);
    timers.advance(100);
    (await api.next()).json(aList(7, []));
    assert.deepEqual(await told.next(2), ['contact', 'synced']);
  });

  it('says the status where the answer says nothing that can be read', async () => {
    const { api } = await start();
    (await api.next()).json('<html>', 502);
    assert.equal((await bench.failed())[0], 'error 502 the API server answered 502');
  });

  it('does not follow a redirect', async () => {
    const { api } = await start();
    (await api.next()).json({}, 302, { location: '/elsewhere' });
    assert.equal((await bench.failed())[0], 'error 302 the API server answered 302');
    assert.deepEqual(api.waiting, []);
  });

  it('stops in the middle of a pause', async () => {
    const { api, reflector, timers } = await start();
    (await api.next()).json(aStatus(500), 500);
    await bench.failed();
    reflector.stop();
    await settled();
    timers.advance(60_000);
    await settled();
    assert.deepEqual([api.waiting, timers.left], [[], []]);
  });
});
