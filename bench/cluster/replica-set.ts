import { request } from 'undici';
import { type ApiServer, startApiServer } from '../../test/components/api-server.ts';
import { obtainKubernetes } from '../../test/components/kubernetes.ts';
import { until } from '../../test/components/until.ts';
import { checkOver } from '../../test/door/client.ts';
import { type BenchServer, startPostern } from '../servers.ts';
import { anyone, createAll, EVERY_HOST } from './objects.ts';

const HOST = 'replicas.example.org';
const PATH = '/apis/postern.dev/v1alpha1/namespaces/default/apipolicies';
const REFUSED = 403;

/** One API server and agents on it, each a process of its own. */
export interface ReplicaSet {
  readonly api: ApiServer;
  readonly replicas: readonly BenchServer[];
  stop(): Promise<void>;
}

export async function startReplicas(count: number): Promise<ReplicaSet> {
  const found = await obtainKubernetes();
  if (!('path' in found)) throw new Error(found.missing);
  const api = await startApiServer(found.path);
  await api.kubectl(['apply', '-f', 'deploy/crds']);
  await until(async () => (await api.kubectl(['get', 'postern', '-A'])).code === 0, 30_000);
  const flags = ['--kube', '--kubeconfig', api.kubeconfig, '--log-level', 'info'];
  await createAll(api, [EVERY_HOST]);
  const replicas = await Promise.all(Array.from({ length: count }, () => startPostern('', flags)));
  return {
    api,
    replicas,
    async stop() {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await api.stop();
    },
  };
}

/** What a replica answers by: the policy that lets everybody in or the other one; neither while it refuses to answer. */
export async function answersBy({ target }: BenchServer): Promise<'open' | 'closed' | 'neither'> {
  const { http } = await checkOver(target, { host: HOST });
  if (http === 200) return 'open';
  return http === REFUSED ? 'closed' : 'neither';
}

/** Changes the policy by kubectl; resolves, as kubectl returns, with its new generation. */
export async function change(api: ApiServer, isOpen: boolean): Promise<number> {
  const args = ['apply', '-f', '-', '-o', 'jsonpath={.metadata.generation}'];
  const { code, stdout, stderr } = await api.kubectl(args, JSON.stringify(anyone('changing', HOST, isOpen)));
  if (code !== 0) throw new Error(stderr);
  return Number(stdout);
}

interface Conditions {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly observedGeneration: number;
    }[];
  };
}

/** Whether its status says `Programmed=True` of that generation. */
export async function isProgrammed(api: ApiServer, generation: number): Promise<boolean> {
  const { body } = await api.call('GET', `${PATH}/changing`);
  const conditions = (body as Conditions).status?.conditions ?? [];
  return conditions.some(
    ({ type, status, observedGeneration }) =>
      type === 'Programmed' && status === 'True' && observedGeneration === generation,
  );
}

export async function statusWrites({ replicas }: ReplicaSet): Promise<number> {
  let sum = 0;
  for (const { admin } of replicas) {
    const { body } = await request(`http://${admin}/metrics`);
    sum += Number(/^postern_status_writes_total\{result="success"\} (\d+)$/m.exec(await body.text())?.[1] ?? 0);
  }
  return sum;
}
