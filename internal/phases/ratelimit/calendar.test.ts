import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compileCalendar } from './calendar.ts';

const window = (unit: Parameters<typeof compileCalendar>[0], zone: string, at: string): string[] => {
  const found = compileCalendar(unit, zone)?.(Date.parse(at));
  return [found?.startMs, found?.endMs].map((ms) => new Date(ms ?? Number.NaN).toISOString());
};

it('compileCalendar() finds the edges of each unit in its time zone', () => {
  assert.deepEqual(window('Day', 'UTC', '2026-11-24T12:00:00Z'), [
    '2026-11-24T00:00:00.000Z',
    '2026-11-25T00:00:00.000Z',
  ]);
  assert.deepEqual(window('Day', 'Europe/Berlin', '2026-11-24T23:30:00Z'), [
    '2026-11-24T23:00:00.000Z',
    '2026-11-25T23:00:00.000Z',
  ]);
  assert.deepEqual(window('Week', 'UTC', '2026-11-24T12:00:00Z'), [
    '2026-11-23T00:00:00.000Z',
    '2026-11-30T00:00:00.000Z',
  ]);
  assert.deepEqual(window('Month', 'UTC', '2026-12-31T23:59:59Z'), [
    '2026-12-01T00:00:00.000Z',
    '2027-01-01T00:00:00.000Z',
  ]);
  assert.deepEqual(window('Year', 'Asia/Tokyo', '2026-12-31T16:00:00Z'), [
    '2026-12-31T15:00:00.000Z',
    '2027-12-31T15:00:00.000Z',
  ]);
  assert.deepEqual(window('Hour', 'Asia/Kolkata', '2026-11-24T12:40:00Z'), [
    '2026-11-24T12:30:00.000Z',
    '2026-11-24T13:30:00.000Z',
  ]);
  assert.deepEqual(window('Minute', 'UTC', '2026-11-24T12:40:31Z'), [
    '2026-11-24T12:40:00.000Z',
    '2026-11-24T12:41:00.000Z',
  ]);
});

it('compileCalendar() makes the days of a clock change 23 and 25 hours long', () => {
  assert.deepEqual(window('Day', 'Europe/Berlin', '2026-03-29T12:00:00Z'), [
    '2026-03-28T23:00:00.000Z',
    '2026-03-29T22:00:00.000Z',
  ]);
  assert.deepEqual(window('Day', 'Europe/Berlin', '2026-10-25T12:00:00Z'), [
    '2026-10-24T22:00:00.000Z',
    '2026-10-25T23:00:00.000Z',
  ]);
});

it('compileCalendar() knows no zone that is none', () => {
  assert.equal(compileCalendar('Day', 'Europe/Berlinn'), undefined);
});
