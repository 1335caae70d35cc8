import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ApiServer, startApiServer } from '../components/api-server.ts';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { CHART, helm, obtainedHelm, only, render } from './chart.ts';

const obtainedKubernetes = await obtainKubernetes();
const POLICY = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: orders, namespace: default}
spec: {target: {hosts: [orders.example.org]}, authorization: {rules: [{name: all, allow: {any: {}}}]}}
`;
const CRD = 'apiroles.postern.dev';
const EVERYTHING = {
  image: { digest: `sha256:${'a'.repeat(64)}` },
  secretNamespaces: ['shop'],
  tls: { secretName: 'cert', clientCA: { secretName: 'ca' } },
  autoscaling: { enabled: true },
  networkPolicy: { enabled: true, metricsFrom: [{ namespaceSelector: {} }] },
  service: { headless: true, annotations: { a: 'b' } },
  env: [{ name: 'OTEL_SERVICE_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
  tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }],
  resources: { requests: { cpu: 1 }, limits: { cpu: '2500m' } },
  dashboards: { enabled: true, folder: 'Edge' },
  alerts: { enabled: true },
};
/** As much of the Prometheus operator as a release sees: that its API is served. */
const OPERATOR = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: prometheusrules.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: PrometheusRule, plural: prometheusrules}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {groups: {type: array, items: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}}}
`;

