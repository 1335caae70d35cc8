import {
  type Context,
  isSpanContextValid,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { DecisionRecord } from './decision-record.ts';
import type { CheckSpan } from './tracing.ts';

/** `postern.check` and below it `postern.phase.<name>`; attributes are the fields of the decision's record. */
export class RecordedCheck implements CheckSpan {
  readonly traceId: string | undefined;
  readonly isSampled: boolean;
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #context: Context;
  /** The phase that runs; phases do not nest. */
  #phase: Span | undefined = undefined;
  #hasEnded = false;

  constructor(tracer: Tracer, parent: Context) {
    this.#tracer = tracer;
    this.#span = tracer.startSpan('postern.check', { kind: SpanKind.SERVER }, parent);
    this.#context = trace.setSpan(parent, this.#span);
    this.isSampled = this.#span.isRecording();
    const spanContext = this.#span.spanContext();
    this.traceId = isSpanContextValid(spanContext) ? spanContext.traceId : undefined;
  }

  startPhase(name: string): void {
    if (!this.isSampled) return;
    this.#phase?.end();
    this.#phase = this.#tracer.startSpan(`postern.phase.${name}`, undefined, this.#context);
  }

  endPhase(): void {
    this.#phase?.end();
    this.#phase = undefined;
  }

  end(record: DecisionRecord | undefined, isFault: boolean): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.endPhase();
    for (const [name, value] of Object.entries(record ?? {})) {
      if (value !== undefined) this.#span.setAttribute(name, typeof value === 'object' ? [...value] : value);
    }
    if (isFault) this.#span.setStatus({ code: SpanStatusCode.ERROR });
    this.#span.end();
  }
}
