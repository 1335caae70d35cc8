/** How long workers may take. */
export interface PoolTimes {
  /** Between two looks at the workers. */
  readonly lookMs: number;
  /** How long one may say nothing, or not serve what the main process has built. */
  readonly patienceMs: number;
}

export const TIMES: PoolTimes = { lookMs: 1000, patienceMs: 30_000 };
/** A worker has so many times as long as the main process took, where that is more than its patience. */
export const BUILDS = 4;
/** What is left when all should have ended is killed so much later: spans and lines are sent last. */
export const END_GRACE_MS = 6000;
