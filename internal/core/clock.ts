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

/**
 * What to add to this process's monotonic milliseconds for those of the machine, which its processes share. In steps of
 * 1/1024 ms: added to a whole number and taken off again, it gives the number.
 */
export const machineMonotonicMs = measureOffset();

/** Of several looks at both clocks the one with the shortest pause in between: the first ones load code. */
function measureOffset(): number {
  let offsetMs = Number.NEGATIVE_INFINITY;
  for (let look = 0; look < 16; look += 1) {
    const machineMs = Number(process.hrtime.bigint()) / 1e6;
    offsetMs = Math.max(offsetMs, machineMs - performance.now());
  }
  return Math.round(offsetMs * 1024) / 1024;
}
