import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { keySourceContract } from '../phases/authn/key-source.contract.ts';
import type { KeySet } from '../phases/authn/key-source.ts';
import type { Fetched } from './outbound.ts';
import {
  COOLDOWN_MS,
  DEFAULT_FRESH_MS,
  GRACE_MS,
  MAX_FRESH_MS,
  MAX_STALE_MS,
  MAX_WAITING,
  MIN_FRESH_MS,
  RETRY_MS,
  RemoteKeys,
} from './remote-keys.ts';

const jwkOf = (kid: string): object => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  kid,
});
const A = jwkOf('a');
const B = jwkOf('b');
const body = (...keys: object[]): string => JSON.stringify({ keys });
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An issuer that a test commands, and a source of its keys on a clock that is a number. */
class Bench {
  nowMs = 1000;
  /** What the issuer answers: a body, an Error, or a promise that a test settles. */
  answer: string | Error | Promise<string> = body(A);
  cacheControl = '';
  random = 0;
  asked = 0;
  readonly results: string[] = [];
  readonly source: RemoteKeys;

  constructor() {
    this.source = new RemoteKeys({
      locate: () => Promise.resolve('https://sso.example.org/keys'),
      get: () => this.#get(),
      clock: { wallMs: () => 0, monotonicMs: () => this.nowMs },
      random: () => this.random,
      observe: (result) => this.results.push(result),
    });
  }

  async #get(): Promise<Fetched> {
    this.asked += 1;
    const { answer, cacheControl } = this;
    if (answer instanceof Error) throw answer;
    return { body: await answer, cacheControl };
  }

  kids(set: KeySet | undefined = this.source.current()): readonly (string | undefined)[] | undefined {
    return set?.keys.map((key) => key.kid);
  }

  /** Asks as a check does, and lets what it started in the background end. */
  async ask(afterMs: number): Promise<unknown> {
    this.nowMs += afterMs;
    const kids = this.kids();
    await settled();
    await settled();
    return kids;
  }
}

const UNAVAILABLE = { code: 'ERR_POSTERN_KEYS_UNAVAILABLE' };

describe('RemoteKeys as a source', () => {
  keySourceContract(() => new Bench().source);
});

