import type { KubeConfig } from '@kubernetes/client-node';
import { breather } from '../core/breather.ts';
import type { Clock } from '../core/clock.ts';
import { API_VERSION, GROUP, KINDS, type KindName, VERSION } from '../policy/resource/kinds.ts';
import type { ObjectReport } from '../policy/store.ts';
import { conditionsOf, instanceStatus, policyStatus, saysSame } from './conditions.ts';
import { localLimits, replicasSaid } from './local-limits.ts';
import type { Programming } from './programming.ts';
import { conditionsIn, entryIn, isOwned, ownPart } from './status-entry.ts';
import { StatusWriter, type WriteTroubles } from './status-writer.ts';
import { systemTimers, type Timers } from './timers.ts';
import { uncounted } from './uncounted.ts';
import { isSameGiven, type Wanted, wordsOf } from './wanted-status.ts';

export interface StatusReporterOptions {
  readonly config: KubeConfig;
  readonly className: string;
  /** Its sidecars write nothing, so nobody knows how many of them serve what. */
  readonly isSidecarClass?: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timers?: Timers;
  /** Whether other replicas serve what this one does; without it this one is alone. */
  readonly programming?: Programming;
  /** Whether this replica is the one that writes, asked right before each write. */
  readonly mayWrite?: () => boolean;
  /** Policies wait for somebody who may not be alive any more: told each second. */
  readonly onAwaiting?: () => void;
  readonly onWrite: (result: 'success' | 'failure', why?: string) => void;
  readonly troubles?: WriteTroubles;
}

/** Accepted, and not served by all who are alive. */
interface Awaited {
  readonly report: ObjectReport;
  readonly sinceMs: number;
}

/** What a status is made of besides its report. */
interface About {
  readonly previous: unknown;
  readonly nowIso: string;
  readonly isAwaited: boolean;
}

/** What is served everywhere so soon is written once; what takes longer is said to be on its way. */
const PATIENCE_MS = 1000;
/** What replicas tell together is looked at together. */
const SOON_MS = 20;

