import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../core/clock.ts';
import { API_VERSION, GROUP, KINDS, type KindName, VERSION } from '../policy/resource/kinds.ts';
import type { ObjectReport } from '../policy/store.ts';
import { type Condition, conditionsOf, instanceStatus, policyStatus, saysSame } from './conditions.ts';
import { StatusWriter } from './status-writer.ts';

export interface StatusReporterOptions {
  readonly config: KubeConfig;
  readonly className: string;
  readonly clock: Clock;
  readonly onWrite: (result: 'success' | 'failure', why?: string) => void;
}

/** Longest stretch of work between two turns of the event loop. */
const SLICE_MS = 4;

/** What a report says, without working out the status: the same words make the same status. */
function wordsOf({ object, isAccepted, servesLastGood, problems, hosts }: ObjectReport): string {
  const said = problems.length === 0 ? '' : JSON.stringify(problems);
  return `${object.metadata.generation}/${isAccepted}/${servesLastGood}/${hosts.join(' ')}/${said}`;
}

/** Turns what builds found into statuses and has those written that say something new; only while the lease is held. */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  readonly #writer: StatusWriter;
  #reports: readonly ObjectReport[] = [];
  /** What was last wanted for each object: a watch may show an older status than the one just written. */
  readonly #wanted = new Map<string, { readonly says: string; readonly status: object }>();
  #isPaused = true;
  /** Counts up with every new set of reports, so that an older one stops being written. */
  #round = 0;

  constructor(options: StatusReporterOptions) {
    this.#options = options;
    this.#writer = new StatusWriter({ ...options, fieldManager: `postern-${options.className}` });
  }

  report(reports: readonly ObjectReport[]): void {
    this.#reports = reports;
    if (!this.#isPaused) void this.#write();
  }

  resume(): void {
    this.#isPaused = false;
    this.#wanted.clear();
    void this.#write();
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
  async #write(): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    const reports = this.#reports;
    const nowIso = `${new Date(this.#options.clock.wallMs()).toISOString().slice(0, 19)}Z`;
    const seen = new Set<string>();
    let startMs = this.#options.clock.monotonicMs();
    for (const report of reports) {
      if (this.#options.clock.monotonicMs() - startMs > SLICE_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        startMs = this.#options.clock.monotonicMs();
        if (round !== this.#round || this.#isPaused) return;
      }
      seen.add(this.#writeOne(report, nowIso));
    }
    for (const key of this.#wanted.keys()) if (!seen.has(key)) this.#wanted.delete(key);
  }

  #writeOne(report: ObjectReport, nowIso: string): string {
    const { object } = report;
    const { plural } = KINDS[object.kind as KindName];
    const { namespace, name, uid } = object.metadata;
    const key = `${object.kind}/${uid}`;
    const says = wordsOf(report);
    const known = this.#wanted.get(key);
    if (known?.says === says) return key;
    const previous = known?.status ?? object.status;
    const conditions = conditionsOf(report, this.#conditionsIn(object.kind, previous), nowIso);
    const status =
      object.kind === 'APIPolicy'
        ? policyStatus(report, conditions)
        : instanceStatus(this.#options.className, conditions);
    this.#wanted.set(key, { says, status });
    if (saysSame(status, this.#ownPart(object.kind, previous))) return key;
    const resource = { group: GROUP, version: VERSION, plural };
    this.#writer.want({ resource, apiVersion: API_VERSION, kind: object.kind, namespace, name, status });
    return key;
  }

  /** Of a shared kind's status, only the entry of this class is ours. */
  #ownPart(kind: string, status: unknown): unknown {
    if (kind === 'APIPolicy') return status;
    const instances = (status as { instances?: { className: string }[] } | undefined)?.instances ?? [];
    return { instances: instances.filter((instance) => instance.className === this.#options.className) };
  }

  #conditionsIn(kind: string, status: unknown): readonly Condition[] {
    const own = this.#ownPart(kind, status) as
      | { conditions?: Condition[]; instances?: { conditions?: Condition[] }[] }
      | undefined;
    return own?.conditions ?? own?.instances?.[0]?.conditions ?? [];
  }
}
