/** At most `burst + requests·t/window` in any time t. */
export interface GcraRate {
  readonly algorithm: 'GCRA';
  readonly requests: number;
  readonly windowMs: number;
  readonly burst: number;
}

/** At most `requests` in any window. */
export interface SlidingRate {
  readonly algorithm: 'SlidingWindow';
  readonly requests: number;
  readonly windowMs: number;
}

/** At most `requests` between two edges, which can be close. */
export type EdgeRate =
  | { readonly algorithm: 'FixedWindow'; readonly requests: number; readonly windowMs: number }
  | {
      readonly algorithm: 'Calendar';
      readonly requests: number;
      readonly calendar: Calendar;
      /** Unit and time zone, `Day/Europe/Berlin`: who cannot be given a function makes the same calendar of it. */
      readonly calendarName: string;
    };

/** How one counter counts; worked out when the policy arrives. */
export type Rate = GcraRate | SlidingRate | EdgeRate;

/** Edges of the calendar window that holds a moment, in epoch milliseconds. */
export type Calendar = (wallMs: number) => CalendarWindow;
export interface CalendarWindow {
  readonly startMs: number;
  readonly endMs: number;
}

/** One counter that a check wants to take from. */
export interface Take {
  /** Identity of the counter: the same for every replica and version, at most 47 characters of ASCII. */
  readonly key: string;
  readonly rate: Rate;
  /** Whole number from 0 up to what the rate lets pass at once; 0 only asks. */
  readonly cost: number;
  /** Whose policy asks: where there is no room for all counters, each namespace keeps its share of them. */
  readonly namespace: string;
  /** Of the policy or baseline whose limit it is, below 2^32: where counters lie in several places, those of one lie in one. */
  readonly tag: number;
}

/** The two clocks of one check: windows run on the first, calendars on the second. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** What one counter says after the take; where the call was refused, as if nothing had been asked. */
export interface CounterState {
  /** False for each counter that refused. */
  readonly isWithin: boolean;
  /** What could still be taken now. */
  readonly remaining: number;
  /** Milliseconds until one more could be taken, 0 when nothing counts; where refused, until the cost could be. */
  readonly waitMs: number;
}

/**
 * Where counters live: the port of rate limiting. Takes of one call, of different keys and one tag, are all taken or none.
 * Moments may arrive out of order; none makes a counter forget. Whoever cannot answer throws or rejects; the limit's `onFault`
 * says what that means. Its behaviour is `counter-store.contract.ts`.
 */
export interface CounterStore {
  take(takes: readonly Take[], moment: Moment): readonly CounterState[] | Promise<readonly CounterState[]>;
  /**
   * Gives back what was taken, as far as it still counts. `taken` is the moment that was given to `take`. Nobody waits
   * for it, but whoever calls it catches what it throws or rejects with.
   */
  giveBack(takes: readonly Take[], taken: Moment): void | Promise<void>;
  /** Counters of this process alone, for when it cannot answer; where there are none, the instance's local store is asked. */
  readonly spare?: CounterStore;
}
