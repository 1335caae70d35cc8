import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { request } from 'undici';
import { parse } from 'yaml';
import { type AgentProcess, onLoopback, startAgentProcess } from '../cli/agent-process.ts';
import { type ApiServer, startApiServer } from '../components/api-server.ts';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { checkOver, closeClients } from '../door/client.ts';
import { envoyBinary, type Front, send, startFront } from '../envoy/harness.ts';
import { CHART, helm, obtainedHelm, only, render } from '../helm/chart.ts';
import { type Container, PodVolumes, startSidecar } from './sidecar.ts';

const obtainedKubernetes = await obtainKubernetes();
const foundEnvoy = await envoyBinary();
const PAGE = readFileSync(join(import.meta.dirname, '../../docs/sidecars.md'), 'utf8');
const KEY = 'a-key-of-the-guide-0123456789';
const NAMES = { className: 'sidecar', account: 'app' };

const blocks = (language: string): string[] =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, text]) => text ?? '');
const yaml = (begin: RegExp): string => blocks('yaml').find((text) => begin.test(text)) ?? assert.fail(String(begin));
/** The lines of a block of commands, each as words. */
const commands = (begin: string): string[][] =>
  (blocks('sh').find((text) => text.startsWith(begin)) ?? assert.fail(begin))
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map((word) => word.replace(/^'(.*)'$/, '$1')));

const POLICIES = yaml(/kind: APIPolicy/).replace(/sha256: [0-9a-f]{64}/, `sha256: ${hash('sha256', KEY, 'hex')}`);
const MORE = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: batch, namespace: shop}
spec:
  className: sidecar
  target: {workloadSelector: {matchLabels: {app: batch}}}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: hosts, namespace: shop}
