import { onLoopback, startAgentProcess } from '../../test/cli/agent-process.ts';
import type { ApiServer } from '../../test/components/api-server.ts';
import { checkOver } from '../../test/door/client.ts';
import { agentOf, CHART, helm, only, type Rendered } from '../../test/helm/chart.ts';
import type { Figure } from '../figures.ts';
import { withApi } from './with-api.ts';

const NAMESPACE = 'postern-system';
const VALUES = { options: { hostGrants: 'first-come' } };
/** Who has to run a command so often is not served by two of them. */
const MOST_COMMANDS = 10;
const GIVE_UP_MS = 120_000;
const CALL = { host: 'orders.example.org', path: '/v1/orders/7' };
const KEY = { 'x-api-key': 'pk_dev_partner_9c1f2e77a0b44d5f' };

/** From an empty API server to a first refused and a first allowed request, by the commands of docs/install.md. */
export const measureInstall = withApi(install, 'nothing');

async function install(api: ApiServer, say: (line: string) => void): Promise<Figure[]> {
  const startMs = performance.now();
  let commands = 1;
  const args = ['install', 'postern', CHART, '--namespace', NAMESPACE, '--create-namespace'];
  const installed = await helm(args, { values: VALUES, kubeconfig: api.kubeconfig });
  if (installed.code !== 0) throw new Error(installed.stderr);
  // A Pod is started while whoever installs goes on.
  const starting = startPod(api);
  for (;;) {
    commands += 1;
    const { code, stderr } = await api.kubectl(['apply', '-f', 'policies/orders.yaml']);
    if (code === 0) break;
    say(`  kubectl apply: ${stderr.trim().split('\n').at(-1)}`);
    if (commands === MOST_COMMANDS) throw new Error(stderr);
  }
  const agent = await starting;
  const answered = async (headers: Readonly<Record<string, string>>, wanted: number): Promise<void> => {
    while ((await checkOver(agent.grpcAddress, { ...CALL, headers })).http !== wanted)
      if (performance.now() - startMs > GIVE_UP_MS) throw new Error(`No answer was ${wanted}`);
  };
  await answered({}, 401);
  await answered(KEY, 200);
  const seconds = Math.round((performance.now() - startMs) / 100) / 10;
  await agent.stop();
  return [
    { key: 'install_commands', value: commands, unit: 'commands', bar: '<= 3', note: 'helm install, kubectl apply' },
    {
      key: 'install_s',
      value: seconds,
      unit: 's',
      bar: '<= 60',
      note: 'to the first 401 and the first 200 of an agent with the arguments and the account of the release; no image is pulled',
    },
  ];
}

/** What a kubelet would do: the container's arguments, as the API server has them, with the token of its account. */
async function startPod(api: ApiServer) {
  const { body } = await api.call('GET', `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/postern`);
  const deployment = { ...(body as Omit<Rendered, 'kind'>), kind: 'Deployment' } as Rendered;
  const account = only([deployment], 'Deployment').spec.template.spec.serviceAccountName as string;
  const { stdout } = await api.kubectl(['create', 'token', account, '-n', NAMESPACE]);
  const kubeconfig = api.kubeconfigFor(account, stdout.trim());
  await api.kubectl(['config', 'set-context', 'test', `--namespace=${NAMESPACE}`, '--kubeconfig', kubeconfig]);
  const args = [...(agentOf([deployment]).args as string[]), `--kubeconfig=${kubeconfig}`];
  return startAgentProcess(onLoopback(args), {}, 'dist/cmd/postern/main.js');
}
