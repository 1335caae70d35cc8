import { inOneGo, type Steps } from '../core/breather.ts';
import { detectorsOf } from './detectors.ts';
import { isExcluded, isPlaceExcluded, type ThreatExclusion } from './exclusion.ts';
import { maskEvidence } from './mask.ts';
import { piecesOf } from './pieces.ts';
import { isCoded, otherReadings, type Reading, readingOf, readingsOf } from './readings.ts';
import type { Detector, Hit, PlaceKind, Probe, Sensitivity, ThreatKind } from './threat.ts';

/** Longest value that is looked at, in UTF-16 units; a longer one is a hit of its own. */
export const MAX_SCANNED_LENGTH = 1_048_576;
/** Shorter values are looked at without a stop. */
const SHORT = 1024;
/** Most hits of one value; one is enough to refuse it. */
export const MAX_HITS = 16;

export interface ScanOptions {
  /** What is looked for; a list that does not change. */
  readonly kinds: readonly ThreatKind[];
  readonly sensitivity: Sensitivity;
  readonly exclusions: readonly ThreatExclusion[];
}

/** Where a value stands. `name` is a parameter's, header's or cookie's name, or a JSON pointer into the body. */
export interface Place {
  readonly in: PlaceKind;
  readonly name: string;
}

/** Looks at one value in one go; at most a few milliseconds of work (`scanSteps` is the same in pieces). */
export const scan = (value: string, place: Place, options: ScanOptions): readonly Hit[] =>
  value.length <= SHORT ? scanShort(value, place, options) : inOneGo(scanSteps(value, place, options));

/**
 * Looks at one value: every reading of it, under every detector that is asked for. Nothing that it is given makes it
 * throw, and its time is in proportion to the length of the value. It stops between pieces of work, none of which is
 * about more than 4 Ki characters of one reading, so that a caller with long values can let others go first.
 *
 * @returns what was found, each rule once, the worst first
 */
export function* scanSteps(value: string, place: Place, options: ScanOptions): Steps<readonly Hit[]> {
  if (isPlaceExcluded(options.exclusions, place)) return [];
  if (value.length > MAX_SCANNED_LENGTH) return [tooLong(value)];
  if (value.length <= SHORT) return scanShort(value, place, options);
  const found = new Findings(place, options);
  const detectors = detectorsOf(options.kinds);
  for (const piece of piecesOf(value)) {
    for (const reading of readingsOf(piece, place.in !== 'path')) {
      yield;
      for (const detector of detectors) {
        if (detector.needs !== 0 && (reading.traits & detector.needs) === 0) continue;
        const rest = found.look(detector, reading);
        if (rest !== undefined) yield* rest;
        yield;
      }
    }
  }
  return found.sorted();
}

/** Without stops: what most values are. */
function scanShort(value: string, place: Place, options: ScanOptions): readonly Hit[] {
  if (isPlaceExcluded(options.exclusions, place)) return [];
  const found = new Findings(place, options);
  const detectors = detectorsOf(options.kinds);
  const first = readingOf(value, 0);
  lookThrough(found, detectors, first);
  if (isCoded(first))
    for (const reading of otherReadings(value, first, place.in !== 'path')) lookThrough(found, detectors, reading);
  return found.sorted();
}

function lookThrough(found: Findings, detectors: readonly Detector[], reading: Reading): void {
  for (const detector of detectors) {
    if (detector.needs !== 0 && (reading.traits & detector.needs) === 0) continue;
    const rest = found.look(detector, reading);
    if (rest !== undefined) inOneGo(rest);
  }
}

const tooLong = (value: string): Hit => ({
  kind: 'unscanned',
  rule: 'too-long',
  score: 5,
  evidence: maskEvidence(value, 0, value.length),
});

/** What the detectors told of one value; also what they look through. */
export class Findings implements Probe {
  text = '';
  traits = 0;
  depth = 0;
  steps = 0;
  readonly place: PlaceKind;
  readonly #where: Place;
  readonly #options: ScanOptions;
  readonly #hits: Hit[] = [];
  #detector: Detector | undefined;
  #last = '';

  constructor(where: Place, options: ScanOptions) {
    this.place = where.in;
    this.#where = where;
    this.#options = options;
  }

  look(detector: Detector, reading: Reading): Steps<void> | undefined {
    this.text = reading.text;
    this.traits = reading.traits;
    this.depth = reading.depth;
    this.#detector = detector;
    this.#last = '';
    return detector.find(this);
  }

  report(name: string, start: number, end: number): void {
    // The same again, as in a text of nothing else.
    if (name === this.#last) return;
    this.#last = name;
    const { kind, rules } = this.#detector ?? {};
    const rule = rules?.[name];
    // A detector that names a rule it lacks is a mistake of ours; it counts, at any sensitivity.
    const { score, from } = rule ?? { score: 5, from: 1 };
    if (kind === undefined || from > this.#options.sensitivity || this.#hits.length >= MAX_HITS) return;
    if (this.#hits.some((hit) => hit.kind === kind && hit.rule === name)) return;
    if (isExcluded(this.#options.exclusions, this.#where, kind, name)) return;
    this.#hits.push({ kind, rule: name, score, evidence: maskEvidence(this.text, start, end) });
  }

  sorted(): readonly Hit[] {
    return this.#hits.sort((a, b) => b.score - a.score);
  }
}