spec:
  className: sidecar
  target: {hosts: [orders.example.org]}
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: stored, namespace: shop}
spec: {keys: [{name: k, secretRef: {name: stored, key: plain}}]}
`;

describe('docs/sidecars.md', {
  skip: skipWithout(obtainedKubernetes) || skipWithout(obtainedHelm) || skipWithout(foundEnvoy),
}, () => {
  const volumes = new PodVolumes();
  let api: ApiServer;
  let container: Container;
  let sidecar: AgentProcess;
  let writer: AgentProcess;
  let front: Front;

  before(async () => {
    api = await startApiServer('path' in obtainedKubernetes ? obtainedKubernetes.path : '');
    for (const [program, ...args] of commands('kubectl create namespace')) {
      if (program === 'kubectl') await kubectl(args);
      else {
        const placed = args.map((arg) => (arg === 'deploy/helm/postern' ? CHART : arg));
        const { code, stderr } = await helm(placed, { kubeconfig: api.kubeconfig });
        assert.equal(code, 0, stderr);
      }
    }
    await until(async () => (await api.kubectl(['get', 'postern', '-A'])).code === 0);
    await kubectl(['create', 'serviceaccount', NAMES.account, '-n', 'shop']);
    await kubectl(['apply', '-f', '-'], `${POLICIES}---${MORE}`);
    await until(async () => {
      container = await injected();
      return container !== undefined;
    });
    writer = await startWriter();
    volumes.relabel({ app: 'orders', 'postern.dev/inject': 'true' });
    sidecar = await start();
    await sidecar.ready;
    front = await startFront('path' in foundEnvoy ? foundEnvoy.path : '', `unix:${volumes.socket}`);
  });
  after(async () => {
    closeClients();
    await front?.stop();
    await Promise.all([sidecar, writer].map((agent) => agent?.stop()));
    await api?.stop();
    volumes.remove();
  });

  async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await api.kubectl(args, stdin);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** The sidecar of the page's Pod, as the API server gives it back; waits until the admission policy is at work. */
  async function injected(): Promise<Container> {
    const pod = parse(yaml(/kind: Pod/));
    pod.spec.serviceAccountName = NAMES.account;
    const text = await kubectl(['create', '--dry-run=server', '-o', 'json', '-f', '-'], JSON.stringify(pod));
    const { spec } = JSON.parse(text);
    const mounted = (spec.containers as { name: string; volumeMounts?: unknown[] }[]).map(
      ({ name, volumeMounts = [] }) => `${name} ${volumeMounts.length}`,
    );
    if (spec.initContainers !== undefined) assert.deepEqual(mounted, ['envoy 1', 'app 0']);
    return spec.initContainers?.[0] as Container;
  }

  async function accountOf(namespace: string, name: string) {
    const token = (await kubectl(['create', 'token', name, '-n', namespace])).trim();
    const kubeconfig = api.kubeconfigFor(name, token);
    await kubectl(['config', 'set-context', 'test', `--namespace=${namespace}`, '--kubeconfig', kubeconfig]);
    return { namespace, kubeconfig };
  }

  const start = async (pod = volumes): Promise<AgentProcess> =>
    startSidecar(container, pod, await accountOf('shop', NAMES.account));

  /** The one that writes the status of the class, with the rights of its Deployment. */
  async function startWriter(): Promise<AgentProcess> {
    const values = { crds: { install: 'Never' }, sidecar: { enabled: true, namespaces: ['shop'] } };
    const { spec } = only(await render(values), 'Deployment', '-sidecars').spec.template;
    const { kubeconfig } = await accountOf('postern-system', spec.serviceAccountName as string);
    return startAgentProcess([...onLoopback(spec.containers[0].args as string[]), `--kubeconfig=${kubeconfig}`]);
  }

  const ask = async (path: string, headers: readonly string[] = [], host = 'orders.example.org'): Promise<number> =>
    (await send(front.port, path, [`Host: ${host}`, ...headers])).status;
  const withKey = (path: string, host?: string): Promise<number> => ask(path, [`x-api-key: ${KEY}`], host);

  it('decides by the policy that selects the Pod, whatever the Host, over a unix socket', async () => {
    assert.deepEqual([await withKey('/v1/orders'), await ask('/v1/orders')], [200, 401]);
    assert.deepEqual([await withKey('/v1/x', 'nobody.test'), await withKey('/v1/x', '10.0.0.1:8080')], [200, 200]);
    assert.equal(await withKey('/v2/x'), 404);
  });

  it('shows how Envoy reaches the socket', () => {
    const [cluster] = parse(yaml(/^clusters:/)).clusters;
    assert.deepEqual(cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address, {
      pipe: { path: container.args.find((arg) => arg.startsWith('--grpc-addr='))?.replace('--grpc-addr=unix:', '') },
    });
  });

  it('has a socket for its user and group alone', () => assert.equal(statSync(volumes.socket).mode & 0o777, 0o660));

  it('asks for no right that it has not, where a key lies in a Secret either', () => {
    const forbidden = [sidecar, writer].flatMap(({ lines }) =>
      lines.filter(({ why }) => /forbidden/i.test(String(why))),
    );
    assert.deepEqual(forbidden, []);
  });

  it('has statuses written by one instance, which counts no sidecars and decides nothing', async () => {
    const condition = (name: string, type: string): Promise<string> =>
      kubectl([
        'get',
        'apol',
        name,
        '-n',
        'shop',
        '-o',
        `jsonpath={range .status.conditions[?(@.type=="${type}")]}{.status} {.reason}{end}`,
      ]);
    await until(async () => (await condition('orders', 'Accepted')) === 'True Accepted');
    assert.equal(await condition('orders', 'Programmed'), 'Unknown SidecarsNotCounted');
    assert.equal(await condition('hosts', 'Accepted'), 'False TargetNotSupported');
    const consumer = await kubectl(['get', 'acon', 'stored', '-n', 'shop', '-o', 'jsonpath={.status.instances[*]}']);
    assert.match(consumer, /"className":"sidecar".*SecretsNotReadable/);
    const { http } = await checkOver(writer.grpcAddress, { host: 'orders.example.org', path: '/v1/x' });
    assert.equal(http, 404);
  });

  it('serves the last good spec after a restart with a newer one that is wrong', async () => {
    const accepted = ['get', 'apol', 'orders', '-n', 'shop', '-o', 'jsonpath={.status.accepted.generation}'];
    await until(async () => (await kubectl(accepted)) === '1');
    await kubectl(
      ['apply', '-f', '-'],
      POLICIES.replace('workloadSelector: {matchLabels: {app: orders}}', 'hosts: [a.test]'),
    );
    await until(() =>
      Promise.resolve(sidecar.lines.some(({ message }) => /generation 2 is not accepted/.test(String(message)))),
    );
    assert.equal(await withKey('/v1/orders'), 200);
    await sidecar.kill();
    // Its socket lies there still: nobody listens, so it is replaced.
    sidecar = await start();
    await sidecar.ready;
    await until(async () => (await withKey('/v1/orders')) === 200);
    assert.equal(await ask('/v1/orders'), 401);
    await kubectl(['apply', '-f', '-'], POLICIES);
  });

  it('leaves the socket of a sidecar alone that still runs', async () => {
    await assert.rejects(start(), /something else listens there/);
    assert.equal(await withKey('/v1/orders'), 200);
  });

  it('follows the labels of its Pod, and keeps the last ones while there are none to be read', async () => {
    volumes.relabel({ app: 'batch' });
    await until(async () => (await ask('/anything')) === 200);
    volumes.relabel({});
    await until(() =>
      Promise.resolve(sidecar.lines.some(({ message }) => /labels of this Pod cannot be read/.test(String(message)))),
    );
    assert.equal(await ask('/anything'), 200);
    volumes.relabel({ app: 'orders' });
    await until(async () => (await ask('/anything')) === 404);
  });

  it('does not start without labels', async (t) => {
    const pod = new PodVolumes();
    t.after(() => pod.remove());
    await assert.rejects(start(pod), /--workload-labels: there is no file/);
    writeFileSync(pod.labels, '');
    await assert.rejects(
      start(pod),
      /labels" is empty: no policy selects a Pod without labels: let a downwardAPI volume/,
    );
  });

  it('is not ready where its account may read nothing, and says the commands that mend it', async (t) => {
    await kubectl(['create', 'namespace', 'bare']);
    await kubectl(['create', 'serviceaccount', NAMES.account, '-n', 'bare']);
    const pod = new PodVolumes();
    pod.relabel({ app: 'orders' });
    const bare = await startSidecar(container, pod, await accountOf('bare', NAMES.account));
    t.after(async () => {
      await bare.stop();
      pod.remove();
    });
    const readyz = async (): Promise<readonly [number, string]> => {
      const { statusCode, body } = await request(`http://${bare.adminAddress}/readyz`);
      return [statusCode, await body.text()];
    };
    // Its namespace's kinds, those of the cluster, and the Namespace itself.
    const mendings = async (): Promise<string[]> => (await readyz())[1].match(/kubectl .*/g) ?? [];
    await until(async () => (await mendings()).length === 3);
    assert.equal((await readyz())[0], 503);
    const { http } = await checkOver(`unix:${pod.socket}`, { host: 'orders.example.org' });
    assert.equal(http, 503);
    for (const mending of await mendings()) {
      assert.ok(
        bare.lines.some(({ why }) => String(why).includes(mending)),
        mending,
      );
      for (const command of mending.split(' && ')) await kubectl(command.split(' ').slice(1));
    }
    await bare.ready;
    assert.deepEqual(await readyz(), [200, 'ok\n']);
    const { code, stdout } = await api.kubectl([
      ...['auth', 'can-i', 'list', 'namespaces'],
      `--as=system:serviceaccount:bare:${NAMES.account}`,
    ]);
    assert.deepEqual([code, stdout.trim()], [1, 'no'], 'the commands give it its own Namespace alone');
  });
});
