import { obtainKubernetes } from '../../test/components/kubernetes.ts';
import { envoyBinary } from '../../test/envoy/harness.ts';
import { shippedRules, untestedAlerts } from '../../test/telemetry/alert-rules.ts';
import { emptyQueries, queryCount } from '../../test/telemetry/empty-panels.ts';
import { obtainPrometheus } from '../../test/telemetry/obtain-prometheus.ts';
import { startWatchedAgents } from '../../test/telemetry/watched-agents.ts';
import type { Figure } from '../figures.ts';

/**
 * Queries of the dashboards that a real Prometheus answers with nothing while real agents are under traffic, and alerts
 * without a promtool test that passes.
 */
export async function measureDashboards(say: (line: string) => void): Promise<Figure[]> {
  const [kubernetes, envoy, prometheus] = [await obtainKubernetes(), await envoyBinary(), await obtainPrometheus()];
  if (!('path' in kubernetes)) throw new Error(kubernetes.missing);
  if (!('path' in envoy)) throw new Error(envoy.missing);
  if (!('path' in prometheus)) throw new Error(prometheus.missing);
  const untested = untestedAlerts(prometheus.path, say);
  const agents = await startWatchedAgents({
    kubernetes: kubernetes.path,
    envoy: envoy.path,
    prometheus: prometheus.path,
  });
  const empty = await emptyQueries(agents.prometheus).finally(() => agents.stop());
  for (const { place, why } of empty) say(`  ${place}: ${why}`);
  for (const alert of untested) say(`  ${alert} is not tested`);
  return [
    {
      key: 'panels_empty',
      value: empty.length,
      unit: 'queries',
      bar: '0',
      note: `of ${queryCount()} of panels and variables`,
    },
    { key: 'alerts_untested', value: untested.length, unit: 'alerts', bar: '0', note: `of ${shippedRules().length}` },
  ];
}
