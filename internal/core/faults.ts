// Faults that more than one place finds, each said in one way.
import type { Refusal } from './decision.ts';

/** The answer was due before now. */
export const LATE: Refusal = Object.freeze({ reason: 'deadline', retryAfterS: 1 });

/** Nobody reads the answer any more; it is a refusal all the same, and seen like any other. */
export const GONE: Refusal = Object.freeze({ reason: 'deadline', retryAfterS: 1, cause: 'the caller went away' });

/** The cause is for the log; a client reads only the reason's title. */
export function unforeseen(error: unknown): Refusal {
  return { reason: 'internal', cause: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
