import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { readConfig } from '../../internal/config/read-config.ts';
import { KINDS } from '../../internal/policy/resource/kinds.ts';
import { skipWithout } from '../components/cache.ts';
import { agentOf, CHART, helm, obtainedHelm, only, type Rendered, render } from './chart.ts';

const CRDS = join(CHART, '../../crds');
const PEER = { podSelector: { matchLabels: { app: 'envoy' } } };
/** The Pod of `helm test`, which the policy of its own release has to let in. */
const OWN_TEST = {
  podSelector: { matchLabels: { 'app.kubernetes.io/name': 'postern-test', 'app.kubernetes.io/instance': 'postern' } },
};

/** Parsing them takes longer than all the rest. */
const NO_CRDS = { crds: { install: 'Never' } };
/** Each value that switches something on, and what it makes. */
const SWITCHED: readonly (readonly [
  name: string,
  values: object,
  find: (objects: readonly Rendered[]) => unknown,
  found: unknown,
])[] = [
  [
    'image.digest',
    { image: { digest: `sha256:${'a'.repeat(64)}` } },
    (o) => agentOf(o).image,
    `postern@sha256:${'a'.repeat(64)}`,
  ],
  [
    'image.tag',
    { image: { repository: 'registry.example.org/postern', tag: 'v2' } },
    (o) => agentOf(o).image,
    'registry.example.org/postern:v2',
  ],
  ['imagePullSecrets', { imagePullSecrets: [{ name: 'pull' }] }, (o) => podOf(o).imagePullSecrets, [{ name: 'pull' }]],
  ['nameOverride', { nameOverride: 'gate' }, (o) => only(o, 'Service').metadata.name, 'postern-gate'],
  ['fullnameOverride', { fullnameOverride: 'gate' }, (o) => only(o, 'Service').metadata.name, 'gate'],
  [
    'env',
    { env: [{ name: 'OTEL_SERVICE_NAME', value: 'gate' }] },
    (o) => agentOf(o).env,
    [{ name: 'OTEL_SERVICE_NAME', value: 'gate' }],
  ],
  [
    'http',
    { http: { enabled: true, trustedPeers: ['10.0.0.0/8', 'fd00::/8'], carriedHeaders: ['x-caller'] } },
    (o) => [
      (agentOf(o).args as string[]).filter((arg) => arg.startsWith('--http')),
      only(o, 'Service').spec.ports.find(({ name }: { name: string }) => name === 'http'),
    ],
    [
      ['--http-addr=:9192', '--http-trusted-peers=10.0.0.0/8,fd00::/8', '--http-carried-headers=x-caller'],
      { name: 'http', port: 9192, targetPort: 'http', appProtocol: 'http' },
    ],
  ],
  ['replicas', { replicas: 5 }, (o) => only(o, 'Deployment').spec.replicas, 5],
  ['one replica', { replicas: 1 }, (o) => kinds(o).includes('PodDisruptionBudget'), false],
  [
    'autoscaling.enabled',
    { autoscaling: { enabled: true } },
    (o) => [only(o, 'HorizontalPodAutoscaler').spec.scaleTargetRef.name, only(o, 'Deployment').spec.replicas],
    ['postern', undefined],
  ],
  [
    'podDisruptionBudget.enabled',
    { podDisruptionBudget: { enabled: false } },
    (o) => kinds(o).includes('PodDisruptionBudget'),
    false,
  ],
  [
    'topologySpread.enabled',
    { topologySpread: { enabled: false } },
    (o) => podOf(o).topologySpreadConstraints,
    undefined,
  ],
  ['service.headless', { service: { headless: true } }, (o) => only(o, 'Service', '-headless').spec.clusterIP, 'None'],
  [
    'service.type',
    { service: { type: 'LoadBalancer', annotations: { a: 'b' } } },
    (o) => [only(o, 'Service').spec.type, only(o, 'Service').metadata.annotations],
    ['LoadBalancer', { a: 'b' }],
  ],
  [
    'networkPolicy.enabled',
    { networkPolicy: { enabled: true } },
    (o) => only(o, 'NetworkPolicy').spec.ingress,
    [{ ports: [{ port: 'grpc', protocol: 'TCP' }] }, { ports: [{ port: 'metrics', protocol: 'TCP' }] }],
  ],
  [
    'networkPolicy.checksFrom',
    { networkPolicy: { enabled: true, checksFrom: [PEER] } },
    (o) => only(o, 'NetworkPolicy').spec.ingress[0].from,
    [PEER, OWN_TEST],
  ],
  [
    'networkPolicy.metricsFrom',
    { networkPolicy: { enabled: true, metricsFrom: [PEER] } },
    (o) => only(o, 'NetworkPolicy').spec.ingress[1].from,
    [PEER, OWN_TEST],
  ],
  [
    'serviceAccount.create',
    { serviceAccount: { create: false, name: 'own' } },
    (o) => [kinds(o).includes('ServiceAccount'), podOf(o).serviceAccountName],
    [false, 'own'],
  ],
  [
    'serviceAccount.annotations',
    { serviceAccount: { annotations: { a: 'b' } } },
    (o) => only(o, 'ServiceAccount').metadata.annotations,
    { a: 'b' },
  ],
  ['rbac.create', { rbac: { create: false } }, (o) => kinds(o).filter((kind) => /Role/.test(kind)), []],
  ['crds.install', { crds: { install: 'Never' } }, (o) => kinds(o).includes('CustomResourceDefinition'), false],
  [
    'serviceMonitor.enabled',
    { serviceMonitor: { enabled: true, labels: { release: 'x' } } },
    (o) => [only(o, 'ServiceMonitor').metadata.labels?.release, only(o, 'ServiceMonitor').spec.endpoints],
    ['x', [{ port: 'metrics', path: '/metrics', interval: '30s' }]],
  ],
  [
    'podLabels',
    { podLabels: { team: 'edge' } },
    (o) => only(o, 'Deployment').spec.template.metadata.labels.team,
    'edge',
  ],
  [
    'podAnnotations',
    { podAnnotations: { a: 'b' } },
    (o) => only(o, 'Deployment').spec.template.metadata.annotations,
    { a: 'b' },
  ],
  ['nodeSelector', { nodeSelector: { disk: 'ssd' } }, (o) => podOf(o).nodeSelector, { disk: 'ssd' }],
  ['tolerations', { tolerations: [{ operator: 'Exists' }] }, (o) => podOf(o).tolerations, [{ operator: 'Exists' }]],
  ['priorityClassName', { priorityClassName: 'edge' }, (o) => podOf(o).priorityClassName, 'edge'],
];

