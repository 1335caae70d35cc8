import type { Evaluation, Step } from '../../core/evaluation.ts';
import type { CompiledLimit, Stage } from './compile.ts';
import type { CounterStore } from './counter-store.ts';
import { RecentChecks } from './recent-checks.ts';
import { StageStep } from './stage-step.ts';

/** What limits need of their instance. */
export interface RateLimitPorts {
  /** Where shared counters live; the local store where the instance has no other. */
  readonly shared: CounterStore;
  /** Where the instance's own counters live: in its one process, or in its workers. */
  readonly local: CounterStore;
  /** Where limits with `LocalShare` count while their store cannot answer: this process's own memory. */
  readonly spare: CounterStore;
  readonly recent: RecentChecks;
}

export const createRateLimitPorts = (local: CounterStore, shared: CounterStore = local): RateLimitPorts => ({
  shared,
  local,
  spare: local.spare ?? local,
  recent: new RecentChecks(),
});

/**
 * The step of one stage: all its limits are taken or none. Limits in Audit count for themselves, each apart.
 *
 * @returns undefined when the stage has no limit
 */
export function rateLimitStep(limits: readonly CompiledLimit[], stage: Stage, ports: RateLimitPorts): Step | undefined {
  const own = limits.filter((limit) => limit.stage === stage);
  if (own.length === 0) return undefined;
  const step = new StageStep(own, stage, ports);
  // Only what is presented can be guessed: a request without credential fails for free.
  if (stage !== 'AuthenticationFailure') return (evaluation) => step.run(evaluation);
  return (evaluation) => (presentsCredential(evaluation) ? step.run(evaluation) : undefined);
}

const presentsCredential = ({ credential, rejection }: Evaluation): boolean =>
  credential !== undefined || rejection !== undefined;
