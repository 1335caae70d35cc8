import { type Zone, zoneOf } from '../../match/expression/time.ts';
import type { Calendar, CalendarWindow } from './counter-store.ts';
import type { RateSpec } from './spec.ts';

type Unit = NonNullable<RateSpec['calendar']>['unit'];

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Local start of the unit that holds a local moment, and of the next one; "local" milliseconds read as if UTC. */
const EDGES: Readonly<Record<Unit, (local: Date) => readonly [number, number]>> = {
  Minute: (local) => whole(local, MINUTE_MS),
  Hour: (local) => whole(local, HOUR_MS),
  Day: (local) => whole(local, DAY_MS),
  Week(local) {
    const [day] = whole(local, DAY_MS);
    const start = day - ((local.getUTCDay() + 6) % 7) * DAY_MS;
    return [start, start + 7 * DAY_MS];
  },
  Month: (local) => [
    Date.UTC(local.getUTCFullYear(), local.getUTCMonth()),
    Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1),
  ],
  Year: (local) => [Date.UTC(local.getUTCFullYear(), 0), Date.UTC(local.getUTCFullYear() + 1, 0)],
};

function whole(local: Date, unitMs: number): readonly [number, number] {
  const start = Math.floor(local.getTime() / unitMs) * unitMs;
  return [start, start + unitMs];
}

/**
 * Windows of the calendar in a time zone. Where a clock change shortens or stretches a unit, so it does the window.
 *
 * @returns undefined for a time zone that is not known
 */
export function compileCalendar(unit: Unit, timeZone: string): Calendar | undefined {
  const zone = zoneOf(timeZone);
  if (zone === undefined) return undefined;
  let last: CalendarWindow = { startMs: 0, endMs: 0 };
  return (wallMs) => {
    if (wallMs >= last.startMs && wallMs < last.endMs) return last;
    const [start, end] = EDGES[unit](new Date(wallMs + zone.offsetMs(wallMs)));
    last = Object.freeze({ startMs: toEpoch(start, zone), endMs: toEpoch(end, zone) });
    return last;
  };
}

/** How a calendar is told to another process. */
export const calendarNameOf = (unit: Unit, timeZone: string): string => `${unit}/${timeZone}`;

/** @returns undefined for a name that `calendarNameOf` did not give */
export function calendarNamed(name: string): Calendar | undefined {
  const slash = name.indexOf('/');
  const unit = name.slice(0, slash);
  return isUnit(unit) ? compileCalendar(unit, name.slice(slash + 1)) : undefined;
}

const isUnit = (text: string): text is Unit => Object.hasOwn(EDGES, text);

/** The moment at which a zone's clocks show a local time; the offset is looked up again at the first guess. */
function toEpoch(localMs: number, zone: Zone): number {
  const guess = localMs - zone.offsetMs(localMs);
  return localMs - zone.offsetMs(guess);
}
