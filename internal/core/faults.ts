// Faults that more than one place finds, each said in one way.
import type { Refusal } from './decision.ts';

/** The answer was due before now. */
export const LATE: Refusal = Object.freeze({ reason: 'deadline', retryAfterS: 1 });

/** The cause is for the log; a client reads only the reason's title. */
export function unforeseen(error: unknown): Refusal {
  return { reason: 'internal', cause: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
