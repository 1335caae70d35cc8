import type { Place } from './scan.ts';
import type { PlaceKind, ThreatKind } from './threat.ts';

/**
 * What is not told of: all that is given must hold. One that gives nothing excludes nothing, for it would switch all
 * detection off; what to exclude is written out.
 */
export interface ThreatExclusion {
  readonly in?: PlaceKind;
  /** Exactly this name; header names in lower case. A JSON pointer that ends with `/*` also means all below it. */
  readonly name?: string;
  readonly kind?: ThreatKind;
  readonly rule?: string;
}

/** Whether a place is not looked at: an exclusion that names it, and no kind or rule. */
export const isPlaceExcluded = (exclusions: readonly ThreatExclusion[], place: Place): boolean =>
  exclusions.some(
    (exclusion) =>
      exclusion.kind === undefined &&
      exclusion.rule === undefined &&
      saysSomething(exclusion) &&
      isAt(exclusion, place),
  );

export function isExcluded(
  exclusions: readonly ThreatExclusion[],
  place: Place,
  kind: ThreatKind,
  rule: string,
): boolean {
  return exclusions.some(
    (exclusion) =>
      saysSomething(exclusion) &&
      isAt(exclusion, place) &&
      (exclusion.kind === undefined || exclusion.kind === kind) &&
      (exclusion.rule === undefined || exclusion.rule === rule),
  );
}

const saysSomething = (exclusion: ThreatExclusion): boolean =>
  [exclusion.in, exclusion.name, exclusion.kind, exclusion.rule].some((part) => part !== undefined);

const isAt = (exclusion: ThreatExclusion, place: Place): boolean =>
  (exclusion.in === undefined || exclusion.in === place.in) &&
  (exclusion.name === undefined || isNamed(exclusion.name, place));

const isNamed = (name: string, place: Place): boolean =>
  name.endsWith('/*') && place.in === 'body'
    ? place.name.startsWith(name.slice(0, -1)) || place.name === name.slice(0, -2)
    : name === place.name;
