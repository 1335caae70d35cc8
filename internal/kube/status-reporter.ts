import type { KubeConfig } from '@kubernetes/client-node';
import { breather } from '../core/breather.ts';
import type { Clock } from '../core/clock.ts';
import { API_VERSION, GROUP, KINDS, type KindName, VERSION } from '../policy/resource/kinds.ts';
import type { ObjectReport } from '../policy/store.ts';
import { type Condition, conditionsOf, instanceStatus, policyStatus, saysSame } from './conditions.ts';
import { StatusWriter } from './status-writer.ts';
import type { Timers } from './timers.ts';
import { uncounted } from './uncounted.ts';

export interface StatusReporterOptions {
  readonly config: KubeConfig;
  readonly className: string;
  /** Its sidecars write nothing, so nobody knows how many of them serve what. */
  readonly isSidecarClass?: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timers?: Timers;
  readonly onWrite: (result: 'success' | 'failure', why?: string) => void;
}

/** What was last wanted for an object: a watch may show an older status than the one just written. */
interface Wanted {
  readonly words: string;
  readonly status: object;
  /** The object that it was last compared with: a status that somebody else changed is another one. */
  readonly comparedVersion: string | undefined;
}

/** What a report says, without working out the status: the same words make the same status. */
function wordsOf({ object, isAccepted, servingGeneration, problems, hosts }: ObjectReport): string {
  const said = problems.length === 0 ? '' : JSON.stringify(problems);
  return `${object.metadata.generation}/${isAccepted}/${servingGeneration}/${hosts.join(' ')}/${said}`;
}

/** Whether the whole status of a kind is its one instance's. */
const isOwned = (kind: string): boolean => KINDS[kind as KindName].status === 'conditions';

/** What one class says of a shared kind. */
interface Instance {
  readonly className: string;
  readonly conditions?: readonly Condition[];
}

/** Turns what builds found into statuses and has those written that say something new; only while the lease is held. */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  readonly #writer: StatusWriter;
  readonly #wanted = new Map<string, Wanted>();
  #reports: readonly ObjectReport[] = [];
  #isPaused = true;
  /** Counts up with every new set of reports, so that an older one stops being written. */
  #round = 0;

  constructor(options: StatusReporterOptions) {
    this.#options = options;
    this.#writer = new StatusWriter({ ...options, fieldManager: `postern-${options.className}` });
  }

  /** Statuses that are not on the API server yet. */
  get waiting(): number {
    return this.#writer.waiting;
  }

  report(reports: readonly ObjectReport[]): void {
    this.#reports = reports;
    if (!this.#isPaused) void this.#writeAll();
  }

  resume(): void {
    this.#isPaused = false;
    this.#wanted.clear();
    void this.#writeAll();
  }

  pause(): void {
    this.#isPaused = true;
    this.#writer.clear();
  }

  stop(): void {
    this.#isPaused = true;
    this.#writer.stop();
  }

  /** Looks at every report, a few at a time: checks come first. */
  async #writeAll(): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    const breathe = breather(this.#options.clock);
    const nowIso = `${new Date(this.#options.clock.wallMs()).toISOString().slice(0, 19)}Z`;
    const seen = new Set<string>();
    for (const report of this.#reports) {
      await breathe();
      if (round !== this.#round || this.#isPaused) return;
      seen.add(this.#writeOne(report, nowIso));
    }
    for (const key of this.#wanted.keys()) if (!seen.has(key)) this.#wanted.delete(key);
  }

  #writeOne(report: ObjectReport, nowIso: string): string {
    const { object } = report;
    const { namespace, name, uid, generation, resourceVersion } = object.metadata;
    const key = `${object.kind}/${uid}`;
    const words = wordsOf(report);
    const known = this.#wanted.get(key);
    if (known?.words === words && known.comparedVersion === resourceVersion) return key;
    const status =
      known?.words === words ? known.status : this.#statusOf(report, known?.status ?? object.status, nowIso);
    this.#wanted.set(key, { words, status, comparedVersion: resourceVersion });
    if (saysSame(status, this.#ownPart(object.kind, object.status))) return key;
    const resource = { group: GROUP, version: VERSION, plural: KINDS[object.kind as KindName].plural };
    const about = { kind: object.kind, namespace, name, uid, generation, resourceVersion };
    this.#writer.want({ resource, apiVersion: API_VERSION, ...about, status });
    return key;
  }

  #statusOf(report: ObjectReport, previous: unknown, nowIso: string): object {
    const { kind } = report.object;
    const before = this.#conditionsIn(kind, previous);
    const found = conditionsOf(report, before, nowIso);
    const conditions = this.#options.isSidecarClass === true ? uncounted(found, before, nowIso) : found;
    if (isOwned(kind)) return policyStatus(report, conditions, previous);
    const { className } = this.#options;
    return instanceStatus(report, { className, conditions, previous: this.#entryIn(previous) });
  }

  /** Of a shared kind's status, only the entry of this class is ours. */
  #ownPart(kind: string, status: unknown): unknown {
    if (isOwned(kind)) return status;
    const entry = this.#entryIn(status);
    return { instances: entry === undefined ? [] : [entry] };
  }

  #entryIn(status: unknown): Instance | undefined {
    const { instances = [] } = (status ?? {}) as { readonly instances?: readonly Instance[] };
    return instances.find((instance) => instance.className === this.#options.className);
  }

  #conditionsIn(kind: string, status: unknown): readonly Condition[] {
    if (!isOwned(kind)) return this.#entryIn(status)?.conditions ?? [];
    return (status as { readonly conditions?: readonly Condition[] } | undefined)?.conditions ?? [];
  }
}
