import type { Selecting } from '../cluster-objects.ts';
import { compareAge } from '../object.ts';
import type { CompiledBaseline } from './compile-baseline.ts';
import { type Default, type Defaults, NO_DEFAULTS } from './defaults.ts';
import { type OverrideSet, overrideSet } from './override-set.ts';

/** A baseline that serves. */
export type Baseline = CompiledBaseline & Pick<Selecting<unknown>, 'meta'>;

/** What the baselines of one snapshot are for a namespace. */
export interface OfNamespace {
  readonly defaults: Defaults;
  readonly overrides: OverrideSet | undefined;
}

/** What a build reads of its baselines. */
export interface BaselinesOfBuild {
  readonly of: (namespace: string) => OfNamespace;
  /** The build serves: what it made of them is what the next one begins with. A build that failed changes nothing. */
  readonly serve: () => void;
}

type Labels = (namespace: string) => Readonly<Record<string, string>> | undefined;

const NOTHING: OfNamespace = Object.freeze({ defaults: NO_DEFAULTS, overrides: undefined });

/**
 * Which baselines are for which namespace. Sets of overrides stay the same objects from build to build while their
 * baselines do, so that policies are bound anew only where something changed.
 */
export class BaselineView {
  #sets: ReadonlyMap<string, OverrideSet> = new Map();
  /** Numbers of what was compiled: two baselines of one name over time are two. */
  readonly #numbers = new WeakMap<object, number>();
  #count = 0;

  /** What one build serves. Worked out for each namespace when it is first asked for. */
  of(baselines: readonly Baseline[], labelsOf: Labels): BaselinesOfBuild {
    const sets = new Map<string, OverrideSet>();
    const serve = (): void => {
      this.#sets = sets;
    };
    if (baselines.length === 0) return { of: () => NOTHING, serve };
    const byPrecedence = [...baselines].sort(comparePrecedence);
    const byName = [...baselines].sort((a, b) => (a.meta.name < b.meta.name ? -1 : 1));
    const before = this.#sets;
    const known = new Map<string, OfNamespace>();
    const of = (namespace: string): OfNamespace => {
      let found = known.get(namespace);
      if (found === undefined) {
        const labels = labelsOf(namespace);
        const overrides = this.#overridesOf(
          byName.filter((baseline) => mayBeFor(baseline, labels)),
          before,
          sets,
        );
        found = { defaults: defaultsOf(byPrecedence, labels), overrides };
        known.set(namespace, found);
      }
      return found;
    };
    return { of, serve };
  }

  #overridesOf(
    baselines: readonly Baseline[],
    before: ReadonlyMap<string, OverrideSet>,
    sets: Map<string, OverrideSet>,
  ): OverrideSet | undefined {
    const parts = baselines.flatMap(({ overrides }) => overrides ?? []);
    if (parts.length === 0) return undefined;
    const key = parts.map((part) => this.#numberOf(part)).join(' ');
    const set = sets.get(key) ?? before.get(key) ?? overrideSet(parts);
    sets.set(key, set);
    return set;
  }

  #numberOf(part: object): number {
    const known = this.#numbers.get(part);
    if (known !== undefined) return known;
    this.#count += 1;
    this.#numbers.set(part, this.#count);
    return this.#count;
  }
}

type LabelsOrUnknown = ReturnType<Labels>;

/** Whom nobody knows yet escapes nothing: overrides hold there until its labels say otherwise. */
const mayBeFor = ({ selects }: Baseline, labels: LabelsOrUnknown): boolean => labels === undefined || selects(labels);

/** Higher first; equal: the older, then by name. */
function comparePrecedence(a: Baseline, b: Baseline): number {
  return b.spec.precedence - a.spec.precedence || compareAge(a.meta, b.meta);
}

/** Each section from the first baseline that has it and is, or may be, for the namespace. */
function defaultsOf(byPrecedence: readonly Baseline[], labels: LabelsOrUnknown): Defaults {
  const defaults = new Map<Default['section'], Default>();
  for (const baseline of byPrecedence) {
    if (!mayBeFor(baseline, labels)) continue;
    const isKnown = labels !== undefined || baseline.selectsAll;
    for (const { known, unknown } of baseline.defaults)
      if (!defaults.has(known.section)) defaults.set(known.section, isKnown ? known : unknown);
  }
  return defaults;
}
