import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AgentProcess, onLoopback, startAgentProcess } from '../cli/agent-process.ts';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { checkOver, closeClients } from '../door/client.ts';
import { type Cluster, startCluster } from './cluster.ts';

const policy = (namespace: string, target: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api, namespace: ${namespace}}
spec:
  target: ${target}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
`;
const grant = (name: string, hosts: string): string => `
apiVersion: postern.dev/v1alpha1
kind: HostGrant
metadata: {name: ${name}}
spec: {hosts: ${hosts}, namespaceSelector: {matchLabels: {team: ${name}}}}
`;
const SHOPS = grant('shop', '[api.example.test]');
const OBJECTS = [
  grant('platform', '[other.example.test]'),
  SHOPS,
  policy('platform', '{hosts: [other.example.test]}'),
  policy('shop', '{hosts: [api.example.test], paths: ["/v1/**"]}'),
];
/** Of the team's part, of the rest of its host, of the platform's, and of what nobody holds, which passes here. */
const GRANTED = [200, 404, 200, 200];
const LAPSED = [404, 404, 200, 200];

const found = await obtainKubernetes();

describe('two replicas that give hosts by grants', { skip: skipWithout(found) }, () => {
  let cluster: Cluster;
  let replicas: readonly AgentProcess[] = [];

  before(async () => {
    cluster = await startCluster('path' in found ? found.path : '');
    await cluster.api.kubectl(['create', 'namespace', 'platform']);
    for (const team of ['platform', 'shop']) await label(team, team);
    for (const yaml of OBJECTS) await cluster.apply(yaml);
    replicas = [await startReplica(), await startReplica()];
  });
  after(async () => {
    closeClients();
    await Promise.all(replicas.map((replica) => replica.kill()));
    await cluster?.stop();
  });

  async function startReplica(): Promise<AgentProcess> {
    const { kubeconfig } = cluster.api.addToken('agent', ['agents']);
    const flags = ['--kube', `--kubeconfig=${kubeconfig}`, '--host-grants=required', '--unmatched=allow'];
    const replica = await startAgentProcess(onLoopback(['serve', ...flags, '--client-address=direct']));
    await replica.ready;
    return replica;
  }

  async function restartBoth(): Promise<void> {
    await Promise.all(replicas.map((replica) => replica.stop()));
    replicas = [await startReplica(), await startReplica()];
  }

  async function label(namespace: string, team: string): Promise<void> {
    const { code, stderr } = await cluster.api.kubectl([
      'label',
      'namespace',
      namespace,
      `team=${team}`,
      '--overwrite',
    ]);
    assert.equal(code, 0, stderr);
  }

  async function answersOf({ grpcAddress }: AgentProcess): Promise<readonly number[]> {
    const asked = [
      { host: 'api.example.test', path: '/v1/x' },
      { host: 'api.example.test', path: '/v2/x' },
      { host: 'other.example.test', path: '/v1/x' },
      { host: 'elsewhere.test' },
    ];
    return (await Promise.all(asked.map((input) => checkOver(grpcAddress, input)))).map(({ http }) => http);
  }

  const areAnswers = async (wanted: readonly number[]): Promise<boolean> =>
    (await Promise.all(replicas.map(answersOf))).every((answers) => String(answers) === String(wanted));

  const said = async (): Promise<string> => {
    const { Accepted, Programmed } = await cluster.statusOf('apol', 'shop/api');
    return `${Accepted}, ${Programmed}`;
  };
  const isProgrammed = async (): Promise<boolean> => (await said()) === 'True Accepted, True Programmed';
  const isLapsed = async (): Promise<boolean> => (await said()) === 'False HostNotGranted, False HostNotGranted';

  it('agree, and say Programmed', async () => {
    await until(isProgrammed);
    for (const replica of replicas) assert.deepEqual(await answersOf(replica), GRANTED);
  });

  it('deny the part of a grant that is withdrawn, and give it back with the grant', async () => {
    await cluster.api.kubectl(['delete', 'hgrant', 'shop']);
    await until(isLapsed);
    await until(() => areAnswers(LAPSED));
    await cluster.apply(SHOPS);
    await until(isProgrammed);
    for (const replica of replicas) assert.deepEqual(await answersOf(replica), GRANTED);
  });

  it('deny the part of a namespace that is relabelled out of its grant, until it is labelled as before', async () => {
    await label('shop', 'others');
    await until(isLapsed);
    await until(() => areAnswers(LAPSED));
    await label('shop', 'shop');
    await until(isProgrammed);
    for (const replica of replicas) assert.deepEqual(await answersOf(replica), GRANTED);
  });

  it('answer the same after a restart of both, whether the grant is there or gone meanwhile', async () => {
    await restartBoth();
    for (const replica of replicas) assert.deepEqual(await answersOf(replica), GRANTED);
    await Promise.all(replicas.map((replica) => replica.stop()));
    await cluster.api.kubectl(['delete', 'hgrant', 'shop']);
    replicas = [await startReplica(), await startReplica()];
    for (const replica of replicas) assert.deepEqual(await answersOf(replica), LAPSED);
    await until(isLapsed);
    await restartBoth();
    for (const replica of replicas) assert.deepEqual(await answersOf(replica), LAPSED);
    await cluster.apply(SHOPS);
    await until(isProgrammed);
    for (const replica of replicas) assert.deepEqual(await answersOf(replica), GRANTED);
  });
});