describe('a release in a real cluster', { skip: skipWithout(obtainedKubernetes) || skipWithout(obtainedHelm) }, () => {
  let api: ApiServer;
  before(async () => {
    api = await startApiServer('path' in obtainedKubernetes ? obtainedKubernetes.path : '');
  });
  after(() => api?.stop());

  const run = (args: readonly string[], values?: unknown) => helm(args, { values, kubeconfig: api.kubeconfig });

  async function succeeds(args: readonly string[], values?: unknown): Promise<string> {
    const { code, stdout, stderr } = await run(args, values);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await api.kubectl(args, stdin);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  const ownerOf = (crd: string): Promise<string> =>
    kubectl(['get', 'crd', crd, '-o', 'jsonpath={.metadata.annotations.meta\\.helm\\.sh/release-name}']);

  it('is installed without any value, and says the next command', async () => {
    await kubectl(['create', 'namespace', 'infra']);
    await kubectl(['label', 'namespace', 'infra', 'pod-security.kubernetes.io/enforce=restricted']);
    const said = await succeeds(['install', 'postern', CHART, '-n', 'infra']);
    assert.match(said, /kubectl -n infra rollout status deployment\/postern\n {2}helm test postern -n infra/);
    assert.match(said, /postern\.infra\.svc:9191/);
    assert.match(said, /Each replica counts limits for itself/);
    const [, example = ''] = /<<'YAML'\n(.*?)\n {2}YAML/s.exec(said) ?? [];
    await kubectl(['apply', '-f', '-'], example.replaceAll(/^ {2}/gm, ''));
    await kubectl(['delete', 'apol/hello', 'hgrant/default.hello']);
  });

  it('has Pods that the restricted level of pod security admits', async () => {
    for (const values of [{}, EVERYTHING]) {
      const objects = await render({ crds: { install: 'Never' }, ...values });
      const { metadata, spec } = only(objects, 'Deployment').spec.template;
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'agent' }, spec };
      for (const made of [pod, only(objects, 'Pod')])
        await kubectl(['create', '--dry-run=server', '-n', 'infra', '-f', '-'], JSON.stringify(made));
      const isLax = JSON.stringify(pod).replace('"runAsNonRoot":true,"runAsUser":65532', '"runAsUser":0');
      const refused = await api.kubectl(['create', '--dry-run=server', '-n', 'infra', '-f', '-'], isLax);
      assert.match(refused.stderr, /violates PodSecurity "restricted/);
    }
  });

  it('is installed with everything switched on, and says which Secrets, and what for the alerts, are missing', async () => {
    await kubectl(['create', 'namespace', 'shop']);
    const said = await succeeds(['upgrade', 'postern', CHART, '-n', 'infra'], EVERYTHING);
    assert.match(said, /MISSING: the Secret "cert".*\n {2}kubectl -n infra create secret tls cert --cert=tls.crt/);
    assert.match(said, /MISSING: the Secret "ca".*\n {2}kubectl -n infra create secret generic ca --from-file=ca.crt/);
    assert.match(said, /MISSING: the alerts\..*monitoring\.coreos\.com\/v1/);
    await kubectl(['get', 'hpa,networkpolicy,pdb', 'postern', '-n', 'infra']);
    await kubectl(['get', 'configmap', 'postern-dashboards', '-n', 'infra']);
    await succeeds(['upgrade', 'postern', CHART, '-n', 'infra', '--reset-values']);
  });

  it('has its alerts where the Prometheus operator is served, and says nothing of them then', async () => {
    await kubectl(['apply', '-f', '-'], OPERATOR);
    await until(async () => (await api.kubectl(['get', 'prometheusrules', '-A'])).code === 0);
    const said = await succeeds(['upgrade', 'postern', CHART, '-n', 'infra'], { alerts: { enabled: true } });
    assert.doesNotMatch(said, /the alerts/);
    const [rule] = (await kubectl(['get', 'prometheusrules', 'postern', '-n', 'infra', '-o', 'json']).then(
      (text) => JSON.parse(text).spec.groups[0].rules,
    )) as { alert: string; expr: string }[];
    assert.equal(rule?.alert, 'PosternUnavailable');
    assert.match(rule.expr, /postern_ready\{job="postern",namespace="infra"\}/);
    await succeeds(['upgrade', 'postern', CHART, '-n', 'infra', '--reset-values']);
  });

  it('applies nothing where a namespace is not there, and says how to make it', async () => {
    const values = {
      namespaces: ['shop'],
      secretNamespaces: ['shop'],
      sidecar: { enabled: true, namespaces: ['nowhere'] },
    };
    const { code, stderr } = await run(['upgrade', 'postern', CHART, '-n', 'infra'], values);
    assert.equal(code, 1);
    assert.match(stderr, /no namespace "nowhere" yet, and Roles go there: kubectl create namespace nowhere\n/);
    assert.doesNotMatch(stderr, /"shop"/);
    assert.doesNotMatch(await kubectl(['get', 'role', '-A']), /^shop /m);
  });

  it('has CRDs that an upgrade upgrades', async (t) => {
    const newer = mkdtempSync(join(tmpdir(), 'postern-chart-'));
    t.after(() => rmSync(newer, { recursive: true }));
    cpSync(CHART, newer, { recursive: true });
    const file = join(newer, `files/crds/postern.dev_${CRD.split('.')[0]}.yaml`);
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('description: "Permissions', 'description: "NEWER Permissions'),
    );
    await succeeds(['upgrade', 'postern', newer, '-n', 'infra']);
    assert.match(await kubectl(['get', 'crd', CRD, '-o', 'yaml']), /NEWER Permissions/);
    await succeeds(['upgrade', 'postern', CHART, '-n', 'infra']);
    assert.doesNotMatch(await kubectl(['get', 'crd', CRD, '-o', 'yaml']), /NEWER/);
  });

  it('stands a second one beside it, which leaves the CRDs to the first and says so', async () => {
    const said = await succeeds(['install', 'postern', CHART, '-n', 'second', '--create-namespace']);
    assert.match(said, /CustomResourceDefinitions belong to the release "postern" in "infra"/);
    assert.match(said, /WARNING: another release serves the class "postern" too \("postern" in "infra"\)/);
    const third = await succeeds(['install', 'third', CHART, '-n', 'infra', '--set', 'className=third,replicas=1']);
    assert.doesNotMatch(third, /WARNING|Each replica/);
    await kubectl(['apply', '-f', '-'], POLICY);
    await succeeds(['uninstall', 'postern', '-n', 'second']);
    await succeeds(['uninstall', 'third', '-n', 'infra']);
    await kubectl(['get', 'apol', 'orders']);
    await kubectl(['get', 'validatingadmissionpolicy', CRD]);
    assert.equal(await ownerOf(CRD), 'postern');
  });

  it('is told of another release of its class also where some namespaces or sidecars are served', async () => {
    const sidecar = { enabled: true, namespaces: ['default'] };
    const first = await succeeds(['install', 'one', CHART, '-n', 'infra'], { className: 'one', sidecar });
    assert.doesNotMatch(first, /WARNING/);
    assert.match(
      first,
      /^Postern serves the policies of class "one": those whose spec\.className is that, and no others;/m,
    );
    const [, ofPods = ''] =
      /A first policy for Pods [^\n]* there:\n {2}kubectl create -f - <<'YAML'\n(.*?)\n {2}YAML/s.exec(first) ?? [];
    await kubectl(['apply', '-f', '-'], ofPods.replaceAll(/^ {2}/gm, ''));
    await kubectl(['delete', 'apol/hello-pods']);
    assert.match(first, /rollout status deployment\/one-postern\n.*rollout status deployment\/one-postern-sidecars\n/);
    const second = await succeeds(['install', 'two', CHART, '-n', 'infra'], { namespaces: ['default'], sidecar });
    assert.deepEqual(
      second.match(/(?<=WARNING: another release serves the class ).*\)|--set (sidecar\.)?className\S+/g),
      [
        '"postern" too ("postern" in "infra")',
        '--set className=two',
        '"sidecar" too ("one" in "infra")',
        '--set sidecar.className=two-sidecar',
      ],
    );
    for (const [command = ''] of second.matchAll(/helm upgrade two deploy\/helm\/postern .*lassName=\S+/g))
      await succeeds(
        command
          .split(' ')
          .slice(1)
          .map((arg) => (arg === 'deploy/helm/postern' ? CHART : arg)),
      );
    assert.doesNotMatch(await succeeds(['get', 'notes', 'two', '-n', 'infra']), /"(postern|sidecar)" too/);
    for (const release of ['one', 'two']) await succeeds(['uninstall', release, '-n', 'infra']);
  });

  it('leaves policies, and what keeps them sound, when it is uninstalled', async () => {
    await succeeds(['uninstall', 'postern', '-n', 'infra']);
    await kubectl(['get', 'apol', 'orders']);
    await kubectl(['get', `crd/${CRD}`, `validatingadmissionpolicy/${CRD}`, `validatingadmissionpolicybinding/${CRD}`]);
    const left = await kubectl([
      'get',
      'all,sa,role,rolebinding,pdb',
      '-n',
      'infra',
      '-l',
      'app.kubernetes.io/name=postern',
    ]);
    assert.equal(left, '');
    assert.equal(await kubectl(['get', 'clusterrole,clusterrolebinding', '-l', 'app.kubernetes.io/name=postern']), '');
  });

  it('takes its CRDs up again, under its old name or by taking them over', async () => {
    await succeeds(['install', 'postern', CHART, '-n', 'infra']);
    await succeeds(['uninstall', 'postern', '-n', 'infra']);
    const left = await succeeds(['install', 'other', CHART, '-n', 'infra']);
    assert.match(
      left,
      /helm upgrade other deploy\/helm\/postern -n infra --reset-then-reuse-values --set crds.install=Always --take-ownership/,
    );
    await succeeds([
      'upgrade',
      'other',
      CHART,
      '-n',
      'infra',
      '--reuse-values',
      '--set',
      'crds.install=Always',
      '--take-ownership',
    ]);
    assert.equal(await ownerOf(CRD), 'other');
    await kubectl(['get', 'apol', 'orders']);
  });

  it('leaves CRDs alone that kubectl applied', async () => {
    await succeeds(['uninstall', 'other', '-n', 'infra']);
    await kubectl([
      'delete',
      'crd,validatingadmissionpolicy,validatingadmissionpolicybinding',
      '-l',
      'app.kubernetes.io/name=postern',
    ]);
    await kubectl(['apply', '-f', join(CHART, '../../crds')]);
    const said = await succeeds(['install', 'postern', CHART, '-n', 'infra']);
    assert.match(said, /CustomResourceDefinitions were applied without Helm/);
    assert.equal(await ownerOf(CRD), '');
  });
});
