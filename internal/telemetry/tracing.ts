import { type Context, propagation, ROOT_CONTEXT, type TextMapGetter, trace } from '@opentelemetry/api';
import type { CheckTrace } from '../policy/checked.ts';
import { RecordedCheck } from './check-span.ts';
import type { DecisionRecord } from './decision-record.ts';
import type { Log } from './log.ts';

/** Values of a name, as header fields and gRPC metadata hold them. */
export interface NamedValues {
  get(name: string): readonly unknown[] | undefined;
}

/** The span of one check; a shared object that does nothing while tracing is off. */
export interface CheckSpan extends CheckTrace {
  /** 32 hexadecimal digits; undefined while tracing is off. */
  readonly traceId: string | undefined;
  /** Whether the span is recorded: only then has its record to be made. */
  readonly isSampled: boolean;
  /** Ends the span. Later calls do nothing. */
  end(record: DecisionRecord | undefined, isFault: boolean): void;
}

export interface Tracing {
  /** @param headers of the request that is checked; `metadata` of the call about it is read where they name no trace */
  begin(headers: NamedValues | undefined, metadata: NamedValues | undefined): CheckSpan;
  /** Sends what is left, for at most this long. */
  shutdown(timeoutMs: number): Promise<void>;
}

export const NO_SPAN: CheckSpan = Object.freeze({
  traceId: undefined,
  isSampled: false,
  startPhase: () => {},
  endPhase: () => {},
  end: () => {},
});

export const TRACING_OFF: Tracing = Object.freeze({ begin: () => NO_SPAN, shutdown: () => Promise.resolve() });

type Variables = Readonly<Record<string, string | undefined>>;
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] as const;

/**
 * Tracing is on where the standard variables say where spans go: `OTEL_TRACES_EXPORTER` or an OTLP endpoint is set,
 * the exporter is not `none`, and `OTEL_SDK_DISABLED` is not `true`. An empty variable counts as unset (the
 * specification's "Environment Variable Specification").
 */
export function isTracingOn(variables: Variables): boolean {
  if (variables.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return false;
  const exporter = variables.OTEL_TRACES_EXPORTER?.trim() ?? '';
  if (exporter === 'none') return false;
  return exporter !== '' || ENDPOINTS.some((name) => (variables[name]?.trim() ?? '') !== '');
}

export interface TracingOptions {
  /** The `OTEL_*` variables of the process; the SDK reads them again by itself. */
  readonly variables: Variables;
  readonly version: string;
  readonly log: Pick<Log, 'warn'>;
}

/** Starts tracing where it is on. Nothing of the SDK is loaded while it is off. */
export async function startTracing({ variables, version, log }: TracingOptions): Promise<Tracing> {
  if (!isTracingOn(variables)) return TRACING_OFF;
  const { startSdk } = await import('./tracing-sdk.ts');
  const sdk = await startSdk({ variables, log });
  const tracer = trace.getTracer('postern', version);
  return {
    begin: (headers, metadata) => new RecordedCheck(tracer, parentOf(headers, metadata)),
    shutdown: (timeoutMs) => sdk.shutdown(timeoutMs),
  };
}

/** The trace that the checked request belongs to; what is malformed or sent twice begins a new one. */
function parentOf(headers: NamedValues | undefined, metadata: NamedValues | undefined): Context {
  const byHeaders = headers === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, headers, GETTER);
  if (metadata === undefined || trace.getSpanContext(byHeaders) !== undefined) return byHeaders;
  return propagation.extract(ROOT_CONTEXT, metadata, GETTER);
}

/** Baggage is not read: nothing here uses it, and clients choose its size. */
const GETTER: TextMapGetter<NamedValues> = {
  keys: () => [],
  get: (carrier, name) => {
    if (name === 'baggage') return undefined;
    const values = carrier.get(name);
    if (values === undefined || values.length === 0) return undefined;
    if (name === 'tracestate') return values.join(',');
    return values.length === 1 && typeof values[0] === 'string' ? values[0] : undefined;
  },
};
