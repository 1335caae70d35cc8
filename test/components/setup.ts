// Obtains what the tests need, with progress; fast when everything is there. With CI=true a missing part is a failure.
import { obtainEnvoy } from '../../internal/envoy/obtain.ts';
import { obtainCollector } from '../telemetry/obtain-collector.ts';
import { obtainPrometheus } from '../telemetry/obtain-prometheus.ts';
import { CACHE, progress } from './cache.ts';
import { obtainKubernetes } from './kubernetes.ts';

const parts = {
  Envoy: () => obtainEnvoy({ cacheDirectory: CACHE, searchPath: process.env.PATH ?? '', onProgress: progress }),
  'Prometheus and promtool': obtainPrometheus,
  'the OpenTelemetry Collector': obtainCollector,
  'kube-apiserver, etcd and kubectl': obtainKubernetes,
};
let missing = 0;
for (const [name, obtain] of Object.entries(parts)) {
  const startMs = performance.now();
  const obtained = await obtain();
  if ('path' in obtained) progress(`${name}: ${obtained.path} (${Math.round((performance.now() - startMs) / 1000)} s)`);
  else {
    missing += 1;
    progress(`${name}: MISSING: ${obtained.missing}. Its tests are skipped.`);
  }
}
if (missing > 0 && process.env.CI === 'true') process.exit(1);
