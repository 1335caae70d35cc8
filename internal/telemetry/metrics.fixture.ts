import type { Decision, Finding, PolicyRef } from '../core/decision.ts';
import { REASONS, type ReasonName } from '../core/reasons.ts';
import type { Format } from './exposition.ts';
import { Metrics, type MetricsOptions } from './metrics.ts';

export const aPolicy = (name: string, namespace = 'shop'): PolicyRef => ({
  namespace,
  name,
  uid: name,
  generation: 1,
});

export const decided = (reason: ReasonName, policy?: PolicyRef, findings: readonly Finding[] = []): Decision => ({
  outcome: REASONS[reason].kind,
  reason,
  decisionId: 'd',
  policy,
  refusal: undefined,
  findings,
  edits: { requestHeaders: [], requestHeadersToRemove: [], queryToRemove: [], responseHeaders: [] },
  answerHeaders: [],
  isGrpc: false,
});

export const aMetrics = (options: Partial<MetricsOptions> = {}): Metrics =>
  new Metrics({ version: '1.2.3', process: false, ...options });

/** The whole page. */
export async function scrape(metrics: Metrics, format: Format = 'text'): Promise<string> {
  let text = '';
  for await (const piece of metrics.scrape(format)) text += piece;
  return text;
}
