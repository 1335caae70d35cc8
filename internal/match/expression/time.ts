import { ExpressionError } from '../../core/expression-error.ts';
import type { Meter } from '../../core/meter.ts';
import { toDuration, toTimestamp } from './arithmetic.ts';
import type { Result, Timestamp } from './value.ts';

export const NANOSECONDS = 1_000_000_000n;

const RFC3339 = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;
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

/** RFC 3339 §5.6, without leap seconds. Date.parse would take 30 February for a day in March: that is refused. */
export function parseTimestamp(text: string): Result {
  const match = RFC3339.exec(text);
  if (match === null) return NOT_TIME;
  const [, date = '', clock = '', digits = '', sign, offsetHours = '0', offsetMinutes = '0'] = match;
  const local = Date.parse(`${date}T${clock}Z`);
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 19) !== `${date}T${clock}`) return NOT_TIME;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return NOT_TIME;
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  const ms = sign === '-' ? local + offsetMs : local - offsetMs;
  return toTimestamp(BigInt(ms) * 1_000_000n + BigInt(digits.padEnd(9, '0')));
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
  const seconds = floorDiv(ns, NANOSECONDS);
  const fraction = String(ns - seconds * NANOSECONDS)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${text}${fraction === '' ? '' : `.${fraction}`}Z`;
}

export function formatDuration(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const magnitude = ns < 0n ? -ns : ns;
  const fraction = String(magnitude % NANOSECONDS)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${sign}${magnitude / NANOSECONDS}${fraction === '' ? '' : `.${fraction}`}s`;
}

export const floorDiv = (a: bigint, b: bigint): bigint => (a % b < 0n ? a / b - 1n : a / b);

/** A time zone, ready to be asked often. */
export interface Zone {
  /** Milliseconds that local time is ahead of UTC at this moment. */
  offsetMs(epochMs: number, meter?: Meter): number;
}

const UTC: Zone = Object.freeze({ offsetMs: () => 0 });
const OFFSET = /^([+-]?)(\d{1,2}):(\d{2})$/;

/** An IANA name or an offset such as `-08:00`; undefined for what is neither. */
export function zoneOf(name: string): Zone | undefined {
  if (name === 'UTC' || name === '') return UTC;
  const offset = OFFSET.exec(name);
  if (offset !== null) {
    if (Number(offset[2]) > 23 || Number(offset[3]) > 59) return undefined;
    const ms = (Number(offset[2]) * 60 + Number(offset[3])) * 60_000 * (offset[1] === '-' ? -1 : 1);
    return { offsetMs: () => ms };
  }
  return zones.get(name) ?? newZone(name);
}

/** Zones by name as written: each holds a formatter, which is dear to make and to keep. */
const zones = new Map<string, Zone>();
const MAX_ZONES = 64;

function newZone(name: string): Zone | undefined {
  try {
    const zone = ianaZone(new Intl.DateTimeFormat('en-US', { ...FIELDS, timeZone: name }));
    if (zones.size >= MAX_ZONES) zones.clear();
    zones.set(name, zone);
    return zone;
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
/** Steps of asking the library for an offset: measured. */
const OFFSET_COST = 3000;

/**
 * Since 1972 offsets change only at whole quarters of an hour, so the last answer serves the whole quarter; before,
 * local mean times changed at any second.
 */
function ianaZone(format: Intl.DateTimeFormat): Zone {
  let lastQuarter = Number.NaN;
  let lastOffset = 0;
  return {
    offsetMs(epochMs, meter) {
      const quarter = Math.floor(epochMs / QUARTER_MS);
      if (quarter === lastQuarter) return lastOffset;
      if (meter !== undefined) meter.work -= OFFSET_COST;
      if (epochMs < 0) return offsetAt(format, epochMs);
      lastOffset = offsetAt(format, quarter * QUARTER_MS);
      lastQuarter = quarter;
      return lastOffset;
    },
  };
}

function offsetAt(format: Intl.DateTimeFormat, epochMs: number): number {
  const second = Math.floor(epochMs / 1000) * 1000;
  const parts = new Map(format.formatToParts(second).map(({ type, value }) => [type, value]));
  const field = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name));
  const local = new Date(0);
  local.setUTCFullYear(parts.get('era') === 'BC' ? 1 - field('year') : field('year'), field('month') - 1, field('day'));
  local.setUTCHours(field('hour'), field('minute'), field('second'), 0);
  return local.getTime() - second;
}
