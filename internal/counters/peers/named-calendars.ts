import type { Calendar } from '../../phases/ratelimit/counter-store.ts';
import type { CalendarNamed } from './ask-frames.ts';

/** More than the calendars that policies may use at a time. */
const MOST = 4096;

/** Calendars by name: a time zone takes long to look up. At most 4,096 of them are kept. */
export function keepCalendars(calendarNamed: CalendarNamed): CalendarNamed {
  const kept = new Map<string, Calendar>();
  return (name) => {
    const known = kept.get(name);
    if (known !== undefined) return known;
    const calendar = calendarNamed(name);
    if (calendar === undefined) return undefined;
    if (kept.size >= MOST) kept.clear();
    kept.set(name, calendar);
    return calendar;
  };
}
