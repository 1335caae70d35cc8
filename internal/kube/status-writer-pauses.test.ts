import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { aStatus, settled } from './scripted-api.fixture.ts';
import { desired, startWriter, type WriterBench } from './status-writer.fixture.ts';

let bench: WriterBench;
const want = (): void => bench.writer.want(desired('a'));

/** The pauses after so many failures, each answered with the same status; none: the connection is cut. */
async function pauses(count: number, status?: number): Promise<readonly number[]> {
  const { api, timers, told } = bench;
  const found: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const asked = await api.next();
    if (status === undefined) asked.cut();
    else asked.json(aStatus(status), status);
    assert.deepEqual(
      (await told.next()).map((line) => line.split(' ', 1)[0]),
      ['failure'],
    );
    while (timers.left.length !== 1) await settled(1);
    const [pauseMs = 0] = timers.left;
    found.push(pauseMs);
    timers.advance(pauseMs);
  }
  return found;
}

const OUTAGE = [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000];

describe('StatusWriter, between tries', () => {
  beforeEach(async () => {
    bench = await startWriter(1);
    want();
  });
  afterEach(async () => {
    bench.writer.stop();
    await bench.api.stop();
  });

  for (const [status, what] of [
    [undefined, 'is away'],
    [503, 'is in trouble'],
    [429, 'has too much to do'],
  ] as const)
    it(`waits ten seconds at most while the API server ${what}`, async () => {
      assert.deepEqual(await pauses(8, status), OUTAGE);
    });

  it('waits longer where it alone is refused, and counts that apart from an outage', async () => {
    await pauses(8, 503);
    assert.deepEqual((await pauses(8, 403)).slice(-2), [12_800, 25_600]);
  });

  it('begins with short pauses again once it is written', async () => {
    await pauses(8, 503);
    (await bench.api.next()).json({});
    assert.deepEqual(await bench.told.next(), ['success']);
    want();
    assert.deepEqual(await pauses(2, 503), OUTAGE.slice(0, 2));
  });
});
