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

/** Turns what builds found into statuses and has those written that say something new; only while the lease is held. */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  readonly #writer: StatusWriter;
  #reports: readonly ObjectReport[] = [];
  /** What was last wanted for each object: a watch may show an older status than the one just written. */
  readonly #wanted = new Map<string, object>();
  #isPaused = true;

  constructor(options: StatusReporterOptions) {
    this.#options = options;
    this.#writer = new StatusWriter({ ...options, fieldManager: `postern-${options.className}` });
  }

  report(reports: readonly ObjectReport[]): void {
    this.#reports = reports;
    if (!this.#isPaused) this.#write();
  }

  resume(): void {
    this.#isPaused = false;
    this.#wanted.clear();
    this.#write();
  }

  pause(): void {
    this.#isPaused = true;
    this.#writer.clear();
  }

  stop(): void {
    this.#writer.stop();
  }

  #write(): void {
    const nowIso = `${new Date(this.#options.clock.wallMs()).toISOString().slice(0, 19)}Z`;
    const seen = new Set<string>();
    for (const report of this.#reports) {
      const { object } = report;
      const { plural } = KINDS[object.kind as KindName];
      const { namespace, name, uid } = object.metadata;
      const key = `${object.kind}/${uid}`;
      seen.add(key);
      const previous = this.#wanted.get(key) ?? object.status;
      const conditions = conditionsOf(report, this.#conditionsIn(object.kind, previous), nowIso);
      const status =
        object.kind === 'APIPolicy'
          ? policyStatus(report, conditions)
          : instanceStatus(this.#options.className, conditions);
      if (saysSame(status, this.#ownPart(object.kind, previous))) continue;
      this.#wanted.set(key, status);
      this.#writer.want({
        resource: { group: GROUP, version: VERSION, plural },
        apiVersion: API_VERSION,
        kind: object.kind,
        namespace,
        name,
        status,
      });
    }
    for (const key of this.#wanted.keys()) if (!seen.has(key)) this.#wanted.delete(key);
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
