import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { socketAddress } from '../../internal/envoy/cluster.ts';
import { AUTHORIZATION } from '../../internal/extauthz/grpc-door.ts';
import type { ApiServer } from '../../test/components/api-server.ts';
import { freePort } from '../../test/components/free-port.ts';
import { until } from '../../test/components/until.ts';
import { envoyBinary, startFront } from '../../test/envoy/harness.ts';
import type { Figure } from '../figures.ts';
import { type BenchServer, startPostern } from '../servers.ts';
import { anyone, createAll } from './objects.ts';
import { withApi } from './with-api.ts';

const RESTARTS = 20;
const CALLERS = 8;

/** Two static endpoints, each asked for its health every second, as Envoy is told where nobody tells it of Pods. */
const twoReplicas = (ports: readonly number[]): Readonly<Record<string, unknown>> => ({
  load_assignment: {
    cluster_name: 'agent',
    endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: socketAddress('127.0.0.1', port) } })) }],
  },
  health_checks: [
    {
      timeout: '1s',
      interval: '1s',
      // Else the first minute of a cluster that was not asked yet goes by without a look.
      no_traffic_interval: '1s',
      unhealthy_threshold: 1,
      healthy_threshold: 1,
      grpc_health_check: { service_name: AUTHORIZATION },
    },
  ],
});

/** Restarts two replicas in turn under load, and counts what a client of Envoy's was not answered with 200. */
export const measureRestarts = withApi(restarts);

async function restarts(api: ApiServer, say: (line: string) => void): Promise<Figure[]> {
  const envoy = await envoyBinary();
  if (!('path' in envoy)) throw new Error(envoy.missing);
  await createAll(api, [anyone('restarts', 'restarts.example.org', true)]);
  const ports = [await freePort(), await freePort()];
  const start = (port: number): Promise<BenchServer> =>
    startPostern('', ['--kube', '--kubeconfig', api.kubeconfig, '--grpc-addr', `127.0.0.1:${port}`]);
  const replicas = await Promise.all(ports.map(start));
  const front = await startFront(envoy.path, replicas[0]?.target, { agentFields: twoReplicas(ports) });
  const areHealthy = async (): Promise<boolean> =>
    (await front.envoy.stat('cluster.agent.membership_healthy')) === ports.length;
  await until(areHealthy, 30_000);
  const pool = new Pool(`http://127.0.0.1:${front.port}`, { connections: CALLERS });
  let isOver = false;
  let answers = 0;
  const failures = new Map<string, number>();
  const call = async (): Promise<void> => {
    while (!isOver) {
      const said = await pool
        .request({ path: '/', method: 'GET', headers: { host: 'restarts.example.org' } })
        .then(async ({ statusCode, body }) => {
          await body.dump();
          return String(statusCode);
        })
        .catch((error: Error) => error.message);
      answers += 1;
      if (said !== '200') failures.set(said, (failures.get(said) ?? 0) + 1);
      await wait(5);
    }
  };
  const calling = Promise.all(Array.from({ length: CALLERS }, call));
  for (let i = 0; i < RESTARTS; i += 1) {
    const which = i % ports.length;
    await replicas[which]?.drain();
    replicas[which] = await start(ports[which] ?? 0);
    await until(areHealthy, 30_000);
  }
  isOver = true;
  await calling;
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
  say(`  ${answers} answers over ${RESTARTS} restarts; failed: ${JSON.stringify(Object.fromEntries(failures))}`);
  await pool.close();
  await front.stop();
  for (const replica of replicas) await replica.stop();
  return [
    {
      key: 'restart_failed',
      value: failed,
      unit: 'requests',
      bar: '0',
      note: `${RESTARTS} restarts, ${answers} requests`,
    },
  ];
}
