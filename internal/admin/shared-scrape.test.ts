import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Format } from '../telemetry/exposition.ts';
import { KEEP_MS, type ScrapeText, SharedScrape } from './shared-scrape.ts';

/** Metrics whose scrapes a test lets go on; each says how many there were before it. */
function world() {
  const begun: Format[] = [];
  const held: { go: () => void; fail: (error: Error) => void }[] = [];
  const time = { ms: 0 };
  const metrics = {
    async *scrape(format: Format) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      held.push({ go: resolve, fail: reject });
      const index = begun.push(format) - 1;
      yield `scrape ${index}, `;
      await promise;
      yield format;
    },
  };
  const clock = { wallMs: () => 0, monotonicMs: () => time.ms };
  return { shared: new SharedScrape({ metrics, clock }), begun, held, time };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const textOf = (text: ScrapeText): string => Buffer.concat([...text]).toString();

/** A text that was asked for and made. */
async function made({ shared, held }: ReturnType<typeof world>): Promise<ScrapeText> {
  const text = shared.take('text');
  await turn();
  held.at(-1)?.go();
  return text;
}

describe('SharedScrape', () => {
  it('scrapes once for a hundred readers, who would starve checks with a scrape each', async () => {
    const { shared, begun, held } = world();
    const asked = Array.from({ length: 100 }, () => shared.take('text'));
    await turn();
    held[0]?.go();
    const texts = await Promise.all(asked);
    assert.deepEqual(new Set(texts.map(textOf)), new Set(['scrape 0, text']));
    assert.deepEqual(begun, ['text']);
  });

  it('makes one form after the other', async () => {
    const { shared, begun, held } = world();
    const asked = [shared.take('text'), shared.take('openmetrics'), shared.take('text')];
    await turn();
    assert.deepEqual(begun, ['text']);
    held[0]?.go();
    await turn();
    assert.deepEqual(begun, ['text', 'openmetrics']);
    held[1]?.go();
    const texts = (await Promise.all(asked)).map(textOf);
    assert.deepEqual(texts, ['scrape 0, text', 'scrape 1, openmetrics', 'scrape 0, text']);
  });

  it('keeps a text for a moment after it was made, and no longer', async () => {
    const given = world();
    const first = await made(given);
    given.time.ms += KEEP_MS - 1;
    assert.equal(await given.shared.take('text'), first);
    given.time.ms += 1;
    assert.equal(textOf(await made(given)), 'scrape 1, text');
  });

  it('tells all who waited that it failed, and tries again for the next', async () => {
    const given = world();
    const asked = Array.from({ length: 2 }, () => given.shared.take('text'));
    await turn();
    given.held[0]?.fail(new Error('no scrape'));
    for (const waiting of asked) await assert.rejects(waiting, /no scrape/);
    assert.equal(textOf(await made(given)), 'scrape 1, text');
  });

  it('takes its text from a reader that is three behind, so that slow readers hold no copy each', async () => {
    const given = world();
    const readers: Iterator<Buffer>[] = [];
    for (let count = 0; count < 4; count += 1) {
      const reader = (await made(given))[Symbol.iterator]();
      reader.next();
      readers.push(reader);
      given.time.ms += KEEP_MS;
    }
    const [slow, ...others] = readers;
    assert.throws(() => slow?.next(), /too slow/);
    for (const reader of others) assert.equal(String(reader.next().value), 'text');
  });
});
