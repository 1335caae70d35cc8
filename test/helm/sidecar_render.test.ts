import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { readConfig } from '../../internal/config/read-config.ts';
import { skipWithout } from '../components/cache.ts';
import { CHART, helm, obtainedHelm, only, type Rendered, render } from './chart.ts';

const sidecar = { enabled: true, namespaces: ['shop', 'web'] };
const values = { crds: { install: 'Never' }, sidecar };
const ofSidecars = (objects: readonly Rendered[]): readonly Rendered[] =>
  objects.filter(({ metadata }) => /sidecars/.test(metadata.name));

describe('the sidecars of the chart', { skip: skipWithout(obtainedHelm) }, () => {
  it('are left out unless they are switched on', async () => {
    assert.deepEqual(ofSidecars(await render({ crds: { install: 'Never' } })), []);
  });

  it('may read the kinds of their namespace and the namespace itself, and neither write nor read Secrets', async () => {
    const objects = await render(values);
    for (const namespace of sidecar.namespaces) {
      const bindings = objects.filter(
        ({ kind, metadata, subjects }) =>
          kind === 'RoleBinding' && metadata.namespace === namespace && subjects[0].kind === 'Group',
      );
      assert.deepEqual(
        bindings.map(({ subjects }) => subjects),
        [
          [
            {
              apiGroup: 'rbac.authorization.k8s.io',
              kind: 'Group',
              name: `system:serviceaccounts:${namespace}`,
            },
          ],
        ],
      );
      const role = objects.find(
        ({ kind, metadata }) =>
          kind === 'Role' && metadata.namespace === namespace && metadata.name === bindings[0]?.roleRef.name,
      );
      assert.deepEqual(role?.rules, [
        {
          apiGroups: ['postern.dev'],
          resources: ['apiconsumers', 'apipolicies', 'apirolebindings', 'apiroles'],
          verbs: ['list', 'watch'],
        },
      ]);
      assert.deepEqual(only(objects, 'ClusterRole', `-sidecars-${namespace}`).rules, [
        { apiGroups: [''], resources: ['namespaces'], resourceNames: [namespace], verbs: ['list', 'watch'] },
      ]);
    }
    const verbs = ofSidecars(objects).flatMap(({ rules = [] }) =>
      (rules as { resources: string[]; verbs: string[] }[]).map((rule) => rule.resources.join()),
    );
    assert.ok(!verbs.some((resources) => /secrets|\*/.test(resources)), String(verbs));
  });

  it('have one instance that writes their status, with options that the agent takes', async () => {
    const options = { unmatched: 'deny', clientAddress: 'direct', maxLimitKeys: 20_000 };
    const { spec } = only(await render({ ...values, sidecar: { ...sidecar, options } }), 'Deployment', '-sidecars');
    assert.equal(spec.replicas, 1);
    const { args } = spec.template.spec.containers[0];
    const flags = Object.fromEntries(
      (args as string[]).slice(1).map((arg) => {
        const [name = '', value = 'true'] = arg.replace(/^--/, '').split(/=(.*)/s);
        return [name, value];
      }),
    );
    const result = readConfig({ flags, env: {}, readFile: () => '' });
    assert.ok(result.ok, JSON.stringify(result));
    const { source, className, sidecar: role } = result.config;
    assert.deepEqual([className, role], ['sidecar', { kind: 'class' }]);
    assert.deepEqual('namespaces' in source && source.namespaces, sidecar.namespaces);
  });

  it('have roles that tell their class, so that a second release of it is found', async () => {
    const roles = ofSidecars(await render({ ...values, sidecar: { ...sidecar, className: 'pods' } })).filter(
      ({ kind }) => /Role$/.test(kind),
    );
    assert.ok(roles.length > 0);
    assert.deepEqual([...new Set(roles.map(({ metadata }) => metadata.labels?.['postern.dev/class']))], ['pods']);
  });

  it('are scraped, and so is who writes their status, by the ports and labels that they have', async () => {
    const monitored = { ...values, serviceMonitor: { enabled: true, interval: '15s', labels: { release: 'x' } } };
    const objects = await render(monitored, 'postern', ['admissionregistration.k8s.io/v1/MutatingAdmissionPolicy']);
    const injection = only(objects, 'MutatingAdmissionPolicy').spec;
    const { metadata, spec } = only(objects, 'Deployment', '-sidecars').spec.template;
    const endpoint = (port: string): readonly object[] => [
      {
        port,
        path: '/metrics',
        interval: '15s',
        relabelings: [{ targetLabel: 'job', replacement: 'postern-sidecars' }],
      },
    ];
    const [ofPods, ofWriter, ...others] = objects.filter(({ kind }) => kind === 'PodMonitor');
    assert.deepEqual(others, []);
    assert.deepEqual(ofPods?.metadata.labels?.release, 'x');
    assert.deepEqual(ofPods?.spec, {
      namespaceSelector: { matchNames: sidecar.namespaces },
      selector: { matchLabels: injection.matchConstraints.objectSelector.matchLabels },
      podMetricsEndpoints: endpoint('postern-metrics'),
    });
    assert.match(JSON.stringify(injection.mutations), /postern-metrics/);
    const isSelected = ([label, value]: [string, unknown]): boolean => metadata.labels[label] === value;
    assert.deepEqual(Object.entries(ofWriter?.spec.selector.matchLabels ?? {}).filter(isSelected).length, 2);
    assert.deepEqual(ofWriter?.spec.namespaceSelector, { matchNames: ['infra'] });
    assert.deepEqual(ofWriter?.spec.podMetricsEndpoints, endpoint('metrics'));
    assert.deepEqual(spec.containers[0].ports, [{ name: 'metrics', containerPort: 9193 }]);
    const unmonitored = await render(values);
    assert.ok(!unmonitored.some(({ kind }) => kind === 'PodMonitor'));
  });

  it('have a writer of status whose metrics alone are open where there is a network policy', async () => {
    const objects = await render({ ...values, networkPolicy: { enabled: true, metricsFrom: [{ podSelector: {} }] } });
    const { podSelector, ingress } = only(objects, 'NetworkPolicy', '-sidecars').spec;
    assert.deepEqual(podSelector, only(objects, 'Deployment', '-sidecars').spec.selector);
    const matchLabels = { 'app.kubernetes.io/name': 'postern-test', 'app.kubernetes.io/instance': 'postern' };
    const from = [{ podSelector: {} }, { podSelector: { matchLabels } }];
    assert.deepEqual(ingress, [{ ports: [{ port: 'metrics', protocol: 'TCP' }], from }]);
  });

  it('have a writer of status that the test of the release asks, ready or not, and that no monitor takes for a gateway', async () => {
    const objects = await render({ ...values, serviceMonitor: { enabled: true } }, 'postern', [
      'monitoring.coreos.com/v1',
    ]);
    const { metadata, spec } = only(objects, 'Service', '-sidecars');
    assert.deepEqual(spec.selector, only(objects, 'Deployment', '-sidecars').spec.selector.matchLabels);
    assert.deepEqual([spec.publishNotReadyAddresses, spec.ports[0].port], [true, 9193]);
    const [, , , ...args] = only(objects, 'Pod').spec.containers[0].command;
    assert.deepEqual(args, ['--', 'postern', '9191', '9193', 'false', metadata.name]);
    const { matchLabels } = only(objects, 'ServiceMonitor').spec.selector;
    const isSelected = Object.entries(matchLabels).every(([label, value]) => metadata.labels?.[label] === value);
    assert.equal(isSelected, false);
  });

  it('have a test of the release that says in words when their writer of status is not ready', async (t) => {
    const gateway = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    const { port } = gateway.address() as AddressInfo;
    let why = '';
    const writer = createServer((_, response) => response.writeHead(why === '' ? 200 : 503).end(why)).listen(
      port,
      '127.0.0.2',
    );
    await once(writer, 'listening');
    t.after(() => Promise.all([gateway, writer].map((server) => server.close())));
    const [, evaluate, script] = only(await render(values), 'Pod').spec.containers[0].command as string[];
    const run = (host: string) =>
      promisify(execFile)(process.execPath, [
        evaluate ?? '',
        script ?? '',
        '--',
        '127.0.0.1',
        '1',
        String(port),
        'true',
        host,
      ]);
    assert.match((await run('127.0.0.2')).stdout, /^Replicas are ready/);
    why = 'no snapshot yet: not listed yet: apipolicies shop';
    await assert.rejects(run('127.0.0.2'), /The instance that writes the status of sidecars is not ready: no snapshot/);
    await assert.rejects(run('127.0.0.3'), /127\.0\.0\.3 does not answer: /);
  });

  it('are injected only where the API server can, and else by the command that the notes give', async () => {
    const served = 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy';
    const args = ['install', 'postern', CHART, '--dry-run=client', '-n', 'infra'];
    const more = { ...sidecar, adminPort: 9999, options: { clientAddress: 'direct' } };
    const without = await helm(args, { values: { ...values, sidecar: more } });
    assert.doesNotMatch(without.stdout, /kind: MutatingAdmissionPolicy/);
    const command =
      "docker run --rm -i postern:0.1.0 inject -f - --class sidecar --image postern:0.1.0 --admin-port 9999 --option 'client-address=direct'";
    assert.ok(without.stdout.includes(`MISSING: this API server does not serve`), without.stdout);
    assert.ok(without.stdout.includes(command), without.stdout);
    assert.match(without.stdout, /A first policy for Pods .* refused there:\n {2}kubectl create -f - <<'YAML'\n/);
    const template = ['template', 'postern', CHART, '-n', 'infra', '--api-versions', served];
    const { stdout } = await helm(template, { values });
    assert.equal(stdout.match(/kind: MutatingAdmissionPolicy(Binding)?$/gm)?.length, 2);
    assert.match(stdout, /failurePolicy: Ignore/);
  });

  it('are what that command adds, to the last value of theirs, and its notes speak of no label that nothing reads', async () => {
    const resources = { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '1Gi' } };
    const env = [
      { name: 'OTEL_SERVICE_NAME', value: `the "shop's" $HOME` },
      { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ];
    const given = { ...values, image: { pullPolicy: 'Always' }, sidecar: { ...sidecar, resources, env } };
    const args = ['install', 'postern', CHART, '--dry-run=client', '-n', 'infra'];
    const { stdout } = await helm(args, { values: given });
    assert.doesNotMatch(stdout.slice(stdout.indexOf('\nNOTES:')), /postern\.dev\/inject/);
    const command = /^ {2}docker run --rm -i \S+ (inject .*) < deployment\.yaml \| kubectl apply -f -$/m.exec(
      stdout,
    )?.[1];
    const main = resolve(import.meta.dirname, '../../cmd/postern/main.ts');
    const running = promisify(execFile)('sh', ['-c', `exec "$0" "$1" ${command}`, process.execPath, main]);
    const pod = { metadata: { labels: { app: 'hello' } }, spec: { containers: [{ name: 'envoy' }] } };
    running.child.stdin?.end(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...pod }));
    const [added] = parse((await running).stdout).spec.initContainers;
    assert.deepEqual(
      { resources: added.resources, env: added.env.slice(3), imagePullPolicy: added.imagePullPolicy },
      { resources, env, imagePullPolicy: 'Always' },
    );
  });
});
