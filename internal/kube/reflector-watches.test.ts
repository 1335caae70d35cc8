import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { aList, anObject, PATH, ReflectorBench } from './reflector.fixture.ts';
import { aStatus, type Stream, settled } from './scripted-api.fixture.ts';

let bench: ReflectorBench;
/** Synced at version 7 with one object, `a` of version 1, and watching. */
const start = async (options = {}): Promise<{ bench: ReflectorBench; stream: Stream }> => {
  bench = await ReflectorBench.start(options);
  const { stream } = await bench.synced(7, [anObject('a', 1)]);
  return { bench, stream };
};

/** Ends a watch that lasted, so that the next one is asked for at once. */
function end(stream: Stream): void {
  bench.timers.advance(2000);
  stream.end();
}

describe('Reflector, while it watches', () => {
  afterEach(() => bench.stop());

  it('tells each event in its order', async () => {
    const { stream } = await start();
    stream.send('ADDED', anObject('b', 8));
    stream.send('MODIFIED', anObject('a', 9));
    stream.send('DELETED', anObject('b', 10));
    stream.send('DELETED', anObject('never-seen', 11));
    stream.send('MODIFIED', anObject('a', 12));
    assert.deepEqual(await bench.told.next(4), ['apply b@8', 'apply a@9', 'delete b@10', 'apply a@12']);
  });

  it('goes on from the last event when a watch ends, and lists nothing', async () => {
    const { stream } = await start();
    stream.send('MODIFIED', anObject('a', 12));
    await bench.told.next();
    end(stream);
    const { watch } = await bench.watching();
    assert.deepEqual([watch.path, watch.query.resourceVersion], [PATH, '12']);
    assert.deepEqual(await bench.told.next(), ['contact']);
  });

  it('goes on from a bookmark, which it tells nobody of', async () => {
    const { stream } = await start();
    stream.send('BOOKMARK', { kind: 'APIRole', metadata: { resourceVersion: '900' } });
    end(stream);
    assert.equal((await bench.watching()).watch.query.resourceVersion, '900');
    assert.deepEqual(await bench.told.next(), ['contact']);
  });

  it('stays where it was for a bookmark that says nothing', async () => {
    const { stream } = await start();
    for (const object of [{ metadata: {} }, { metadata: { resourceVersion: '' } }, null])
      stream.send('BOOKMARK', object);
    end(stream);
    assert.equal((await bench.watching()).watch.query.resourceVersion, '7');
  });

  it('reads events that are cut anywhere, and drops one that never came to its end', async () => {
    const { stream } = await start();
    const line = JSON.stringify({ type: 'ADDED', object: { ...anObject('b', 8), spec: { text: 'grün' } } });
    const bytes = `\n${line}\n${line.slice(0, 40)}`;
    for (const piece of bytes.match(/.{1,7}/gs) ?? []) stream.raw(piece);
    assert.deepEqual(await bench.told.next(), ['apply b@8']);
    end(stream);
    assert.equal((await bench.watching()).watch.query.resourceVersion, '8');
  });

  for (const [how, forget] of [
    ['an ERROR event', (stream: Stream) => stream.send('ERROR', aStatus(410, 'too old resource version'))],
    ['its answer', (stream: Stream) => end(stream)],
  ] as const) {
    it(`lists at once when ${how} says that its version is forgotten (410), and deletes what went meanwhile`, async () => {
      const { stream } = await start();
      bench.timers.advance(2000);
      forget(stream);
      if (how === 'its answer') (await bench.api.next()).json(aStatus(410), 410);
      const list = await bench.api.next();
      assert.deepEqual(list.query, { limit: '100' });
      list.json(aList(50, [anObject('b', 40)]));
      assert.deepEqual(await bench.told.next(3), ['apply b@40', 'delete a@1', 'contact']);
    });
  }

  it('pauses when a version is forgotten that was listed a moment ago', async () => {
    const { stream } = await start();
    stream.send('ERROR', aStatus(410, 'too old'));
    assert.deepEqual(await bench.failed(), ['error 410 too old', 100]);
  });

  it('says what an ERROR event says, pauses, and goes on from its place', async () => {
    const { stream } = await start();
    stream.send('ERROR', aStatus(500, 'etcd is slow'));
    assert.deepEqual(await bench.failed(), ['error 500 etcd is slow', 100]);
    bench.timers.advance(100);
    (await bench.api.next()).json(aList(7, []));
    assert.equal((await bench.watching()).watch.query.resourceVersion, '7');
  });

  for (const [what, line] of [
    ['is not JSON', '{'],
    ['has no known type', '{"type": "SOMETHING", "object": {}}'],
    ['is null', 'null'],
    ['holds an object without a name', '{"type": "ADDED", "object": {"metadata": {}}}'],
    ['holds nothing', '{"type": "DELETED"}'],
  ] as const) {
    it(`does not go on behind an event that ${what}: what it was is lost, so everything is listed`, async () => {
      const { stream } = await start();
      stream.raw(`${line}\n`);
      const [said] = await bench.failed();
      assert.match(said ?? '', /^error 0 The API server sent a/);
      bench.timers.advance(100);
      const list = await bench.api.next();
      assert.deepEqual(list.query, { limit: '100' });
      list.json(aList(9, [anObject('a', 1), anObject('b', 8)]));
      assert.deepEqual(await bench.told.next(2), ['apply b@8', 'contact']);
    });
  }

  it('pauses when watches end at once, and says so', async () => {
    const { stream } = await start();
    stream.end();
    assert.deepEqual(await bench.failed(), ['error 0 the watch ended at once', 100]);
  });

  it('opens another watch when one is silent for too long, and lists after two of them', async () => {
    await start({ silenceMs: 75_000 });
    bench.timers.advance(74_999);
    await settled();
    assert.deepEqual(bench.api.waiting, []);
    bench.timers.advance(1);
    assert.equal((await bench.watching()).watch.query.resourceVersion, '7');
    assert.deepEqual(await bench.told.next(), ['contact']);
    bench.timers.advance(75_000);
    assert.deepEqual((await bench.api.next()).query, { limit: '100' });
    assert.deepEqual(bench.told.rest, [], 'silence is no error');
  });

  it('takes any byte for a sign of life, and leaves a server that does not end its watch in time', async () => {
    const { stream } = await start({ silenceMs: 75_000 });
    for (let s = 0; s < 300; s += 60) {
      stream.send('MODIFIED', anObject('a', 100 + s));
      await bench.told.next();
      bench.timers.advance(60_000);
    }
    assert.deepEqual(bench.api.waiting, []);
    bench.timers.advance(15_000);
    assert.equal((await bench.watching()).watch.query.resourceVersion, '340');
  });

  it('asks watches to end at times of their own', async () => {
    const { stream } = await start();
    bench.random = 0.5;
    end(stream);
    assert.equal((await bench.watching()).watch.query.timeoutSeconds, '450');
  });

  it('tells how long nothing was heard', async () => {
    await start();
    bench.timers.advance(30_000);
    assert.equal(bench.reflector.silenceS, 30);
  });

  it('tells nothing more once it is stopped, and hangs up', async () => {
    const { watch, stream } = await (async () => {
      bench = await ReflectorBench.start();
      return bench.synced(7, []);
    })();
    bench.reflector.stop();
    stream.send('ADDED', anObject('b', 8));
    await watch.gone;
    await settled();
    assert.deepEqual([bench.told.rest, bench.api.waiting, bench.timers.left], [[], [], []]);
  });
});
