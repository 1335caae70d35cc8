import type { Clock } from '../core/clock.ts';
import type { GrpcDoor } from '../extauthz/grpc-door.ts';
import type { Snapshot } from '../policy/snapshot.ts';
import type { Build, ObjectReport } from '../policy/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { LoadedPolicies } from '../telemetry/policy-rows.ts';
import type { PolicySourceAdapter } from './source.ts';

/** Whether the instance should get checks: it serves a snapshot, and does not drain. */
export class Readiness {
  door: Pick<GrpcDoor, 'setServing'> | undefined = undefined;
  isDraining = false;
  reports: readonly ObjectReport[] = [];
  readonly #clock: Clock;
  readonly #source: Pick<PolicySourceAdapter, 'notReady' | 'awaited'> | undefined;
  #builtMs: number | undefined = undefined;
  #isOpen = false;
  readonly #first = Promise.withResolvers<void>();

  constructor(clock: Clock, source?: Pick<PolicySourceAdapter, 'notReady' | 'awaited'>) {
    this.#clock = clock;
    this.#source = source;
  }

  get first(): Promise<void> {
    return this.#first.promise;
  }

  why(): string | undefined {
    if (this.isDraining) return 'draining';
    const why = this.#source?.notReady?.();
    if (why !== undefined) return why;
    if (this.#isOpen) return undefined;
    const awaited = this.#source?.awaited?.();
    return awaited === undefined ? 'no snapshot yet' : `no snapshot yet: ${awaited}`;
  }

  ageSeconds(): number | undefined {
    return this.#builtMs === undefined ? undefined : (this.#clock.monotonicMs() - this.#builtMs) / 1000;
  }

  built(
    build: Build,
    { registry, source }: { readonly registry: Metrics; readonly source: PolicySourceAdapter },
  ): void {
    const isFirst = this.#builtMs === undefined;
    this.#builtMs = this.#clock.monotonicMs();
    this.reports = build.reports;
    registry.snapshotBuilt('success', build.tookMs / 1000);
    const counts = { accepted: 0, last_good: 0, rejected: 0 };
    for (const { object, isAccepted, servesLastGood } of build.reports) {
      if (object.kind !== 'APIPolicy') continue;
      counts[isAccepted ? 'accepted' : servesLastGood ? 'last_good' : 'rejected'] += 1;
    }
    registry.set('postern_policies', counts.accepted, 'accepted');
    registry.set('postern_policies', counts.last_good, 'last_good');
    registry.set('postern_policies', counts.rejected, 'rejected');
    registry.set('postern_baselines_unaccepted', build.reports.filter(isWithoutEffect).length);
    registry.setPolicies(servedBy(build.snapshot));
    source.report(build);
    if (!isFirst) return;
    // In a cluster the first snapshot waits until the other replicas know of this one.
    if (source.admitted === undefined) this.#open();
    else void source.admitted.then(() => this.#open());
  }

  #open(): void {
    this.#isOpen = true;
    if (!this.isDraining) this.door?.setServing(true);
    this.#first.resolve();
  }
}

/** A baseline of which no spec was ever accepted. */
const isWithoutEffect = ({ object, isAccepted, servesLastGood }: ObjectReport): boolean =>
  object.kind === 'APIBaseline' && !isAccepted && !servesLastGood;

/** The policies that a snapshot serves. */
export const servedBy = ({ named }: Snapshot): LoadedPolicies => ({
  has: (name) => named.get(name)?.policy !== undefined,
});
