// Obtains what the tests need, with progress; fast when everything is there. With CI=true a missing part is a failure.
import { obtainEnvoy } from '../../internal/envoy/obtain.ts';
import { obtainXdsProtos } from '../door/published-descriptors.ts';
import { obtainH2spec } from '../http2/h2spec.ts';
import { obtainCollector } from '../telemetry/obtain-collector.ts';
import { obtainPrometheus } from '../telemetry/obtain-prometheus.ts';
import { CACHE, type Obtained, progress } from './cache.ts';
import { obtainDebian } from './debian.ts';
import { obtainHelm } from './helm.ts';
import { obtainKubernetes } from './kubernetes.ts';

type Obtaining = readonly [name: string, obtain: () => Promise<Obtained>];

const envoy = (): Promise<Obtained> =>
  obtainEnvoy({ cacheDirectory: CACHE, searchPath: process.env.PATH ?? '', onProgress: progress });

/** Downloads, which wait for the network, beside builds, which wait for the processor: each list one after another. */
const lists: readonly (readonly Obtaining[])[] = [
  [
    ['Envoy', envoy],
    ["Envoy's published descriptors", obtainXdsProtos],
    ['Prometheus and promtool', obtainPrometheus],
    ['h2load', () => obtainDebian('h2load')],
    ['nghttp', () => obtainDebian('nghttp')],
    ['wrk', () => obtainDebian('wrk')],
    ['nginx', () => obtainDebian('nginx')],
  ],
  [
    ['kube-apiserver, etcd and kubectl', obtainKubernetes],
    ['Helm', obtainHelm],
    ['h2spec', obtainH2spec],
    ['the OpenTelemetry Collector', obtainCollector],
  ],
];

const missing: string[] = [];
await Promise.all(lists.map(obtainAll));
if (missing.length > 0 && process.env.CI === 'true') process.exitCode = 1;

async function obtainAll(list: readonly Obtaining[]): Promise<void> {
  for (const [name, obtain] of list) {
    const startMs = performance.now();
    const obtained = await obtain().catch((error: unknown) => ({ missing: String(error) }));
    const seconds = Math.round((performance.now() - startMs) / 1000);
    if ('path' in obtained) {
      progress(`${name}: ${obtained.path} (${seconds} s)`);
      continue;
    }
    missing.push(name);
    progress(`${name}: MISSING: ${obtained.missing}. Its tests are skipped.`);
  }
}
