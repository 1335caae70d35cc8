const FIRST_MS = 200;

/**
 * The pause before try number `failures` (from 1): doubled each time up to `mostMs`, then somewhere between half and
 * all of it, so that replicas which failed together do not come back together.
 *
 * @param random from 0 to 1
 */
export function backoffMs(failures: number, mostMs: number, random: number): number {
  const full = Math.min(mostMs, FIRST_MS * 2 ** Math.min(failures - 1, 20));
  return full * (0.5 + random / 2);
}
