/** Time as an argument: production reads the system's clocks here and nowhere else; tests pass numbers. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may step. For certificates, tokens, calendars and log lines. */
  wallMs(): number;
  /** Milliseconds from an arbitrary start; never steps back. For windows, deadlines and durations. */
  monotonicMs(): number;
}

/**
 * What to add to this process's monotonic milliseconds for those of the machine, which its processes share. In steps of
 * 1/1024 ms: added to a whole number and taken off again, it gives the number.
 */
export const machineMonotonicMs = Math.round((Number(process.hrtime.bigint()) / 1e6 - performance.now()) * 1024) / 1024;

export const systemClock: Clock = Object.freeze({
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
});