const kinds = (objects: readonly Rendered[]): string[] => objects.map(({ kind }) => kind);
const isSelected = (labels: Readonly<Record<string, string>>, by: Readonly<Record<string, string>>): boolean =>
  Object.entries(by).every(([name, value]) => labels[name] === value);
const podOf = (objects: readonly Rendered[]) => only(objects, 'Deployment').spec.template.spec;

/** The flags of a rendered container as the agent reads them. */
function configOf(objects: readonly Rendered[]) {
  const [command, ...args] = agentOf(objects).args as string[];
  assert.equal(command, 'serve');
  const flags = args.map((arg): [string, string] => {
    const [, name = '', value = 'true'] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    return [name, value];
  });
  assert.equal(new Set(flags.map(([name]) => name)).size, flags.length, `a flag is given twice: ${args.join(' ')}`);
  return readConfig({ flags: Object.fromEntries(flags), env: {}, readFile: () => '' });
}

describe('the chart', { skip: skipWithout(obtainedHelm) }, () => {
  it('passes the linter, which is strict', async () => {
    const { code, stdout, stderr } = await helm(['lint', '--strict', CHART]);
    assert.equal(code, 0, stdout + stderr);
  });

  it('reads only files that it holds: a switch for dashboards that nobody wrote made nothing', () => {
    const templates = readdirSync(join(CHART, 'templates'), { recursive: true, withFileTypes: true });
    const read = templates
      .filter((entry) => entry.isFile())
      .flatMap((entry) => [
        ...readFileSync(join(entry.parentPath, entry.name), 'utf8').matchAll(/\.Files\.(?:Get|Glob) "([^"]+)"/g),
      ])
      .map(([, path = '']) => path);
    assert.ok(read.length > 0);
    assert.deepEqual(
      read.filter((path) => globSync(path, { cwd: CHART }).length === 0),
      [],
    );
  });

  it('has every value that its README names', () => {
    const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8'));
    const isValue = (path: string): boolean =>
      path.split('.').reduce((at, name) => at?.properties?.[name], schema) !== undefined;
    const table = readFileSync(join(CHART, 'README.md'), 'utf8').match(/(?<=^\| .*\|).*`.*(?= \|$)/gm) ?? [];
    const named = table.flatMap((cell) => [...cell.matchAll(/`([A-Za-z.]+)/g)].map(([, path = '']) => path));
    assert.ok(named.length > 10);
    assert.deepEqual(
      named.filter((path) => !isValue(path)),
      [],
    );
  });

  it('holds copies of the CRDs that are deployed, each kept on uninstall', async () => {
    const files = readdirSync(CRDS);
    assert.deepEqual(readdirSync(join(CHART, 'files/crds')), files);
    const wanted = files.flatMap((file) =>
      parseAllDocuments(readFileSync(join(CRDS, file), 'utf8')).map((document) => document.toJS() as Rendered),
    );
    const rendered = await render();
    for (const { kind, metadata, ...rest } of wanted) {
      const { metadata: got, ...others } = only(
        rendered.filter((o) => o.kind === kind),
        kind,
        metadata.name,
      );
      assert.deepEqual(others, { kind, ...rest });
      assert.deepEqual(got.annotations, { ...metadata.annotations, 'helm.sh/resource-policy': 'keep' });
    }
  });

  it('starts the agent with flags that it takes, by default and with every option', async () => {
    const byDefault = configOf(await render(NO_CRDS));
    assert.ok(byDefault.ok, JSON.stringify(byDefault));
    assert.deepEqual(byDefault.config.source, {
      kind: 'kube',
      kubeconfig: undefined,
      namespaces: [],
      policySelector: undefined,
    });
    const options = {
      policySelector: 'team=shop,tier in (web, api)',
      hostGrants: 'first-come',
      clientAddress: 'forwarded-for:hops=2',
      bodies: 'forwarded',
      transportSecurity: 'tls',
      trustContextExtensions: false,
      routeMetadata: 'required',
      clusterIssuer: 'https://kubernetes.default.svc',
      outboundAllow: ['10.0.0.0/8', '2001:db8::/32'],
      unmatched: 'allow',
      drainDelay: '5s',
      checkTimeout: '100ms',
      maxConnectionAge: '90s',
      maxLimitKeys: 5_000_000,
      maxReceiveBytes: '8Mi',
      namespacePolicies: 2000,
      namespacePolicyBytes: '64Mi',
      namespaceObjects: 3000,
      namespaceObjectBytes: '32Mi',
      grpcReflection: true,
      logLevel: 'debug',
      transport: 'native',
      grpcMaxStreams: 2048,
      grpcMaxHeaderBytes: '64Ki',
      grpcHeaderTableBytes: '8Ki',
      grpcMaxContinuations: 32,
      grpcMaxFrameRate: 5000,
      grpcMaxResetRate: 5000,
      grpcMaxBufferedBytes: '128Mi',
      grpcMaxBufferedTotal: '512Mi',
      grpcMaxUnsentBytes: '8Mi',
      grpcHandshakeTimeout: '5s',
      grpcRequestTimeout: '10s',
      grpcStallTimeout: '10s',
      grpcPingInterval: '20s',
      grpcPingTimeout: '5s',
      workers: 4,
    };
    const tls = { secretName: 'cert', clientCA: { secretName: 'ca' } };
    const shutdown = { drainSeconds: 30 };
    const result = configOf(
      await render({ ...NO_CRDS, className: 'edge', namespaces: ['a', 'b'], options, tls, shutdown }),
    );
    assert.ok(result.ok, JSON.stringify(result));
    const { config } = result;
    assert.deepEqual(
      [config.className, config.source, config.maxLimitKeys, config.drainTimeoutMs, config.tls, config.grpcReflection],
      [
        'edge',
        { kind: 'kube', kubeconfig: undefined, namespaces: ['a', 'b'], policySelector: options.policySelector },
        5_000_000,
        30_000,
        {
          certFile: '/etc/postern/tls/tls.crt',
          keyFile: '/etc/postern/tls/tls.key',
          clientCaFile: '/etc/postern/client-ca/ca.crt',
        },
        true,
      ],
    );
    const { properties } = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')).properties.options;
    assert.deepEqual(Object.keys(options).sort(), Object.keys(properties).sort());
  });

  it('mounts certificates whole, so that renewed ones are seen', async () => {
    const objects = await render({
      ...NO_CRDS,
      tls: { secretName: 'cert', clientCA: { secretName: 'ca', key: 'roots.pem' } },
    });
    assert.deepEqual(agentOf(objects).volumeMounts, [
      { name: 'tls', mountPath: '/etc/postern/tls', readOnly: true },
      { name: 'client-ca', mountPath: '/etc/postern/client-ca', readOnly: true },
    ]);
    assert.deepEqual(podOf(objects).volumes, [
      { name: 'tls', secret: { secretName: 'cert', defaultMode: 0o440 } },
      {
        name: 'client-ca',
        secret: { secretName: 'ca', defaultMode: 0o440, items: [{ key: 'roots.pem', path: 'ca.crt' }] },
      },
    ]);
  });

  it('gives workers a folder for their sockets, on a root that nobody may write to', async () => {
    const folderOf = async (workers: number | string | undefined) => {
      const resources = { limits: { cpu: 4 } };
      const objects = await render({ ...NO_CRDS, resources, options: workers === undefined ? {} : { workers } });
      const args = agentOf(objects).args as string[];
      return [args.filter((arg) => arg.startsWith('--workers')), agentOf(objects).volumeMounts, podOf(objects).volumes];
    };
    const folder = [[{ name: 'workers', mountPath: '/tmp' }], [{ name: 'workers', emptyDir: { sizeLimit: '1Mi' } }]];
    assert.deepEqual(await folderOf(3), [['--workers=3'], ...folder]);
    assert.deepEqual(await folderOf('auto'), [['--workers=auto'], ...folder]);
    assert.deepEqual(await folderOf(1), [['--workers=1'], undefined, undefined]);
    assert.deepEqual(await folderOf(undefined), [[], undefined, undefined]);
  });

  it('gives a Pod more time to end than its preStop and its drain take together', async () => {
    for (const [preStopSeconds, drainSeconds] of [
      [5, 20],
      [0, 0],
      [30, 600],
    ] as const) {
      const objects = await render({ ...NO_CRDS, shutdown: { preStopSeconds, drainSeconds } });
      assert.equal(podOf(objects).terminationGracePeriodSeconds, preStopSeconds + drainSeconds + 15);
      const preStop = preStopSeconds === 0 ? undefined : { sleep: { seconds: preStopSeconds } };
      assert.deepEqual(agentOf(objects).lifecycle?.preStop, preStop);
      assert.ok((agentOf(objects).args as string[]).includes(`--drain-timeout=${drainSeconds}s`));
    }
  });

  it('gives the agent what it uses: its kinds, their status, its lease, and Secrets only where they are named', async () => {
    const pluralsOf = (...scopes: readonly string[]): readonly string[] =>
      Object.values(KINDS)
        .filter(({ scope }) => scopes.includes(scope))
        .map(({ plural }) => plural)
        .sort();
    const kindRules = (...scopes: readonly string[]): readonly object[] => [
      { apiGroups: ['postern.dev'], resources: pluralsOf(...scopes), verbs: ['get', 'list', 'watch'] },
      {
        apiGroups: ['postern.dev'],
        resources: pluralsOf(...scopes).map((plural) => `${plural}/status`),
        verbs: ['patch'],
      },
    ];
    const plurals = pluralsOf('Namespaced', 'Cluster');
    const namespaceRule = (resourceNames?: readonly string[]): object => ({
      apiGroups: [''],
      resources: ['namespaces'],
      ...(resourceNames && { resourceNames }),
      verbs: ['list', 'watch'],
    });
    const definitionRule = {
      apiGroups: ['apiextensions.k8s.io'],
      resources: ['customresourcedefinitions'],
      resourceNames: plurals.map((plural) => `${plural}.postern.dev`),
      verbs: ['get'],
    };
    const leaseVerbs = ['get', 'list', 'watch', 'create', 'update', 'delete'];
    const leaseRules = [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: leaseVerbs }];
    const secretRules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] }];
    const rolesOf = async (values: object): Promise<unknown[]> =>
      (await render({ ...NO_CRDS, ...values }))
        .filter(({ kind }) => /Role$/.test(kind))
        .map(({ kind, metadata, rules }) => [kind, metadata.namespace, metadata.name, rules]);
    assert.deepEqual(await rolesOf({ secretNamespaces: ['shop'] }), [
      [
        'ClusterRole',
        undefined,
        'postern-infra',
        [...kindRules('Namespaced', 'Cluster'), namespaceRule(), definitionRule],
      ],
      ['Role', 'shop', 'postern-infra-secrets', secretRules],
      ['Role', 'infra', 'postern-infra-lease', leaseRules],
    ]);
    assert.deepEqual(await rolesOf({ namespaces: ['shop', 'web'] }), [
      [
        'ClusterRole',
        undefined,
        'postern-infra',
        [...kindRules('Cluster'), namespaceRule(['shop', 'web']), definitionRule],
      ],
      ['Role', 'shop', 'postern-infra-policies', kindRules('Namespaced')],
      ['Role', 'web', 'postern-infra-policies', kindRules('Namespaced')],
      ['Role', 'infra', 'postern-infra-lease', leaseRules],
    ]);
  });

  it('shuts no test of its own out of the ports that it asks, whatever it is called', async () => {
    const networkPolicy = { enabled: true, checksFrom: [PEER], metricsFrom: [PEER] };
    for (const nameOverride of ['', 'gate']) {
      const objects = await render({ ...NO_CRDS, networkPolicy, nameOverride });
      const { labels = {} } = only(objects, 'Pod').metadata;
      for (const { from } of only(objects, 'NetworkPolicy').spec.ingress)
        assert.ok((from as (typeof PEER)[]).some(({ podSelector }) => isSelected(labels, podSelector.matchLabels)));
    }
  });

  it('aggregates nothing into the roles that a cluster gives to people', async () => {
    const everything = { sidecar: { enabled: true, namespaces: ['shop'] }, secretNamespaces: ['shop'] };
    const objects = await render(everything, 'postern', ['admissionregistration.k8s.io/v1/MutatingAdmissionPolicy']);
    const labels = objects.flatMap(({ metadata }) => Object.keys(metadata.labels ?? {}));
    assert.ok(labels.includes('app.kubernetes.io/name'));
    assert.deepEqual(
      labels.filter((label) => label.startsWith('rbac.authorization.k8s.io/')),
      [],
    );
    assert.deepEqual(
      objects.filter(({ aggregationRule }) => aggregationRule !== undefined),
      [],
    );
  });

  for (const [name, values, find, found] of SWITCHED) {
    it(`does what it says of ${name}`, async () => {
      assert.deepEqual(find(await render({ ...NO_CRDS, ...values }, 'postern', ['monitoring.coreos.com/v1'])), found);
    });
  }
});
