import type { Steps } from '../core/breather.ts';

/** What is looked for: one file each. `unscanned` is a value that is too long to be looked at, which is no pass. */
export const THREAT_KINDS = [
  'sqlInjection',
  'crossSiteScripting',
  'pathTraversal',
  'commandInjection',
  'ldapInjection',
  'xpathInjection',
  'nosqlInjection',
  'templateInjection',
  'serverSideRequestForgery',
  'lookupInjection',
  'externalEntity',
  'prototypePollution',
  'headerInjection',
] as const;
export type ThreatKind = (typeof THREAT_KINDS)[number];

/** 1 looks for what no honest value holds; 2 and 3 find more, and more that is none. */
export type Sensitivity = 1 | 2 | 3;

/** One thing that a detector tells of. */
export interface Rule {
  /** How bad: 5 critical, 4 an error, 3 a warning, 2 a notice, as the OWASP rules count. */
  readonly score: 2 | 3 | 4 | 5;
  /** The lowest sensitivity at which it counts. */
  readonly from: Sensitivity;
}

/** Rules of a detector by their names, which are a closed set. */
export type Rules = Readonly<Record<string, Rule>>;

export interface Hit {
  readonly kind: ThreatKind | 'unscanned';
  readonly rule: string;
  readonly score: number;
  /** What matched, at most 64 characters of it, every letter as `a` and every digit as `0`. */
  readonly evidence: string;
}

/** Looks for one kind in one reading of a value. */
export interface Detector {
  readonly kind: ThreatKind;
  readonly rules: Rules;
  /** The traits without any of which nothing can be found; 0 looks at every value. */
  readonly needs: number;
  /** Takes time in proportion to the length of `probe.text`; where that is several passes over it, in steps. */
  find(probe: Probe): Steps<void> | undefined;
}

/** One reading of a value under one detector: what it looks at, and where it says what it found. */
export interface Probe {
  /** The reading, in lower case. */
  readonly text: string;
  /** Bits of `TRAIT` that the reading has. */
  readonly traits: number;
  /** Where the value stands. */
  readonly place: PlaceKind;
  /** How many decodings are behind it; 0 is the value as it came. */
  readonly depth: number;
  /** Characters or tokens looked at so far: the tests hold it linear. */
  steps: number;
  /** Something was found between two offsets of the text. */
  report(rule: string, start: number, end: number): void;
}

/** Where values come from. */
export const PLACE_KINDS = ['path', 'query', 'header', 'cookie', 'body'] as const;
export type PlaceKind = (typeof PLACE_KINDS)[number];
