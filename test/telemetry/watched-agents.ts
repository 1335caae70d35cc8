import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startOidcProvider } from '../components/oidc-provider.ts';
import { issue } from '../door/certificates.ts';
import { type Front, startFront, startTestAgent, type TestAgent } from '../envoy/harness.ts';
import { type Cluster, startCluster } from '../kube/cluster.ts';
import { startPool } from '../workers/pool-process.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';
import {
  AUDIENCE,
  type Credentials,
  KEY_POLICIES,
  SCOPE,
  sendRound,
  tokenPolicies,
  watchedReasons,
} from './watched-traffic.ts';

/** Folders or paths of the components. */
export interface Binaries {
  readonly kubernetes: string;
  readonly envoy: string;
  readonly prometheus: string;
}

/** A Prometheus that scrapes agents under traffic. */
export interface WatchedAgents {
  readonly prometheus: Prometheus;
  /** Reasons that the traffic brings about. */
  readonly reasons: readonly string[];
  stop(): Promise<void>;
}

/** Labels of the targets: only one has a namespace, as without an operator. */
export const TARGETS = {
  kube: { job: 'postern', namespace: 'infra' },
  files: { job: 'files' },
  certificates: { job: 'certificates' },
  workers: { job: 'workers' },
} as const;

const ROUND_MS = 200;

/**
 * A real Prometheus over real agents: one on an API server, one on files, each behind an Envoy and under requests that
 * end in every phase, one with certificates, and one of several processes. Where policies come from an API server on loopback no keys may be
 * fetched from there, so tokens are the other agent's.
 */
export async function startWatchedAgents(binaries: Binaries): Promise<WatchedAgents> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.toReversed()) await end();
  };
  const started = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const part = await starting;
    stops.push(() => part.stop());
    return part;
  };
  try {
    const credentials = await startIssuers(stops);
    const cluster = await started(startCluster(binaries.kubernetes));
    await cluster.apply(KEY_POLICIES);
    const kube = await cluster.agent();
    const files = await started(startTestAgent(`${KEY_POLICIES}---\n${tokenPolicies(credentials)}`));
    const certificates = await started(startWithCertificates());
    const workers = await started(startPool(KEY_POLICIES));
    const jobs = [
      { ...TARGETS.kube, target: addressOf(kube) },
      { ...TARGETS.files, target: addressOf(files) },
      { ...TARGETS.certificates, target: addressOf(certificates) },
      { ...TARGETS.workers, target: workers.adminAddress },
    ];
    const prometheus = await started(startPrometheus(join(binaries.prometheus, 'prometheus'), jobs));
    const [a, b] = [await started(frontOf(binaries, kube)), await started(frontOf(binaries, files))];
    stops.push(
      keepBusy(async (round) => {
        await Promise.all([sendRound(a.port), sendRound(b.port, credentials), changePolicy(cluster, round)]);
      }),
    );
    return { prometheus, reasons: watchedReasons(credentials), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Paths come to the agent as the client wrote them. */
const frontOf = ({ envoy }: Binaries, { grpcAddress }: TestAgent): Promise<Front> =>
  startFront(envoy, grpcAddress, { timeoutMs: 5000, paths: 'off' });

async function startIssuers(stops: (() => Promise<unknown>)[]): Promise<Credentials> {
  const provider = await startOidcProvider({ audience: AUDIENCE, scopes: `${SCOPE} other` });
  stops.push(() => provider.stop());
  const hanging = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  stops.push(async () => {
    hanging.close();
    hanging.closeAllConnections();
  });
  return {
    issuer: provider.issuer,
    goodToken: await provider.token(SCOPE),
    poorToken: await provider.token('other'),
    hangingIssuer: `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`,
  };
}

/** An agent that has certificates, which nobody asks anything. */
async function startWithCertificates(): Promise<TestAgent> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-watched-'));
  const { certificate, privateKey } = issue({ name: 'door' });
  const [cert, key, ca] = ['tls.crt', 'tls.key', 'ca.crt'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(cert, certificate);
  writeFileSync(key, privateKey);
  writeFileSync(ca, issue({ name: 'authority', isCa: true }).certificate);
  const agent = await startTestAgent('', { 'tls-cert': cert, 'tls-key': key, 'client-ca': ca });
  return {
    ...agent,
    async stop() {
      await agent.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const addressOf = ({ adminAddress }: TestAgent): string =>
  adminAddress.kind === 'tcp' ? `127.0.0.1:${adminAddress.port}` : '';

/** Makes the agent build a snapshot and write a status. */
async function changePolicy({ api }: Cluster, round: number): Promise<void> {
  const spec = { auditLog: { allows: { percent: round % 100 } } };
  const path = '/apis/postern.dev/v1alpha1/namespaces/shop/apipolicies/limited';
  const { status } = await api.call('PATCH', path, { spec }, { contentType: 'application/merge-patch+json' });
  if (status !== 200) throw new Error(`A policy could not be changed: ${status}`);
}

/** Does something round after round; ends when it is told to. */
function keepBusy(act: (round: number) => Promise<void>): () => Promise<void> {
  let isOver = false;
  const running = (async () => {
    for (let round = 0; !isOver; round += 1) {
      await act(round);
      await wait(ROUND_MS);
    }
  })();
  // Who stops it hears of it.
  running.catch(() => undefined);
  return () => {
    isOver = true;
    return running;
  };
}