/** Turns what builds found into statuses and has those written that say something new; only while the lease is held. */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  readonly #writer: StatusWriter;
  readonly #wanted = new Map<string, Wanted>();
  readonly #timers: Timers;
  readonly #awaited = new Map<string, Awaited>();
  #cancelLook: (() => void) | undefined = undefined;
  #isLookSoon = false;
  #reports: readonly ObjectReport[] = [];
  #isPaused = true;
  /** Counts up with every new set of reports, so that an older one stops being written. */
  #round = 0;

  constructor(options: StatusReporterOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
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
    this.#options.programming?.forget();
    void this.#writeAll();
  }

  /** Replicas serve something else than before, or are others. */
  replicasChanged(): void {
    this.#options.programming?.changed();
    if (!this.#isPaused && this.#awaited.size > 0) this.#lookIn(SOON_MS);
  }

  pause(): void {
    this.#isPaused = true;
    this.#forgetAwaited();
    this.#writer.clear();
  }

  stop(): void {
    this.#isPaused = true;
    this.#forgetAwaited();
    this.#writer.stop();
  }

  #lookIn(ms: number): void {
    const isSoon = ms === SOON_MS;
    if (this.#cancelLook !== undefined && (this.#isLookSoon || !isSoon)) return;
    this.#cancelLook?.();
    this.#isLookSoon = isSoon;
    this.#cancelLook = this.#timers.after(ms, () => {
      this.#cancelLook = undefined;
      void this.#look();
    });
  }

  /** Looks again at what is awaited, a few at a time. */
  async #look(): Promise<void> {
    this.#options.onAwaiting?.();
    const breathe = breather(this.#options.clock);
    const nowIso = this.#nowIso();
    const round = this.#round;
    for (const { report } of this.#awaited.values()) {
      await breathe();
      // Somebody looks at all of them, or nobody does any more.
      if (round !== this.#round || this.#isPaused) return;
      this.#writeOne(report, nowIso);
    }
    if (this.#awaited.size > 0) this.#lookIn(PATIENCE_MS);
  }

  #forgetAwaited(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    this.#awaited.clear();
  }

  #nowIso(): string {
    return `${new Date(this.#options.clock.wallMs()).toISOString().slice(0, 19)}Z`;
  }

  /** Looks at every report, a few at a time: checks come first. */
  async #writeAll(): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    const breathe = breather(this.#options.clock);
    const nowIso = this.#nowIso();
    const seen = new Set<string>();
    for (const report of this.#reports) {
      await breathe();
      if (round !== this.#round || this.#isPaused) return;
      seen.add(this.#writeOne(report, nowIso));
    }
    for (const key of this.#wanted.keys()) if (!seen.has(key)) this.#wanted.delete(key);
    for (const key of this.#awaited.keys()) if (!seen.has(key)) this.#awaited.delete(key);
    this.#options.programming?.keepOnly(this.#reports);
    if (this.#awaited.size > 0) this.#lookIn(PATIENCE_MS);
  }

  #writeOne(report: ObjectReport, nowIso: string): string {
    const { object } = report;
    const { namespace, name, uid, generation, resourceVersion } = object.metadata;
    const key = `${object.kind}/${uid}`;
    const standing = this.#standingOf(key, report);
    // What serves everywhere in a moment is written once, as such.
    if (standing === 'settling') return key;
    const words = `${wordsOf(report)}/${standing}`;
    const known = this.#wanted.get(key);
    const isKnown = known?.words === words && isSameGiven(known.given, report.given);
    if (isKnown && known.comparedVersion === resourceVersion) return key;
    const status = isKnown
      ? known.status
      : this.#statusOf(report, {
          previous: known?.status ?? object.status,
          nowIso,
          isAwaited: standing === 'awaited',
        });
    this.#wanted.set(key, { words, given: report.given, status, comparedVersion: resourceVersion });
    if (saysSame(status, ownPart(object.kind, object.status, this.#options.className))) return key;
    const resource = { group: GROUP, version: VERSION, plural: KINDS[object.kind as KindName].plural };
    const about = { kind: object.kind, namespace, name, uid, generation, resourceVersion };
    this.#writer.want({ resource, apiVersion: API_VERSION, ...about, status });
    return key;
  }

  /** Whether all replicas serve what this one does: `awaited` when that takes longer than a moment. */
  #standingOf(key: string, report: ObjectReport): 'told' | 'settling' | 'awaited' {
    const { programming, clock } = this.#options;
    const mustServe = report.object.kind === 'APIPolicy' && report.isAccepted && !report.isShadowed;
    if (programming !== undefined && !mustServe) programming.withdraw(report);
    if (programming === undefined || !mustServe || !programming.isAwaited(report)) {
      this.#awaited.delete(key);
      return 'told';
    }
    const known = this.#awaited.get(key);
    const isSame = known?.report.object.metadata.generation === report.object.metadata.generation;
    const sinceMs = known !== undefined && isSame ? known.sinceMs : clock.monotonicMs();
    this.#awaited.set(key, { report, sinceMs });
    return clock.monotonicMs() - sinceMs < PATIENCE_MS ? 'settling' : 'awaited';
  }

  #statusOf(report: ObjectReport, { previous, nowIso, isAwaited }: About): object {
    const { kind } = report.object;
    const { className, programming } = this.#options;
    const before = conditionsIn(kind, previous, className);
    const replicas = replicasSaid(before, report) ?? programming?.replicas ?? 1;
    const limits = localLimits(report, replicas);
    const said = limits === undefined ? report : { ...report, problems: [...report.problems, limits] };
    const found = conditionsOf(said, before, nowIso, isAwaited ? programming?.text(report) : undefined);
    const conditions = this.#options.isSidecarClass === true ? uncounted(found, before, nowIso) : found;
    if (isOwned(kind)) return policyStatus(report, conditions, previous);
    return instanceStatus(report, { className, conditions, previous: entryIn(previous, className) });
  }
}
