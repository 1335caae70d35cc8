import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { injectManifests } from '../../internal/inject/inject-manifests.ts';
import { SIDECAR_DEFAULTS, sidecarOf } from '../../internal/inject/sidecar.ts';
import { type ApiServer, startApiServer } from '../components/api-server.ts';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { CHART, helm, obtainedHelm } from '../helm/chart.ts';

const obtainedKubernetes = await obtainKubernetes();
const VALUES = { crds: { install: 'Never' }, sidecar: { enabled: true, namespaces: ['shop', 'web', 'strict'] } };
const SIDECAR = sidecarOf({ ...SIDECAR_DEFAULTS, image: 'postern:0.1.0' });
const OURS = 'postern-socket postern-token postern-labels';
const POLICY = 'postern-infra-sidecars';

interface Container {
  readonly name: string;
  readonly image?: string;
  readonly restartPolicy?: string;
  readonly args?: readonly string[];
  readonly env?: readonly object[];
  readonly resources?: unknown;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly [field: string]: unknown;
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly { readonly name: string }[];
  readonly [field: string]: unknown;
}

interface Pod {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec: PodSpec;
}

const CONTAINERS = [
  { name: 'envoy', image: 'envoy' },
  { name: 'app', image: 'app' },
];
const aPod = (
  spec: Partial<PodSpec> = {},
  metadata: { readonly annotations?: object; readonly [field: string]: unknown } = {},
) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { generateName: 'orders-', labels: { app: 'orders', 'postern.dev/inject': 'true' }, ...metadata },
  spec: { automountServiceAccountToken: false, containers: CONTAINERS, ...spec },
});

/** What makes such Pods, of each kind that there is. */
function makersOf({ metadata, spec }: ReturnType<typeof aPod>) {
  const template = { metadata: { labels: metadata.labels, annotations: metadata.annotations }, spec };
  const once = { template: { ...template, spec: { ...spec, restartPolicy: 'Never' } } };
  const made = (kind: string, group: string, of: object) => ({
    apiVersion: `${group}/v1`,
    kind,
    metadata: { generateName: 'orders-' },
    spec: of,
  });
  const lasting = { selector: { matchLabels: { app: 'orders' } }, template };
  return {
    deployment: made('Deployment', 'apps', lasting),
    others: [
      made('ReplicaSet', 'apps', lasting),
      made('DaemonSet', 'apps', lasting),
      made('StatefulSet', 'apps', { ...lasting, serviceName: 'orders' }),
      made('Job', 'batch', once),
      made('CronJob', 'batch', { schedule: '0 0 * * *', jobTemplate: { spec: once } }),
    ],
  };
}

function sidecarIn({ initContainers = [] }: PodSpec): Container {
  const found = initContainers.find(({ name }) => name === 'postern');
  assert.ok(found);
  return found;
}

/** Its containers, with a + where the socket is mounted, its volumes and its group. */
function shapeOf({ spec }: Pod): string {
  const shown = (list: readonly Container[] = []): string =>
    list
      .map(
        ({ name, volumeMounts = [] }) => `${name}${volumeMounts.some((m) => m.name === 'postern-socket') ? '+' : ''}`,
      )
      .join(' ');
  const volumes = (spec.volumes ?? []).map(({ name }) => name).join(' ');
  const { fsGroup } = (spec.securityContext ?? {}) as { readonly fsGroup?: number };
  return `${shown(spec.initContainers)} | ${shown(spec.containers)} | ${volumes} | ${fsGroup ?? ''}`;
}

const UNTOUCHED = ' | envoy app |  | ';
const INJECTED = `postern+ | envoy+ app+ | ${OURS} | 65532`;

