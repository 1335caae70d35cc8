import { ExpressionError } from '../../core/vocabulary.ts';
import { toDuration, toTimestamp } from './arithmetic.ts';
import type { Result, Timestamp } from './value.ts';

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/i;
const DURATION = /^([+-])?((?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|us|µs|s|ns))+$/;
const DURATION_PART = /(\d*)(?:\.(\d*))?(h|ms|m|us|µs|s|ns)/g;
const UNIT_NS: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  µs: 1000n,
  ns: 1n,
};
const NOT_TIME = new ExpressionError('the text is not an RFC 3339 time');
const NOT_DURATION = new ExpressionError('the text is not a duration');

export function parseTimestamp(text: string): Result {
  const match = RFC3339.exec(text);
  if (match === null) return NOT_TIME;
  const ms = Date.parse(`${text.slice(0, 19)}${match[8] ?? 'Z'}`.toUpperCase());
  const fraction = BigInt((match[7] ?? '').padEnd(9, '0'));
  return Number.isNaN(ms) ? NOT_TIME : toTimestamp(BigInt(ms) * 1_000_000n + fraction);
}

export function parseDuration(text: string): Result {
  if (text.length > 64) return NOT_DURATION;
  if (text === '0') return toDuration(0n);
  const match = DURATION.exec(text);
  if (match === null) return NOT_DURATION;
  let ns = 0n;
  for (const [, whole = '', fraction = '', unit = 'ns'] of text.matchAll(DURATION_PART)) {
    const scale = UNIT_NS[unit] ?? 1n;
    ns += BigInt(whole === '' ? '0' : whole) * scale;
    if (fraction !== '') ns += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  return toDuration(match[1] === '-' ? -ns : ns);
}

export function formatTimestamp({ ns }: Timestamp): string {
  const seconds = floorDiv(ns, 1_000_000_000n);
  const fraction = String(ns - seconds * 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${text}${fraction === '' ? '' : `.${fraction}`}Z`;
}

export function formatDuration(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const magnitude = ns < 0n ? -ns : ns;
  const fraction = String(magnitude % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${sign}${magnitude / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}s`;
}

export const floorDiv = (a: bigint, b: bigint): bigint => (a % b < 0n ? a / b - 1n : a / b);

/** A time zone, ready to be asked often. */
export interface Zone {
  /** Milliseconds that local time is ahead of UTC at this moment. */
  offsetMs(epochMs: number): number;
}

const UTC: Zone = Object.freeze({ offsetMs: () => 0 });
const OFFSET = /^([+-]?)(\d{1,2}):(\d{2})$/;

/** An IANA name or an offset such as `-08:00`; undefined for what is neither. */
export function zoneOf(name: string): Zone | undefined {
  if (name === 'UTC' || name === '') return UTC;
  const offset = OFFSET.exec(name);
  if (offset !== null) {
    const ms = (Number(offset[2]) * 60 + Number(offset[3])) * 60_000 * (offset[1] === '-' ? -1 : 1);
    return { offsetMs: () => ms };
  }
  try {
    return ianaZone(new Intl.DateTimeFormat('en-US', { ...FIELDS, timeZone: name }));
  } catch {
    return undefined;
  }
}

const FIELDS = {
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
  hourCycle: 'h23',
  era: 'short',
} as const;
const QUARTER_MS = 900_000;

/** Offsets change only at whole quarters of an hour, so the last answer serves the whole quarter. */
function ianaZone(format: Intl.DateTimeFormat): Zone {
  let lastQuarter = Number.NaN;
  let lastOffset = 0;
  return {
    offsetMs(epochMs) {
      const quarter = Math.floor(epochMs / QUARTER_MS);
      if (quarter === lastQuarter) return lastOffset;
      const start = quarter * QUARTER_MS;
      const parts = Object.fromEntries(format.formatToParts(start).map((part) => [part.type, part.value]));
      const year = parts['era'] === 'BC' ? 1 - Number(parts['year']) : Number(parts['year']);
      const local = new Date(0);
      local.setUTCFullYear(year, Number(parts['month']) - 1, Number(parts['day']));
      local.setUTCHours(Number(parts['hour']), Number(parts['minute']), Number(parts['second']), 0);
      lastQuarter = quarter;
      lastOffset = local.getTime() - start;
      return lastOffset;
    },
  };
}

const DAY_MS = 86_400_000;

/** Fields of a local time, as CEL counts them: months, days of month and of year from 0, Sunday is 0. */
export const TIME_GETTERS: Readonly<Record<string, (local: Date) => number>> = {
  getFullYear: (local) => local.getUTCFullYear(),
  getMonth: (local) => local.getUTCMonth(),
  getDate: (local) => local.getUTCDate(),
  getDayOfMonth: (local) => local.getUTCDate() - 1,
  getDayOfWeek: (local) => local.getUTCDay(),
  getDayOfYear: (local) => Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / DAY_MS),
  getHours: (local) => local.getUTCHours(),
  getMinutes: (local) => local.getUTCMinutes(),
  getSeconds: (local) => local.getUTCSeconds(),
  getMilliseconds: (local) => local.getUTCMilliseconds(),
};

/** One field of a moment in a zone. */
export function timeField(getter: (local: Date) => number, moment: Timestamp, zone: Zone): number {
  const epochMs = Number(floorDiv(moment.ns, 1_000_000n));
  return getter(new Date(epochMs + zone.offsetMs(epochMs)));
}

/** Fields of a duration: all of it in that unit, milliseconds only what is left of a second. */
export const DURATION_GETTERS: Readonly<Record<string, (ns: bigint) => bigint>> = {
  getHours: (ns) => ns / 3_600_000_000_000n,
  getMinutes: (ns) => ns / 60_000_000_000n,
  getSeconds: (ns) => ns / 1_000_000_000n,
  getMilliseconds: (ns) => (ns / 1_000_000n) % 1000n,
};
