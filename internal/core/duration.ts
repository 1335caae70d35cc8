const PART = /([0-9]{1,5})(h|ms|m|s)/g;
const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Gateway API durations (GEP-2257): one to four of `h m s ms`, whole numbers of at most five digits, e.g. `1h30m`. */
export const DURATION_PATTERN = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;

/**
 * Milliseconds of a GEP-2257 duration.
 *
 * @returns undefined when the text is not one; callers say so with `durationHint`
 */
export function parseDurationMs(text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined;
  let total = 0;
  for (const [, digits, unit] of text.matchAll(PART)) total += Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return total;
}

/** What to write instead of a duration that is none. */
export function durationHint(text: string): string {
  const days = /^([0-9]+)d$/.exec(text);
  if (days !== null) return `"${text}" is not a duration: write days as hours, "${Number(days[1]) * 24}h"`;
  return `"${text}" is not a duration: write whole numbers with h, m, s or ms, for example "1h30m"`;
}
