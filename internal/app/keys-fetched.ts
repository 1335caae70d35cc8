// What is counted and said of keys that are fetched: in one process by one place, with workers where each is.
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export const countKeysFetch = (metrics: Metrics, result: 'ok' | 'error'): void =>
  metrics.count('postern_keys_fetches_total', result === 'ok' ? 'success' : 'failure');

export const sayKeysFailed = (log: Log, url: string, why: string | undefined): void =>
  log.warn('Keys could not be fetched; last good ones serve, if any', { issuer: url, why });