describe('RemoteKeys', () => {
  it('asks for nothing until somebody waits, then once for all who do', async () => {
    const bench = new Bench();
    assert.equal(bench.source.current(), undefined);
    assert.equal(bench.asked, 0);
    const sets = await Promise.all(Array.from({ length: 100 }, () => bench.source.fetch()));
    assert.equal(new Set(sets).size, 1);
    assert.equal(bench.asked, 1);
    assert.deepEqual(bench.results, ['ok']);
  });

  it('lets 200 wait for an issuer that hangs, and tells the others at once', async () => {
    const bench = new Bench();
    const answer = Promise.withResolvers<string>();
    bench.answer = answer.promise;
    const waiting = Array.from({ length: MAX_WAITING }, () => bench.source.fetch());
    await assert.rejects(bench.source.fetch(), UNAVAILABLE);
    answer.resolve(body(A));
    assert.equal(new Set(await Promise.all(waiting)).size, 1);
    assert.deepEqual(bench.kids(await bench.source.fetch()), ['a']);
    assert.equal(bench.asked, 1);
  });

  it('gives known keys to whoever is one too many to wait for newer ones', async () => {
    const bench = new Bench();
    await bench.source.fetch();
    bench.nowMs += COOLDOWN_MS;
    const answer = Promise.withResolvers<string>();
    bench.answer = answer.promise;
    const waiting = Array.from({ length: MAX_WAITING }, () => bench.source.fetch());
    assert.deepEqual(bench.kids(await bench.source.fetch()), ['a']);
    answer.resolve(body(B));
    assert.deepEqual(new Set((await Promise.all(waiting)).map((set) => bench.kids(set)?.toString())), new Set(['b']));
  });

  it('refreshes in the background while the old keys serve', async () => {
    const bench = new Bench();
    await bench.source.fetch();
    bench.answer = body(B);
    assert.deepEqual(await bench.ask(DEFAULT_FRESH_MS - 1), ['a']);
    assert.equal(bench.asked, 1);
    assert.deepEqual(await bench.ask(1), ['a']);
    assert.equal(bench.asked, 2);
    assert.deepEqual(await bench.ask(0), ['b']);
  });

  it('tells the age of keys that would serve, and asks for nothing', async () => {
    const bench = new Bench();
    assert.equal(bench.source.ageMs, undefined);
    await bench.source.fetch();
    bench.nowMs += DEFAULT_FRESH_MS + GRACE_MS - 1;
    assert.equal(bench.source.ageMs, DEFAULT_FRESH_MS + GRACE_MS - 1);
    bench.nowMs += 1;
    assert.equal(bench.source.ageMs, undefined, 'what nobody asks for is not in use');
    assert.equal(bench.asked, 1);
    bench.answer = new Error('down');
    await bench.source.fetch();
    assert.equal(bench.source.ageMs, DEFAULT_FRESH_MS + GRACE_MS, 'the last good ones serve');
    bench.nowMs += MAX_STALE_MS;
    assert.equal(bench.source.ageMs, undefined, 'for a day');
  });

  it('believes Cache-Control within bounds', async () => {
    for (const [cacheControl, freshMs] of [
      ['max-age=120', 120_000],
      ['public, max-age=120, must-revalidate', 120_000],
      ['max-age=0', MIN_FRESH_MS],
      ['max-age=999999999', MAX_FRESH_MS],
      ['max-age=99999999999999999999', DEFAULT_FRESH_MS],
      ['s-max-age=1', DEFAULT_FRESH_MS],
      ['max-age=-5', DEFAULT_FRESH_MS],
      ['no-store, max-age=3000', MIN_FRESH_MS],
      ['', DEFAULT_FRESH_MS],
    ] as const) {
      const bench = new Bench();
      bench.cacheControl = cacheControl;
      await bench.source.fetch();
      await bench.ask(freshMs - 1);
      assert.equal(bench.asked, 1, cacheControl);
      await bench.ask(1);
      assert.equal(bench.asked, 2, cacheControl);
    }
  });

  it('refreshes up to a tenth earlier, by chance', async () => {
    const bench = new Bench();
    bench.random = 1;
    await bench.source.fetch();
    await bench.ask(DEFAULT_FRESH_MS * 0.9);
    assert.equal(bench.asked, 2);
  });

  it('does not serve keys that nobody asked about for long: the issuer may have withdrawn one', async () => {
    const bench = new Bench();
    await bench.source.fetch();
    bench.answer = body(B);
    bench.nowMs += DEFAULT_FRESH_MS + GRACE_MS;
    assert.equal(bench.source.current(), undefined);
    assert.deepEqual(bench.kids(await bench.source.fetch()), ['b']);
    assert.equal(bench.asked, 2);
  });

  it('serves the last good keys for a day while the issuer is down, and not a moment longer', async () => {
    const bench = new Bench();
    await bench.source.fetch();
    bench.answer = new Error('down');
    await bench.ask(DEFAULT_FRESH_MS);
    assert.deepEqual(await bench.ask(GRACE_MS * 60), ['a']);
    assert.deepEqual(bench.kids(await bench.source.fetch()), ['a']);
    bench.nowMs = 1000 + MAX_STALE_MS;
    assert.deepEqual(bench.kids(), ['a']);
    await settled();
    bench.nowMs += 1;
    assert.equal(bench.source.current(), undefined);
    await assert.rejects(bench.source.fetch(), UNAVAILABLE);
    bench.answer = body(B);
    bench.nowMs += 2 * RETRY_MS;
    assert.deepEqual(bench.kids(await bench.source.fetch()), ['b']);
  });

  it('serves old keys to who waits while an idle issuer turns out to be down', async () => {
    const bench = new Bench();
    await bench.source.fetch();
    bench.answer = new Error('down');
    bench.nowMs += MAX_FRESH_MS * 2;
    assert.equal(bench.source.current(), undefined);
    assert.deepEqual(bench.kids(await bench.source.fetch()), ['a']);
    assert.deepEqual(bench.kids(), ['a']);
  });

  it('asks a failing issuer again after 5 to 10 s, and not before', async () => {
    for (const [random, waitMs] of [
      [0, RETRY_MS],
      [1, 2 * RETRY_MS],
    ] as const) {
      const bench = new Bench();
      bench.random = random;
      bench.answer = new Error('down');
      await assert.rejects(bench.source.fetch(), UNAVAILABLE);
      bench.nowMs += waitMs - 1;
      await assert.rejects(bench.source.fetch(), UNAVAILABLE);
      assert.equal(bench.asked, 1);
      bench.answer = body(A);
      bench.nowMs += 1;
      assert.deepEqual(bench.kids(await bench.source.fetch()), ['a']);
    }
  });

  it('asks in the background while stale, one attempt at a time', async () => {
    const bench = new Bench();
    await bench.source.fetch();
    bench.answer = new Error('down');
    await bench.ask(DEFAULT_FRESH_MS);
    for (let i = 0; i < 50; i += 1) await bench.ask(0);
    assert.equal(bench.asked, 2);
    bench.answer = body(B);
    assert.deepEqual(await bench.ask(RETRY_MS), ['a']);
    assert.deepEqual(await bench.ask(0), ['b']);
    assert.equal(bench.asked, 3);
  });

  it('fetches for an unknown kid at most once in a cooldown', async () => {
    const bench = new Bench();
    await bench.source.fetch();
    bench.answer = body(A, B);
    assert.deepEqual(bench.kids(await bench.source.fetch()), ['a']);
    bench.nowMs += COOLDOWN_MS - 1;
    assert.deepEqual(bench.kids(await bench.source.fetch()), ['a']);
    assert.equal(bench.asked, 1);
    bench.nowMs += 1;
    assert.deepEqual(bench.kids(await bench.source.fetch()), ['a', 'b']);
    for (let i = 0; i < 1000; i += 1) await bench.source.fetch();
    assert.equal(bench.asked, 2);
  });

  it('gives known keys to who asks for newer ones while the issuer fails', async () => {
    const bench = new Bench();
    await bench.source.fetch();
    bench.nowMs += COOLDOWN_MS;
    bench.answer = new Error('down');
    const sets = await Promise.all([bench.source.fetch(), bench.source.fetch()]);
    assert.deepEqual(
      sets.map((set) => bench.kids(set)),
      [['a'], ['a']],
    );
    assert.deepEqual(bench.results, ['ok', 'error']);
  });

  it('forgets keys that the issuer withdrew, all of them too', async () => {
    const bench = new Bench();
    bench.answer = body(A, B);
    await bench.source.fetch();
    bench.answer = body(B);
    await bench.ask(DEFAULT_FRESH_MS);
    assert.deepEqual(bench.kids(), ['b']);
    bench.answer = body();
    await bench.ask(DEFAULT_FRESH_MS);
    assert.deepEqual(bench.kids(), []);
  });

  it('keeps the keys when the answer is not a key set', async () => {
    const bench = new Bench();
    await bench.source.fetch();
    for (const answer of ['', '<html>', '{}', '{"keys":1}', '{"keys":[],"keys":[]}']) {
      bench.answer = answer;
      await bench.ask(DEFAULT_FRESH_MS);
      assert.deepEqual(bench.kids(), ['a'], answer);
    }
    assert.deepEqual(
      bench.results.slice(1).every((result) => result === 'error'),
      true,
    );
  });

  it('keeps the very set when a refresh brings the same keys', async () => {
    const bench = new Bench();
    const first = await bench.source.fetch();
    await bench.ask(DEFAULT_FRESH_MS);
    assert.equal(bench.source.current(), first);
    assert.equal(bench.asked, 2);
  });

  it('takes no symmetric key from a fetched set', async () => {
    const bench = new Bench();
    bench.answer = body({ kty: 'oct', k: Buffer.alloc(32).toString('base64url'), kid: 's' }, A);
    assert.deepEqual(bench.kids(await bench.source.fetch()), ['a']);
  });

  it('makes an error of the outbound guard one that keys are not to be had', async () => {
    const bench = new Bench();
    bench.answer = Object.assign(new Error('refused'), { code: 'ERR_POSTERN_OUTBOUND_REFUSED' });
    await assert.rejects(bench.source.fetch(), UNAVAILABLE);
  });
});
