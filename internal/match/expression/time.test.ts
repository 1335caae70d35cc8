import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { inOneGo } from '../../core/breather.ts';
import { anEvaluation } from '../../core/evaluation.fixture.ts';
import { ProblemList } from '../../core/problem.ts';
import { compileExpression } from './expression.ts';
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp, zoneOf } from './time.ts';
import { Duration, isError, type Result, Timestamp } from './value.ts';

const value = (source: string): Result | undefined =>
  inOneGo(compileExpression(source, { result: 'any', params: [], use: 'key' }, new ProblemList()))?.evaluate(
    anEvaluation(),
  );

describe('parseTimestamp()', () => {
  it('reads RFC 3339 to the nanosecond', () => {
    const cases: readonly (readonly [string, bigint])[] = [
      ['1970-01-01T00:00:00Z', 0n],
      ['1970-01-01T00:00:00.000000001Z', 1n],
      ['1969-12-31T23:59:59.5Z', -500_000_000n],
      ['2000-02-29T00:00:00+05:30', 951_762_600_000_000_000n],
      ['0001-01-01T00:00:00Z', -62_135_596_800_000_000_000n],
    ];
    for (const [text, ns] of cases) assert.deepEqual(parseTimestamp(text), new Timestamp(ns), text);
  });

  it('refuses days that a month has not, hours that a day has not, and years out of range', () => {
    const refused = [
      '2026-02-30T00:00:00Z',
      '2026-02-29T00:00:00Z',
      '2026-04-31T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-01-01T24:00:00Z',
      '2026-01-01T23:59:60Z',
      '2026-01-01T00:00:00+24:00',
      '2026-01-01T00:00:00+00:60',
      '2026-01-01T00:00:00',
      '2026-01-01 00:00:00Z',
      '2026-01-01T00:00:00.Z',
      '0000-12-31T23:59:59Z',
      '0001-01-01T00:00:00+00:01',
      '',
    ];
    for (const text of refused) assert.ok(isError(parseTimestamp(text)), text);
  });

  it('reads what formatTimestamp() wrote', () => {
    fc.assert(
      fc.property(fc.bigInt(-62_135_596_800_000_000_000n, 253_402_300_799_999_999_999n), (ns) => {
        assert.deepEqual(parseTimestamp(formatTimestamp(new Timestamp(ns))), new Timestamp(ns));
      }),
    );
  });
});

describe('parseDuration()', () => {
  it('reads Go durations and refuses everything else', () => {
    assert.deepEqual(parseDuration('1h30m0.5s'), new Duration(5_400_500_000_000n));
    assert.deepEqual(parseDuration('-1.5ms'), new Duration(-1_500_000n));
    for (const text of ['1d', '1', 's', '1.s.', '', '-', '9223372036854775808ns', '1h 30m', `${'1'.repeat(70)}s`])
      assert.ok(isError(parseDuration(text)), text);
  });

  it('reads what formatDuration() wrote', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (ns) => {
        assert.deepEqual(parseDuration(formatDuration(ns)), new Duration(ns));
      }),
    );
  });
});

describe('zoneOf()', () => {
  it('knows IANA names and offsets, and nothing else', () => {
    const offsets = ['UTC', 'Europe/Berlin', '+05:30', '-08:00', '2:00'].map((name) => zoneOf(name)?.offsetMs(0));
    assert.deepEqual(offsets, [0, 3_600_000, 19_800_000, -28_800_000, 7_200_000]);
    for (const name of ['Mars/Olympus', '+25:00', '+01:60', 'Europe/Berlin\n'])
      assert.equal(zoneOf(name), undefined, name);
  });

  it('gives the same offset however moments are asked in turn', () => {
    const berlin = zoneOf('Europe/Berlin');
    const moments = fc.array(fc.integer({ min: -2_000_000_000_000, max: 4_000_000_000_000 }), { maxLength: 6 });
    fc.assert(
      fc.property(moments, (list) => {
        for (const ms of list) assert.equal(berlin?.offsetMs(ms), zoneOf('Europe/Berlin')?.offsetMs(ms));
      }),
      { numRuns: 50 },
    );
  });

  it('knows local mean time, which changed at odd minutes', () => {
    // Berlin was 53 minutes and 28 seconds ahead until 1 April 1893, 00:00 of that time.
    assert.equal(value("timestamp('1893-03-31T23:06:31Z').getHours('Europe/Berlin')"), 23n);
    assert.equal(value("timestamp('1893-03-31T23:06:32Z').getHours('Europe/Berlin')"), 0n);
  });
});

describe('fields of a time', () => {
  it('count as CEL does, before the epoch and in the first century too', () => {
    const fields = [
      'getFullYear',
      'getMonth',
      'getDate',
      'getDayOfMonth',
      'getDayOfYear',
      'getDayOfWeek',
      'getHours',
      'getMinutes',
      'getSeconds',
      'getMilliseconds',
    ];
    const of = (moment: string): unknown[] => fields.map((field) => value(`timestamp('${moment}').${field}()`));
    assert.deepEqual(of('1969-12-31T23:59:59.999Z'), [1969n, 11n, 31n, 30n, 364n, 3n, 23n, 59n, 59n, 999n]);
    assert.deepEqual(of('0020-02-01T00:00:00Z'), [20n, 1n, 1n, 0n, 31n, 6n, 0n, 0n, 0n, 0n]);
  });

  it('of a duration are the whole of it in that unit', () => {
    const fields = ['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'];
    assert.deepEqual(
      fields.map((field) => value(`duration('-25h1m0.5s').${field}()`)),
      [-25n, -1501n, -90_060n, -500n],
    );
  });
});
