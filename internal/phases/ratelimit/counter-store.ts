/** How one counter counts; worked out when the policy arrives. */
export type Rate =
  | { readonly algorithm: 'GCRA'; readonly requests: number; readonly windowMs: number; readonly burst: number }
  | { readonly algorithm: 'SlidingWindow'; readonly requests: number; readonly windowMs: number }
  | { readonly algorithm: 'FixedWindow'; readonly requests: number; readonly windowMs: number }
  | { readonly algorithm: 'Calendar'; readonly requests: number; readonly calendar: Calendar };

/** Edges of the calendar window that holds a moment, in epoch milliseconds. */
export type Calendar = (wallMs: number) => CalendarWindow;
export interface CalendarWindow {
  readonly startMs: number;
  readonly endMs: number;
}

/** One counter that a check wants to take from. */
export interface Take {
  /** Identity of the counter: the same for every replica and version, at most 64 characters. */
  readonly key: string;
  readonly rate: Rate;
  /** Whole number from 0 up. */
  readonly cost: number;
}

/** The two clocks of one check: windows run on the first, calendars on the second. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** What one counter says after the take, or of the take that it refused. */
export interface CounterState {
  readonly isWithin: boolean;
  /** What could still be taken now. */
  readonly remaining: number;
  /** Milliseconds until there is more to take, or until the refused cost could be taken. */
  readonly waitMs: number;
}

/**
 * Where counters live: the port of rate limiting. Takes of one call are all taken or none. Whoever cannot answer
 * throws or rejects; the limit's `onFault` says what that means.
 */
export interface CounterStore {
  take(takes: readonly Take[], moment: Moment): readonly CounterState[] | Promise<readonly CounterState[]>;
  /** Gives back what was taken, as far as it still counts. */
  giveBack(takes: readonly Take[], moment: Moment): void;
}
