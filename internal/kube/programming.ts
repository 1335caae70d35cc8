import { member } from '../core/member.ts';
import type { Horizon, ObjectReport } from '../policy/store.ts';
import type { Replica } from './replicas.ts';
import { markOf, reaches, type Serving, servesToo } from './serving.ts';

export interface ProgrammingOptions {
  /** Those that are alive; undefined while that is not known. */
  readonly alive: () => readonly Replica[] | undefined;
  /** The watch that shows policies of a namespace, as replicas call it. */
  readonly scope: (namespace: string) => string;
  /** What this replica serves now, told or not. */
  readonly own: () => Serving | undefined;
}

/** One generation of a policy, as this writer met it. */
interface Met {
  readonly generation: number;
  /** The resource version at which the watch showed it first: whoever has come so far has it too. */
  readonly version: string | undefined;
  readonly namespace: string;
  readonly mark: string;
  /** All served it once: that stays, whatever becomes of replicas. */
  isProgrammed: boolean;
}

/** What all that are alive have in common, worked out once for each change of theirs. */
interface View {
  readonly replicas: readonly Replica[];
  readonly horizon: Horizon;
}

/**
 * Whether all replicas that are alive serve the newest generation of a policy. A replica does when its snapshot was built
 * from everything up to the version at which that generation came, and it does not name it among those that it refuses.
 */
export class Programming {
  readonly #options: ProgrammingOptions;
  readonly #met = new Map<string, Met>();
  #view: View | undefined = undefined;

  constructor(options: ProgrammingOptions) {
    this.#options = options;
  }

  /** How many are alive, as far as that is known. */
  get replicas(): number {
    return this.#current()?.replicas.length ?? 0;
  }

  /** Replicas are others than before, or serve something else. */
  changed(): void {
    this.#view = undefined;
  }

  /** What was found before may have been changed by another writer. */
  forget(): void {
    this.#met.clear();
  }

  /** This replica does not serve its newest generation (any more). */
  withdraw({ object }: ObjectReport): void {
    const met = this.#met.get(object.metadata.uid);
    if (met !== undefined) met.isProgrammed = false;
  }

  /** What is not among these is gone. */
  keepOnly(reports: readonly ObjectReport[]): void {
    const left = new Set(reports.map(({ object }) => object.metadata.uid));
    for (const uid of this.#met.keys()) if (!left.has(uid)) this.#met.delete(uid);
  }

  /** Whether somebody who is alive does not serve it yet; only asked of what this replica serves itself. */
  isAwaited(report: ObjectReport): boolean {
    const met = this.#meet(report);
    if (!met.isProgrammed) met.isProgrammed = this.#isServedByAll(report, met);
    return !met.isProgrammed;
  }

  /** Who does not serve it yet: a sentence. */
  text(report: ObjectReport): string {
    const { generation, namespace } = report.object.metadata;
    const view = this.#current();
    if (view === undefined) return `Which replicas serve generation ${generation} is not known yet`;
    const met = this.#meet(report);
    const scope = this.#options.scope(namespace);
    const own = this.#options.own();
    const late = view.replicas.filter(
      ({ serving }) => !reaches(serving?.horizon[scope], met.version) || !serving || !servesToo(serving, met, own),
    );
    const names = late.slice(0, 3).map(({ name }) => `"${name}"`);
    const more = late.length > names.length ? ` and ${late.length - names.length} more` : '';
    const count = `${view.replicas.length - late.length} of ${view.replicas.length} replicas`;
    return `${count} serve generation ${generation}; not yet ${names.join(', ')}${more}`;
  }

  #meet({ object: { metadata, status } }: ObjectReport): Met {
    const { namespace, uid, generation, resourceVersion } = metadata;
    const known = this.#met.get(uid);
    // After an API server was put back to an older state, its versions count from there.
    const isOfNow = known?.generation === generation && !isAhead(known.version, resourceVersion);
    if (known !== undefined && isOfNow) return known;
    const isProgrammed = known === undefined && isSaid(status, generation);
    const met: Met = { generation, version: resourceVersion, namespace, mark: markOf(metadata), isProgrammed };
    this.#met.set(uid, met);
    return met;
  }

  #isServedByAll({ object: { metadata } }: ObjectReport, met: Met): boolean {
    const view = this.#current();
    if (view === undefined) return false;
    if (!reaches(view.horizon[this.#options.scope(metadata.namespace)], met.version)) return false;
    const own = this.#options.own();
    return view.replicas.every(({ serving }) => serving !== undefined && servesToo(serving, met, own));
  }

  #current(): View | undefined {
    if (this.#view !== undefined) return this.#view;
    const replicas = this.#options.alive();
    this.#view = replicas && viewOf(replicas);
    return this.#view;
  }
}

function viewOf(replicas: readonly Replica[]): View {
  let horizon: Record<string, string> | undefined;
  for (const { serving } of replicas) horizon = earlier(horizon, serving?.horizon ?? {});
  return { replicas, horizon: horizon ?? {} };
}

/** For each scope that both know, the version that both have come to. */
function earlier(a: Record<string, string> | undefined, b: Horizon): Record<string, string> {
  if (a === undefined) return { ...b };
  const both: Record<string, string> = {};
  for (const [scope, version] of Object.entries(a)) {
    const other = b[scope];
    if (other !== undefined) both[scope] = reaches(version, other) ? other : reaches(other, version) ? version : '';
  }
  return both;
}

const isAhead = (version: string | undefined, other: string | undefined): boolean =>
  version !== other && reaches(version, other);

/** Whether its status says so: of another writer, before this one. */
function isSaid(status: unknown, generation: number): boolean {
  const conditions = member(status, 'conditions');
  if (!Array.isArray(conditions)) return false;
  return conditions.some(
    (condition) =>
      member(condition, 'type') === 'Programmed' &&
      member(condition, 'status') === 'True' &&
      member(condition, 'observedGeneration') === generation,
  );
}
