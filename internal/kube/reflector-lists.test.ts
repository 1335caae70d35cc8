import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { aList, anObject, PATH, ReflectorBench } from './reflector.fixture.ts';
import { aStatus, settled } from './scripted-api.fixture.ts';

let bench: ReflectorBench;
const start = async (options = {}): Promise<ReflectorBench> => {
  bench = await ReflectorBench.start(options);
  return bench;
};

describe('Reflector, while it lists', () => {
  afterEach(() => bench.stop());

  it('lists in pages, each asked for with the token of the one before, and watches from where the list ends', async () => {
    const { api, told, reflector } = await start({ labelSelector: 'team=a', fieldSelector: 'spec.className=postern' });
    const selectors = { labelSelector: 'team=a', fieldSelector: 'spec.className=postern' };
    const first = await api.next();
    assert.deepEqual([first.path, first.query], [PATH, { limit: '100', ...selectors }]);
    first.json(aList(7, [anObject('a', 3), anObject('b', 5)], 'page-2'));
    const second = await api.next();
    assert.deepEqual(second.query, { limit: '500', continue: 'page-2', ...selectors });
    assert.equal(reflector.isSynced, false);
    second.json(aList(7, [anObject('c', 4)]));
    const { resourceVersion, ...rest } = (await bench.watching()).watch.query;
    assert.deepEqual(
      [resourceVersion, rest],
      ['7', { watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: '300', ...selectors }],
    );
    assert.deepEqual(await told.next(6), ['apply a@3', 'apply b@5', 'apply c@4', 'contact', 'synced', 'contact']);
    await reflector.synced;
  });

  it('makes pages smaller where objects are large, and smaller still where a page is refused for its size', async () => {
    const { api } = await start();
    const large = { ...anObject('a', 1), spec: { text: 'x'.repeat(256 * 1024) } };
    (await api.next()).json(aList(7, [large], 'page-2'));
    const second = await api.next();
    assert.deepEqual(second.query, { limit: '1', continue: 'page-2' });
    second.json(aList(7, [], 'page-3'));
    const third = await api.next();
    assert.equal(third.query.limit, '100');
    third.json(aStatus(413), 413);
    assert.deepEqual((await api.next()).query, { limit: '12', continue: 'page-3' });
  });

  it('takes an empty list in Go’s way for one', async () => {
    const { api, told } = await start();
    (await api.next()).json({ metadata: { resourceVersion: '7' }, items: null });
    assert.deepEqual(await told.next(2), ['contact', 'synced']);
  });

  it('deletes nothing when a page fails half-way, and what is gone once a list is whole', async () => {
    const { api, told, timers } = await start();
    const { stream } = await bench.synced(7, [anObject('a', 1), anObject('b', 2)]);
    timers.advance(2000);
    stream.send('ERROR', aStatus(410));
    (await api.next()).json(aList(20, [anObject('a', 1)], 'page-2'));
    (await api.next()).json(aStatus(500), 500);
    assert.deepEqual(await bench.failed(), ['error 500 told 500', 100]);
    timers.advance(100);
    const again = await api.next();
    assert.deepEqual(again.query, { limit: '100' }, 'from the beginning');
    again.json(aList(21, [anObject('a', 15)]));
    assert.deepEqual(await told.next(3), ['apply a@15', 'delete b@2', 'contact']);
  });

  it('lists from the beginning when its token has expired (410)', async () => {
    const { api, told, timers } = await start();
    (await api.next()).json(aList(7, [anObject('a', 1)], 'page-2'));
    (await api.next()).json(aStatus(410, 'the continue token is too old'), 410);
    assert.deepEqual(await told.next(), ['apply a@1']);
    assert.deepEqual(await bench.failed(), ['error 410 the continue token is too old', 100]);
    timers.advance(100);
    const again = await api.next();
    assert.deepEqual(again.query, { limit: '100' });
    again.json(aList(9, [anObject('b', 8)]));
    assert.deepEqual(await told.next(4), ['apply b@8', 'delete a@1', 'contact', 'synced']);
  });

  for (const [what, answer, said] of [
    ['an object without a name', aList(7, [{ metadata: { uid: 'u' } }]), /sent a APIRole without name, uid/],
    ['what is no list', { kind: 'Status' }, /not a list/],
    ['a list without a version', { metadata: {}, items: [] }, /not a list/],
  ] as const) {
    it(`deletes nothing for ${what}, and lists again`, async () => {
      const { api, timers, told } = await start();
      const { stream } = await bench.synced(7, [anObject('a', 1)]);
      timers.advance(2000);
      stream.send('ERROR', aStatus(410));
      (await api.next()).json(answer);
      const [why, pauseMs] = await bench.failed();
      assert.match(why ?? '', said);
      timers.advance(pauseMs ?? 0);
      (await api.next()).json(aList(7, [anObject('a', 1)]));
      assert.deepEqual(await told.next(), ['contact']);
    });
  }

  it('tells of one that was deleted and made anew under its name that the old one is gone', async () => {
    const { api, told, timers } = await start();
    const { stream } = await bench.synced(7, [anObject('a', 1)]);
    timers.advance(2000);
    stream.send('ERROR', aStatus(410));
    (await api.next()).json(aList(9, [anObject('a', 8, 'uid-new')]));
    assert.deepEqual(await told.next(3), ['delete a@1', 'apply a@8', 'contact']);
  });

  it('lists everything anew after a while, and tells only what differs', async () => {
    const { api, told, timers } = await start({ relistMs: 60_000 });
    const { stream } = await bench.synced(7, [anObject('a', 1), anObject('lost', 2)]);
    timers.advance(60_000);
    stream.end();
    (await api.next()).json(aList(70, [anObject('a', 1), anObject('found', 60)]));
    assert.deepEqual(await told.next(3), ['apply found@60', 'delete lost@2', 'contact']);
  });

  it('lets one object that its handler cannot bear keep no other from being told, and tries it again', async () => {
    const { api, told, timers } = await start();
    bench.unbearable = 'a';
    (await api.next()).json(aList(7, [anObject('a', 1), anObject('b', 2)]));
    const { stream } = await bench.watching();
    assert.deepEqual(await told.next(5), ['unusable a: too heavy', 'apply b@2', 'contact', 'synced', 'contact']);
    bench.unbearable = undefined;
    timers.advance(2000);
    stream.send('ERROR', aStatus(410));
    (await api.next()).json(aList(8, [anObject('a', 1), anObject('b', 2)]));
    assert.deepEqual(await told.next(2), ['apply a@1', 'contact']);
  });

  it('deletes nothing when it is stopped in the middle of a list, and asks no more', async () => {
    const { api, told, reflector } = await start();
    const page = await api.next();
    reflector.stop();
    page.json(aList(7, [anObject('a', 1)]));
    await page.gone;
    await settled();
    assert.deepEqual([told.rest, api.waiting], [[], []]);
  });

  it('lists anew on request: the watch ends, and whoever asked waits until all was told', async () => {
    const { api, told, reflector } = await start();
    const { watch } = await bench.synced(7, [anObject('a', 3)]);
    assert.equal(reflector.version, '7');
    const asked = reflector.relist().then(() => told.add('relisted'));
    await watch.gone;
    (await api.next()).json(aList(9, [anObject('a', 8)]));
    assert.deepEqual(await told.next(3), ['apply a@8', 'contact', 'relisted']);
    await asked;
    await bench.watching();
    assert.equal(reflector.version, '9');
  });

  it('lists once more for who asked while a list was under way: that one had begun before', async () => {
    const { api, told, reflector } = await start();
    const first = await api.next();
    const asked = reflector.relist().then(() => told.add('relisted'));
    first.json(aList(7, []));
    assert.deepEqual(await told.next(2), ['contact', 'synced']);
    (await api.next()).json(aList(8, []));
    assert.deepEqual(await told.next(2), ['contact', 'relisted']);
    await asked;
  });

  it('lists at once for who asks during a pause after a failure, and goes on trying for it', async () => {
    const { api, told, reflector } = await start();
    (await api.next()).json(aStatus(503, 'away'), 503);
    await bench.failed();
    const asked = reflector.relist();
    (await api.next()).json(aStatus(503, 'away'), 503);
    const [, pauseMs = 0] = await bench.failed();
    bench.timers.advance(pauseMs);
    (await api.next()).json(aList(8, []));
    await asked;
    assert.deepEqual(await told.next(2), ['contact', 'synced']);
  });
});
