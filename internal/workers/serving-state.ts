import type { ObjectMeta, SourceObject } from '../policy/object.ts';
import type { RecordedSpec } from '../policy/recorded-spec.ts';
import type { Build, ObjectReport } from '../policy/store.ts';
import type { PodLabels } from '../policy/workload.ts';
import type { Change } from './change.ts';

/** By uid: the last spec of an object that was accepted in this process. */
export type Records = ReadonlyMap<string, RecordedSpec>;

const keyOf = (kind: string, { namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string =>
  `${kind}/${namespace}/${name}`;

/**
 * What a store was given and what it made of it, for a process that begins later: it is told the objects as they are, each
 * with a status that says what serves of it now, as an instance reads that starts anew. So it serves the last good specs,
 * and lets hosts stay with whom they belong to, as those do that were there all the time.
 */
export class ServingState {
  readonly #objects = new Map<string, SourceObject>();
  #hasUnread = false;
  #labels: PodLabels | undefined = undefined;
  #accepted: ReadonlyMap<string, ObjectReport> = new Map();
  #reports: ReadonlyMap<string, ObjectReport> = new Map();

  note(change: Change): void {
    if (change.kind === 'apply') this.#objects.set(keyOf(change.object.kind, change.object.metadata), change.object);
    else if (change.kind === 'delete') this.#objects.delete(keyOf(change.of, change.meta));
    else if (change.kind === 'setUnread') this.#hasUnread = change.hasUnread;
    else if (change.kind === 'relabel') this.#labels = change.labels;
  }

  built({ reports }: Pick<Build, 'reports'>): void {
    const accepted = new Map<string, ObjectReport>();
    const all = new Map<string, ObjectReport>();
    for (const report of reports) {
      const { uid } = report.object.metadata;
      all.set(uid, report);
      const last = report.isAccepted ? report : this.#accepted.get(uid);
      if (last !== undefined) accepted.set(uid, last);
    }
    this.#accepted = accepted;
    this.#reports = all;
  }

  /** All changes that lead to it, in the order in which a store reads them. */
  get changes(): readonly Change[] {
    const objects = [...this.#objects.values()].map(
      (object): Change => ({
        kind: 'apply',
        object: this.#withStanding(object),
      }),
    );
    const labels: readonly Change[] = this.#labels === undefined ? [] : [{ kind: 'relabel', labels: this.#labels }];
    return [...objects, { kind: 'setUnread', hasUnread: this.#hasUnread }, ...labels];
  }

  get records(): Records {
    return new Map([...this.#accepted].map(([uid, report]) => [uid, recordOf(report)]));
  }

  /** Whatever its own status tells: what it holds here counts. */
  #withStanding(object: SourceObject): SourceObject {
    const { uid } = object.metadata;
    const report = this.#reports.get(uid);
    if (object.kind !== 'APIPolicy' || report === undefined) return object;
    const accepted = this.#accepted.get(uid)?.object.metadata.generation;
    const status = { ...(object.status as object | undefined), hosts: [...report.hosts] };
    return { ...object, status: accepted === undefined ? status : { ...status, accepted: { generation: accepted } } };
  }
}

/** What baselines gave a policy is part of what was accepted, and nothing is given it any more. */
function recordOf({ object, given }: ObjectReport): RecordedSpec {
  const sections = Object.fromEntries((given ?? []).map(({ section, value }) => [section, value]));
  const isFilled = object.kind === 'APIPolicy';
  const { generation } = object.metadata;
  return { generation, spec: { ...(object.spec as object), ...sections }, ...(isFilled && { isFilled }) };
}
