import { systemClock } from '../../internal/core/clock.ts';
import { Metrics } from '../../internal/telemetry/metrics.ts';
import { Observer, type ObserverOptions } from '../../internal/telemetry/observer.ts';
import { NO_SPAN, TRACING_OFF } from '../../internal/telemetry/tracing.ts';
import { AT_ONCE, type Fault, type FaultCase, failing, put } from './fault.ts';

/** What tells of checks. It must not make a refusal an allow; whatever fails in it, the refusal stays. */
const WATCH: ObserverOptions = {
  metrics: new Metrics({ version: 'x', process: false }),
  log: { decision: () => undefined, error: () => undefined },
  tracing: TRACING_OFF,
  clock: systemClock,
  random: () => 0,
};
class FailingMetrics extends Metrics {
  readonly #fail: () => never;
  constructor(fault: Fault) {
    super({ version: 'x', process: false });
    this.#fail = failing(fault);
  }
  override observeCheck(): void {
    this.#fail();
  }
}

type Broken = (fail: () => never, fault: Fault) => Partial<ObserverOptions>;
const span = (fails: object) => ({ ...NO_SPAN, isSampled: true, ...fails });
const tracing = (fails: object) => ({ ...TRACING_OFF, begin: () => span(fails) });
const TELLERS: Readonly<Record<string, { readonly broken: Broken; readonly becomes?: number }>> = {
  metrics: { broken: (_fail, fault) => ({ metrics: new FailingMetrics(fault) }) },
  log: { broken: (fail) => ({ log: { decision: fail, error: () => undefined } }) },
  'log of faults': { broken: (fail) => ({ log: { decision: fail, error: fail } }), becomes: 500 },
  'begin of a span': { broken: (fail) => ({ tracing: { ...TRACING_OFF, begin: fail } }) },
  'end of a span': { broken: (fail) => ({ tracing: tracing({ end: fail }) }) },
  'phases of a span': { broken: (fail) => ({ tracing: tracing({ startPhase: fail, endPhase: fail }) }), becomes: 500 },
  'clock of the observer': { broken: (fail) => ({ clock: { monotonicMs: fail } }), becomes: 500 },
};
const tellers: FaultCase[] = Object.entries(TELLERS).flatMap(([what, { broken, becomes = 401 }]) =>
  put({
    at: `telling: ${what}`,
    faults: AT_ONCE,
    asks: 'wrong',
    becomes,
    parts: (fault) => ({ observer: new Observer({ ...WATCH, ...broken(failing(fault), fault) }) }),
  }),
);
/** The phases of a span stand between the steps of a check that would be allowed. */
const spans: FaultCase[] = (['startPhase', 'endPhase'] as const).flatMap((member) =>
  (['key', 'token'] as const).flatMap((asks) =>
    put({
      at: 'telling: phases of a span',
      faults: AT_ONCE,
      asks,
      becomes: 500,
      parts: (fault) => ({ observer: new Observer({ ...WATCH, tracing: tracing({ [member]: failing(fault) }) }) }),
    }),
  ),
);
const observers: FaultCase[] = (['begin', 'finish'] as const).flatMap((member) =>
  put({
    at: 'observer',
    faults: AT_ONCE,
    becomes: 500,
    parts: (fault) => ({ observer: Object.assign(new Observer(WATCH), { [member]: failing(fault) }) }),
  }),
);

export const TELLING_FAULTS: readonly FaultCase[] = [...tellers, ...spans, ...observers];
