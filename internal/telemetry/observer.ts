import type { Attributes } from '../core/attributes.ts';
import type { Clock } from '../core/clock.ts';
import type { Checked } from '../policy/checked.ts';
import { decisionRecord } from './decision-record.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { type CheckSpan, type NamedValues, NO_SPAN, type Tracing } from './tracing.ts';

export interface ObserverOptions {
  readonly metrics: Metrics;
  readonly log: Pick<Log, 'decision' | 'error'>;
  readonly tracing: Tracing;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** 0 ≤ x < 1: which allows are logged. */
  readonly random: () => number;
}

/** One check being watched, from its arrival to its answer. */
export interface Observation {
  /** For the engine: where phases begin and end. */
  readonly span: CheckSpan;
  readonly startMs: number;
}

/**
 * What is seen of a check from outside: metrics, a span and a record. A door calls `begin` when a check arrives and
 * `finish` once, in `finally`, whatever became of it. Neither throws, and neither can change an answer.
 */
export class Observer {
  readonly #options: ObserverOptions;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /**
   * @param headers  of the checked request, for its trace
   * @param metadata of the call that asks, where the headers name no trace
   */
  begin(headers: NamedValues | undefined, metadata?: NamedValues): Observation {
    const { metrics, tracing, clock } = this.#options;
    metrics.inFlight += 1;
    return { span: this.#spanOf(tracing, headers, metadata), startMs: clock.monotonicMs() };
  }

  #spanOf(tracing: Tracing, headers: NamedValues | undefined, metadata: NamedValues | undefined): CheckSpan {
    try {
      return tracing.begin(headers, metadata);
    } catch (error) {
      this.#options.log.error('A span could not be begun', { error });
      return NO_SPAN;
    }
  }

  finish(observation: Observation, attributes: Attributes | undefined, checked: Checked): void {
    const { metrics, clock, log } = this.#options;
    metrics.inFlight -= 1;
    try {
      const durationMs = clock.monotonicMs() - observation.startMs;
      this.#record(checked, { observation, attributes, durationMs });
    } catch (error) {
      log.error('A check could not be recorded', { error });
    }
  }

  #record(checked: Checked, { observation, attributes, durationMs }: Finished): void {
    const { span } = observation;
    const { decision } = checked;
    this.#options.metrics.observeCheck(decision, durationMs / 1000, span.isSampled ? span.traceId : undefined);
    const isLogged = this.#isLogged(checked);
    if (!isLogged && !span.isSampled) {
      span.end(undefined, false);
      return;
    }
    const record = decisionRecord(checked, { attributes, traceId: span.traceId, durationMs });
    const isFault = decision.outcome === 'fault';
    span.end(record, isFault);
    if (isLogged) this.#options.log.decision(record, isFault);
  }

  /** Every denial, fault and would-deny; of allows, as many as their policy says. */
  #isLogged({ decision, policy }: Checked): boolean {
    if (decision.outcome !== 'allow' || decision.findings.length > 0) return true;
    const percent = policy?.logAllowsPercent ?? 0;
    return percent > 0 && this.#options.random() * 100 < percent;
  }
}

interface Finished {
  readonly observation: Observation;
  readonly attributes: Attributes | undefined;
  readonly durationMs: number;
}