describe('a chart that injects sidecars', {
  skip: skipWithout(obtainedKubernetes) || skipWithout(obtainedHelm),
}, () => {
  let api: ApiServer;

  before(async () => {
    api = await startApiServer('path' in obtainedKubernetes ? obtainedKubernetes.path : '', [], true);
    for (const namespace of ['infra', 'shop', 'web', 'strict', 'aside', 'plain']) {
      await kubectl(['create', 'namespace', namespace]);
      await kubectl(['create', 'serviceaccount', 'default', '-n', namespace]);
    }
    // "web" has not opted in, and nobody gave rights to "aside".
    for (const namespace of ['shop', 'strict', 'aside'])
      await kubectl(['label', 'namespace', namespace, 'postern.dev/injection=enabled']);
    await kubectl(['label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=restricted']);
    const { code, stderr, stdout } = await helm(['install', 'postern', CHART, '-n', 'infra'], {
      values: VALUES,
      kubeconfig: api.kubeconfig,
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /kubectl label namespace shop postern\.dev\/injection=enabled/);
    await until(async () => shapeOf(await create(aPod())) === INJECTED);
  });
  after(() => api?.stop());

  async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await api.kubectl(args, stdin);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  async function create(pod: object, namespace = 'shop'): Promise<Pod> {
    const text = await kubectl(['create', '-n', namespace, '-f', '-', '-o', 'json'], JSON.stringify(pod));
    return JSON.parse(text) as Pod;
  }

  /** What whoever makes it reads, though it is admitted. */
  async function warned(object: object, namespace = 'shop'): Promise<string> {
    const args = ['create', '--dry-run=server', '-n', namespace, '-f', '-'];
    const { code, stderr } = await api.kubectl(args, JSON.stringify(object));
    assert.equal(code, 0, stderr);
    return stderr;
  }

  it('gives a labelled Pod the sidecar, as postern inject does', async () => {
    const injected = await create(aPod());
    assert.equal(shapeOf(injected), INJECTED);
    const { text, problems } = injectManifests(JSON.stringify(aPod()), 'pod.json', SIDECAR);
    assert.deepEqual(problems, []);
    const byHand = await create(parse(text) as object, 'plain');
    assert.deepEqual(injected.spec, byHand.spec);
  });

  it('has values whose defaults are those of postern inject, and options for the sidecars', async () => {
    const { spec } = await create(aPod());
    const { args, image, resources, restartPolicy } = sidecarIn(spec);
    assert.deepEqual(
      { args, image, resources, restartPolicy },
      {
        args: SIDECAR.container.args,
        image: 'postern:0.1.0',
        resources: SIDECAR_DEFAULTS.resources,
        restartPolicy: 'Always',
      },
    );
    const options = { clientAddress: 'forwarded-for:hops=1', maxLimitKeys: 20_000, outboundAllow: ['10.0.0.0/8'] };
    const env = [{ name: 'OTEL_SERVICE_NAME', value: 'a "quoted" \\ name' }];
    const values = { ...VALUES, sidecar: { ...VALUES.sidecar, options, env, adminPort: 9999 } };
    const upgrade = (given: unknown) =>
      helm(['upgrade', 'postern', CHART, '-n', 'infra'], { values: given, kubeconfig: api.kubeconfig });
    assert.equal((await upgrade(values)).stderr, '');
    const more = ['--client-address=forwarded-for:hops=1', '--max-limit-keys=20000', '--outbound-allow=10.0.0.0/8'];
    await until(async () => {
      const { args: given = [] } = sidecarIn((await create(aPod())).spec);
      return given.includes('--admin-addr=:9999');
    });
    const sidecar = sidecarIn((await create(aPod())).spec);
    assert.deepEqual([sidecar.args?.slice(-3), sidecar.env?.slice(3)], [more, env]);
    assert.equal((await upgrade(VALUES)).stderr, '');
  });

  it('mounts the token in the sidecar and in nothing else', async () => {
    const { spec } = await create(aPod());
    const mounts = [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ name, volumeMounts = [] }) =>
      volumeMounts.map((mount) => `${name} ${mount.name} ${mount.mountPath} ${mount.readOnly ?? false}`),
    );
    assert.deepEqual(mounts, [
      'postern postern-socket /run/postern false',
      'postern postern-token /var/run/secrets/kubernetes.io/serviceaccount true',
      'postern postern-labels /etc/postern/pod true',
      'envoy postern-socket /run/postern true',
      'app postern-socket /run/postern true',
    ]);
    const others = await create(aPod({ automountServiceAccountToken: true }));
    const path = '/var/run/secrets/kubernetes.io/serviceaccount';
    const tokens = [...(others.spec.initContainers ?? []), ...others.spec.containers].map(
      ({ name, volumeMounts = [] }) => {
        const at = volumeMounts.filter(({ mountPath }) => mountPath === path).map((mount) => mount.name);
        return `${name} ${at.join().replace(/^kube-api-access-.*$/, 'its own')}`;
      },
    );
    assert.deepEqual(tokens, ['postern postern-token', 'envoy its own', 'app its own']);
  });

  it('leaves a Pod alone that is not labelled, or in a namespace that has not opted in or has no rights', async () => {
    const unlabelled = aPod({}, { labels: { app: 'orders' } });
    const refused = aPod({}, { labels: { app: 'orders', 'postern.dev/inject': 'false' } });
    assert.equal(shapeOf(await create(unlabelled)), UNTOUCHED);
    assert.equal(shapeOf(await create(refused)), UNTOUCHED);
    for (const namespace of ['web', 'aside', 'plain'])
      assert.equal(shapeOf(await create(aPod(), namespace)), UNTOUCHED);
  });

  it('leaves an injected Pod as it is', async () => {
    const { spec } = await create(aPod());
    assert.deepEqual((await create(aPod(spec))).spec, spec);
  });

  it('starts the sidecar before what a Pod starts first, and keeps its volumes and its group', async () => {
    const initContainers = [
      { name: 'migrate', image: 'm' },
      { name: 'proxy', image: 'p', restartPolicy: 'Always' },
    ];
    const pod = await create(
      aPod({ initContainers, volumes: [{ name: 'data' }], securityContext: { fsGroup: 1337, runAsUser: 7 } }),
    );
    assert.equal(shapeOf(pod), `postern+ migrate proxy+ | envoy+ app+ | data ${OURS} | 1337`);
    const grouped = await create(aPod({ securityContext: { runAsUser: 7 } }));
    assert.deepEqual(grouped.spec.securityContext, { runAsUser: 7, fsGroup: 65_532 });
  });

  it('gives the socket to the container alone that the Pod names', async () => {
    const named = (name: string) => aPod({}, { annotations: { 'postern.dev/envoy-container': name } });
    assert.equal(shapeOf(await create(named('envoy'))), `postern+ | envoy+ app | ${OURS} | 65532`);
    assert.equal(shapeOf(await create(named('nobody'))), `postern+ | envoy app | ${OURS} | 65532`);
  });

  it('warns who names a container that is not there, in a Pod or in what makes Pods, and admits it', async () => {
    const named = (name: string) => aPod({}, { annotations: { 'postern.dev/envoy-container': name } });
    const says =
      /^Warning: .*: the annotation postern\.dev\/envoy-container names nobody, and there is no such container: none gets the socket of the sidecar\. Name one of envoy, app, or leave the annotation out\n$/;
    await until(async () => says.test(await warned(named('nobody'))));
    assert.match(
      await warned(makersOf(named('istio-proxy')).deployment),
      /names istio-proxy, which is not in the template: unless something adds it to the Pod, as Istio does istio-proxy, none gets the socket of the sidecar\. Else name one of envoy, app, or leave the annotation out\n$/,
    );
    const unlabelled = { ...named('nobody'), metadata: { ...named('nobody').metadata, labels: { app: 'orders' } } };
    for (const fine of [named('envoy'), makersOf(named('app')).deployment, aPod(), unlabelled])
      assert.equal(await warned(fine), '');
    assert.equal(await warned(named('nobody'), 'web'), '', 'where nothing is injected nobody is warned');
  });

  it('warns whose Pods have no sidecar though they are labelled, and says why, whatever makes them', async () => {
    const why = async (object: object): Promise<string> =>
      /no sidecar is injected, and an Envoy that asks it refuses every request: (.*)\n$/.exec(
        await warned(object),
      )?.[1] ?? '';
    const shared = aPod({ shareProcessNamespace: true });
    const ofShared =
      'spec.shareProcessNamespace is true, and so every container could read the token of the sidecar: leave it out';
    await until(async () => (await why(shared)) === ofShared);
    const { deployment, others } = makersOf(shared);
    for (const maker of [deployment, ...others]) assert.equal(await why(maker), ofShared, maker.kind);
    const named = 'which the sidecar has for its own: choose other names';
    const taken = aPod({ volumes: [{ name: 'postern-token' }], initContainers: [{ name: 'postern', image: 'mine' }] });
    assert.equal(await why(taken), `containers or volumes are called postern, postern-token, ${named}`);
    const mine = aPod({ containers: [{ name: 'postern', image: 'mine' }] });
    assert.equal(await why(mine), `containers or volumes are called postern, ${named}`);
    const fine = [aPod(), ...makersOf(aPod()).others, aPod({ shareProcessNamespace: false })];
    const { text } = injectManifests(JSON.stringify(makersOf(aPod()).deployment), 'd.json', SIDECAR);
    for (const object of [...fine, parse(text) as object, { ...shared, metadata: { generateName: 'orders-' } }])
      assert.equal(await warned(object), '');
    assert.match(
      await warned(makersOf(aPod({}, { annotations: { 'postern.dev/envoy-container': 'x' } })).others[4] ?? {}),
      /names x, /,
    );
  });

  it('leaves alone, and admits, a Pod that has a name of the sidecar for something else', async () => {
    const volume = await create(aPod({ volumes: [{ name: 'postern-token' }] }));
    assert.equal(shapeOf(volume), ' | envoy app | postern-token | ');
    const container = await create(aPod({ containers: [{ name: 'postern', image: 'mine' }] }));
    assert.equal(shapeOf(container), ' | postern |  | ');
    const own = await create(aPod({ initContainers: [{ name: 'postern', image: 'mine' }] }));
    assert.equal(shapeOf(own), 'postern | envoy app |  | ');
  });

  it('leaves alone a Pod with a container that would mount the token, or write where the socket lies', async () => {
    const mounting = (name: string) => [{ name: 'app', image: 'a', volumeMounts: [{ name, mountPath: '/x' }] }];
    const posts = (pod: object) => api.kubectl(['create', '-n', 'shop', '-f', '-'], JSON.stringify(pod));
    for (const name of OURS.split(' '))
      for (const spec of [
        { containers: mounting(name) },
        { initContainers: mounting(name).map((c) => ({ ...c, name: 'i' })) },
      ]) {
        const { code, stderr } = await posts(aPod(spec));
        // Nobody else declares the volume.
        assert.notEqual(code, 0, name);
        assert.match(stderr, /volumeMounts\[0\]\.name: Not found/);
      }
  });

  it('leaves alone a Pod whose containers share their processes, and so the token', async () => {
    assert.equal(shapeOf(await create(aPod({ shareProcessNamespace: true }))), UNTOUCHED);
    assert.equal(shapeOf(await create(aPod({ shareProcessNamespace: false }))), INJECTED);
  });

  it('keeps what a container mounts where the socket would lie', async () => {
    const mount = [{ name: 'data', mountPath: '/run/postern' }];
    const containers = [{ name: 'envoy', image: 'e', volumeMounts: mount }];
    const pod = await create(aPod({ containers, volumes: [{ name: 'data' }] }));
    assert.equal(shapeOf(pod), `postern+ | envoy | data ${OURS} | 65532`);
    assert.deepEqual(pod.spec.containers[0]?.volumeMounts, mount);
  });

  it('makes Pods that the restricted level of pod security admits', async () => {
    const containers = [
      {
        name: 'app',
        image: 'a',
        securityContext: {
          runAsNonRoot: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        },
      },
    ];
    assert.equal(shapeOf(await create(aPod({ containers }), 'strict')), `postern+ | app+ | ${OURS} | 65532`);
  });

  it('gives the socket to an Envoy that is injected after it', async (t) => {
    const late = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: zz-late}
spec:
  failurePolicy: Fail
  reinvocationPolicy: Never
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
    objectSelector: {matchLabels: {mesh: "on"}}
  mutations:
    - patchType: JSONPatch
      jsonPatch:
        expression: '[JSONPatch{op: "add", path: "/spec/containers/-", value: {"name": "istio-proxy", "image": "i"}}]'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: zz-late}
spec: {policyName: zz-late}
`;
    await kubectl(['apply', '-f', '-'], late);
    t.after(() => kubectl(['delete', '-f', '-'], late));
    const labels = { app: 'orders', mesh: 'on', 'postern.dev/inject': 'true' };
    await until(async () => (await create(aPod({}, { labels }))).spec.containers.length === 3);
    assert.equal(shapeOf(await create(aPod({}, { labels }))), `postern+ | envoy+ app+ istio-proxy+ | ${OURS} | 65532`);
  });

  it('writes manifests that kubectl applies and that the policy leaves as they are', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-inject-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const { metadata, spec } = aPod();
    const template = { metadata: { labels: metadata.labels }, spec };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'orders' },
      spec: { selector: { matchLabels: { app: 'orders' } }, template },
    };
    const file = join(folder, 'deployment.yaml');
    writeFileSync(file, injectManifests(JSON.stringify(deployment), file, SIDECAR).text);
    await kubectl(['apply', '-n', 'shop', '-f', file]);
    const made = JSON.parse(await kubectl(['get', 'deployment', 'orders', '-n', 'shop', '-o', 'json']));
    const pod = await create(aPod(made.spec.template.spec));
    assert.equal(shapeOf(pod), INJECTED);
    assert.deepEqual(pod.spec.initContainers, made.spec.template.spec.initContainers);
  });

  it('blocks no Pod where the policy errs: whatever it gets, its Envoy finds no socket', async () => {
    for (const [name, shape] of [
      ['envoy', `postern+ | envoy app | ${OURS} | 65532`],
      ['volumes', UNTOUCHED],
    ] as const) {
      const { spec } = JSON.parse(await kubectl(['get', 'mutatingadmissionpolicy', POLICY, '-o', 'json']));
      const index = spec.variables.findIndex((variable: { name: string }) => variable.name === name);
      const value = { name, expression: 'object.metadata.annotations["nobody"]' };
      const patch = JSON.stringify([{ op: 'replace', path: `/spec/variables/${index}`, value }]);
      await kubectl(['patch', 'mutatingadmissionpolicy', POLICY, '--type=json', '-p', patch]);
      await until(async () => shapeOf(await create(aPod())) === shape);
    }
    assert.equal(shapeOf(await create(aPod({}, { labels: { app: 'orders' } }))), UNTOUCHED);
  });

  it('has no rights left when it is gone', async () => {
    const { code, stderr } = await helm(['uninstall', 'postern', '-n', 'infra'], { kubeconfig: api.kubeconfig });
    assert.equal(code, 0, stderr);
    const all =
      'mutatingadmissionpolicy,mutatingadmissionpolicybinding,clusterrole,clusterrolebinding,role,rolebinding';
    assert.equal(await kubectl(['get', all, '-A', '-l', 'app.kubernetes.io/name=postern']), '');
  });
});
