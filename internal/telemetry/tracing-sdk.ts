import { context, DiagLogLevel, diag, propagation, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { Log } from './log.ts';

export interface Sdk {
  shutdown(timeoutMs: number): Promise<void>;
}

/** Where a resource's attributes come from; not the process detector: it would send the command line away. */
const DETECTORS = 'env,host,serviceinstance';
const DETECTORS_VARIABLE = 'OTEL_NODE_RESOURCE_DETECTORS';

export interface SdkOptions {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly log: Pick<Log, 'warn'>;
}

/** Starts the SDK for spans alone, as the `OTEL_*` variables say. Loaded only while tracing is on: it costs 78 MB. */
export async function startSdk({ variables, log }: SdkOptions): Promise<Sdk> {
  process.env[DETECTORS_VARIABLE] ??= DETECTORS;
  const isNamed = /(^|,)\s*service\.name=/.test(variables.OTEL_RESOURCE_ATTRIBUTES ?? '');
  const hasName = isNamed || (variables.OTEL_SERVICE_NAME ?? '') !== '';
  const sdk = new NodeSDK({
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
    ...(!hasName && { serviceName: 'postern' }),
  });
  sayProblems(log);
  sdk.start();
  return {
    shutdown: async (timeoutMs) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      const flushed = sdk.shutdown().catch((error: unknown) => log.warn('Spans could not be sent', { error }));
      await Promise.race([flushed, promise]);
      clearTimeout(timer);
      for (const api of [trace, propagation, context, diag]) api.disable();
    },
  };
}

/** What the SDK has to say goes through the log, not to the terminal. */
function sayProblems(log: Pick<Log, 'warn'>): void {
  const warn = (message: string, ...details: unknown[]): void => log.warn(`Tracing: ${message}`, { details });
  const silent = (): void => {};
  diag.setLogger(
    { error: warn, warn, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
