import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { calendarNamed } from '../../phases/ratelimit/calendar.ts';
import type { CounterState, Rate, Take } from '../../phases/ratelimit/counter-store.ts';
import { idOfAnswer, statesOfAnswer, writeAnswer } from './answer-frames.ts';
import { type Ask, AskReader, writeAsk } from './ask-frames.ts';
import { FrameWriter } from './frame-writer.ts';
import { FrameSplitter, GIVE_BACK, MAX_FRAME_BYTES, NonsenseError, TAKE } from './frames.ts';

const calendar = calendarNamed('Day/Europe/Berlin') ?? assert.fail();
const calendars = (name: string) => (name === 'Day/Europe/Berlin' ? calendar : undefined);

/** Objects as others write them: fast-check's have no prototype now and then. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;

const positive = fc.double({ min: 1, max: 1e12, noNaN: true });
const rates: fc.Arbitrary<Rate> = fc.oneof(
  plain({ algorithm: fc.constant('GCRA' as const), requests: positive, windowMs: positive, burst: positive }),
  plain({ algorithm: fc.constant('SlidingWindow' as const), requests: positive, windowMs: positive }),
  plain({ algorithm: fc.constant('FixedWindow' as const), requests: positive, windowMs: positive }),
  positive.map((requests) => ({
    algorithm: 'Calendar' as const,
    requests,
    calendar,
    calendarName: 'Day/Europe/Berlin',
  })),
);
const ascii = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: 'binary-ascii', maxLength });
const takes: fc.Arbitrary<Take> = plain({
  key: ascii(47),
  rate: rates,
  cost: fc.nat(),
  namespace: ascii(63),
  tag: fc.constant(0),
});
const moments = plain({ monotonicMs: fc.double({ noNaN: true, noDefaultInfinity: true }), wallMs: fc.nat() });
const asks: fc.Arbitrary<Ask> = plain({
  kind: fc.constantFrom(TAKE, GIVE_BACK),
  id: fc.nat(2 ** 32 - 1),
  moment: moments,
  takes: fc.array(takes, { maxLength: 12 }),
});

/** Bytes as a stream brings them: in pieces that know nothing of frames. */
function pushInPieces(splitter: FrameSplitter, bytes: Buffer, lengths: readonly number[]): void {
  let at = 0;
  for (const length of [...lengths, bytes.length]) {
    if (at < bytes.length) splitter.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
}

describe('asks in frames', () => {
  it('are read as they were written, however a stream cuts them', () => {
    fc.assert(
      fc.property(fc.array(asks, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 300 })), (all, lengths) => {
        const writer = new FrameWriter();
        for (const ask of all) writeAsk(writer, ask);
        const reader = new AskReader(calendars);
        const read: Ask[] = [];
        const splitter = new FrameSplitter((bytes, from, to) => read.push(reader.read(bytes, from, to)));
        pushInPieces(splitter, writer.take(), lengths);
        assert.deepEqual(read, all);
      }),
    );
  });

  it('hold 256 takes of the longest words', () => {
    const name = `Minute/${'z'.repeat(64)}`;
    const rate: Rate = { algorithm: 'Calendar', requests: 1, calendar, calendarName: name };
    const longest = { key: 'k'.repeat(47), namespace: 'n'.repeat(63), cost: 1, rate, tag: 0 };
    const writer = new FrameWriter();
    writeAsk(writer, { kind: TAKE, id: 1, moment: { monotonicMs: 0, wallMs: 0 }, takes: Array(256).fill(longest) });
    assert.ok(writer.size < MAX_FRAME_BYTES);
  });

  it('are refused where they could not be read, and leave nothing behind', () => {
    const rate: Rate = { algorithm: 'FixedWindow', requests: 1, windowMs: 1 };
    const good: Take = { key: 'k', namespace: 'shop', cost: 1, rate, tag: 0 };
    const moment = { monotonicMs: 0, wallMs: 0 };
    const writer = new FrameWriter();
    const write = (all: Take[]): void => writeAsk(writer, { kind: TAKE, id: 1, moment, takes: all });
    assert.throws(() => write([good, { ...good, key: 'schlüssel' }]), /not ASCII/);
    assert.throws(() => write([good, { ...good, namespace: 'n'.repeat(256) }]), /256 characters, at most 255/);
    assert.throws(() => write(Array(5000).fill(good)), RangeError);
    assert.equal(writer.size, 0);
    write([good]);
    const read: Ask[] = [];
    const reader = new AskReader(calendars);
    new FrameSplitter((bytes, from, to) => read.push(reader.read(bytes, from, to))).push(writer.take());
    assert.deepEqual(read, [{ kind: TAKE, id: 1, moment, takes: [good] }]);
  });

  it('are nonsense in every other form, and never anything worse', () => {
    const mutated = fc.tuple(asks, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated), (given) => {
        const bytes = given instanceof Uint8Array ? Buffer.from(given) : changed(given[0], given[1]);
        const reader = new AskReader(calendars);
        try {
          new FrameSplitter((from, at, to) => reader.read(from, at, to)).push(bytes);
        } catch (error) {
          assert.ok(error instanceof NonsenseError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  function changed(ask: Ask, changes: readonly (readonly [number, number])[]): Buffer {
    const writer = new FrameWriter();
    writeAsk(writer, ask);
    const bytes = writer.take();
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return bytes;
  }
});

describe('answers in frames', () => {
  const states: fc.Arbitrary<CounterState[]> = fc.array(
    plain({ isWithin: fc.boolean(), remaining: fc.nat(), waitMs: fc.double({ noNaN: true }) }),
    { maxLength: 20 },
  );

  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.option(states, { nil: undefined }), (id, told) => {
        const writer = new FrameWriter();
        writeAnswer(writer, id, told);
        new FrameSplitter((bytes, from, to) => {
          assert.equal(idOfAnswer(bytes, from, to), id);
          assert.deepEqual(statesOfAnswer(bytes, { from, to, length: told?.length ?? 3 }), told);
        }).push(writer.take());
      }),
    );
  });

  it('let nobody pass by a state that is neither, nor for counters that are not told of', () => {
    const writer = new FrameWriter();
    writeAnswer(writer, 1, [{ isWithin: false, remaining: 0, waitMs: 0 }]);
    const bytes = writer.take();
    const part = { from: 4, to: bytes.length, length: 1 };
    bytes[10] = 2;
    assert.throws(() => statesOfAnswer(bytes, part), new NonsenseError('a state 2'));
    bytes[10] = 0;
    assert.throws(() => statesOfAnswer(bytes, { ...part, length: 2 }), /1 states to an ask of 2/);
    assert.throws(() => statesOfAnswer(bytes, { ...part, to: bytes.length - 1 }), NonsenseError);
    assert.throws(() => idOfAnswer(bytes, 4, 8), NonsenseError);
  });
});
