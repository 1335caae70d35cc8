/** Time as an argument: production reads the system's clocks here and nowhere else; tests pass numbers. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may step. For certificates, tokens, calendars and log lines. */
  wallMs(): number;
  /** Milliseconds from an arbitrary start; never steps back. For windows, deadlines and durations. */
  monotonicMs(): number;
}

export const systemClock: Clock = Object.freeze({
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
});
