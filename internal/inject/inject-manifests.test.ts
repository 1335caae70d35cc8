import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { injectManifests } from './inject-manifests.ts';
import { SIDECAR_DEFAULTS, sidecarOf } from './sidecar.ts';

const SIDECAR = sidecarOf({ ...SIDECAR_DEFAULTS, image: 'registry.example.org/postern:1' });
const inject = (text: string) => injectManifests(text, 'shop.yaml', SIDECAR);
const pod = (parts = '', labels = '{app: orders}'): string => `apiVersion: v1
kind: Pod
metadata: {name: orders, labels: ${labels}}
spec:
  containers: [{name: envoy, image: e}, {name: app, image: a}]
${parts}`;
/** Of each container, whether it has the socket: `envoy+ app`. */
const shapeOf = (text: string): string => {
  const { spec } = parse(text);
  const shown = (list: { name: string; volumeMounts?: { name: string }[] }[] = []): string =>
    list
      .map(
        ({ name, volumeMounts = [] }) => `${name}${volumeMounts.some((m) => m.name === 'postern-socket') ? '+' : ''}`,
      )
      .join(' ');
  const volumes = (spec.volumes ?? []).map(({ name }: { name: string }) => name).join(' ');
  return `${shown(spec.initContainers)} | ${shown(spec.containers)} | ${volumes} | ${spec.securityContext?.fsGroup}`;
};
const OURS = 'postern-socket postern-token postern-labels';

describe('injectManifests()', () => {
  it('adds the sidecar to a Pod, first of all that starts, and the socket to each container', () => {
    const { text, found, changed, problems } = inject(pod());
    assert.deepEqual([found, changed, problems], [1, 1, []]);
    assert.equal(shapeOf(text), `postern+ | envoy+ app+ | ${OURS} | 65532`);
    assert.deepEqual(parse(text).spec.initContainers, [SIDECAR.container]);
    const more = '  initContainers: [{name: migrate, image: m}, {name: proxy, image: p, restartPolicy: Always}]\n';
    const { text: behind } = inject(pod(`${more}  volumes: [{name: data, emptyDir: {}}]\n`));
    assert.equal(shapeOf(behind), `postern+ migrate proxy+ | envoy+ app+ | data ${OURS} | 65532`);
  });

  it('mounts the token in the sidecar alone, and lets nobody else write where the socket lies', () => {
    const { spec } = parse(inject(pod()).text);
    const mounts = [...spec.initContainers, ...spec.containers].flatMap(({ name, volumeMounts }) =>
      volumeMounts.map(
        (mount: { name: string; readOnly?: boolean }) => `${name} ${mount.name} ${mount.readOnly ?? false}`,
      ),
    );
    assert.deepEqual(mounts, [
      'postern postern-socket false',
      'postern postern-token true',
      'postern postern-labels true',
      'envoy postern-socket true',
      'app postern-socket true',
    ]);
  });

  it('gives the socket to the named container alone, and keeps the group that a Pod has', () => {
    const named = pod('  securityContext: {fsGroup: 1337}\n').replace(
      'labels:',
      'annotations: {postern.dev/envoy-container: envoy}, labels:',
    );
    assert.equal(shapeOf(inject(named).text), `postern+ | envoy+ app | ${OURS} | 1337`);
    assert.match(inject(pod('  securityContext: {runAsUser: 7}\n')).text, /runAsUser: 7, fsGroup: 65532/);
  });

  it('leaves as it is, to the last byte, what has the sidecar, wants none, or makes no Pods', () => {
    const once = inject(pod()).text;
    for (const text of [
      once,
      pod('', '{app: orders, postern.dev/inject: "false"}'),
      '# a comment\nkind:   Service\napiVersion: v1\n',
      pod().replace('v1', 'example.org/v1'),
      '',
    ]) {
      const { text: after, changed, problems } = inject(text);
      assert.deepEqual([after, changed, problems], [text, 0, []]);
    }
  });

  it('gives the socket to a container that came later', () => {
    const later = inject(pod()).text.replace('{ name: app,', '{ name: late, image: l }, { name: app,');
    assert.equal(shapeOf(later), `postern+ | envoy+ late app+ | ${OURS} | 65532`);
    assert.equal(shapeOf(inject(later).text), `postern+ | envoy+ late+ app+ | ${OURS} | 65532`);
  });

  it('finds the templates of every kind that makes Pods, in documents and lists, and keeps comments', () => {
    const template = '{metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: i}]}}';
    const apps = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'].map(
      (kind) => `apiVersion: apps/v1 # ${kind}\nkind: ${kind}\nspec: {template: ${template}}\n`,
    );
    const all = [
      ...apps,
      `apiVersion: batch/v1\nkind: Job\nspec: {template: ${template}}\n`,
      `apiVersion: batch/v1\nkind: CronJob\nspec: {jobTemplate: {spec: {template: ${template}}}}\n`,
      `apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: apps/v1, kind: Deployment, spec: {template: ${template}}}\n  - {apiVersion: v1, kind: Service}\n`,
      '# the last one\napiVersion: v1\nkind: Service\n',
    ].join('---\n');
    const { text, found, changed, problems } = inject(all);
    assert.deepEqual([found, changed, problems], [7, 7, []]);
    assert.equal(parseAllDocuments(text).length, 8);
    assert.equal(text.match(/name: postern-token/g)?.length, 14);
    for (const comment of ['# Deployment', '# DaemonSet', '# the last one']) assert.ok(text.includes(comment), comment);
    assert.deepEqual([inject(text).changed, inject(text).text], [0, text]);
  });

  it('says what is wrong by file, line, document, object and field', () => {
    const problemsOf = (text: string) => inject(text).problems;
    assert.deepEqual(problemsOf(`kind: Service\n---\n${pod('', '{}')}`), [
      'shop.yaml:5: document 2: Pod "orders": metadata.labels must hold a label: policies select Pods by theirs',
    ]);
    assert.deepEqual(problemsOf(pod('  volumes: [{name: data}, {name: postern-token}]\n')), [
      'shop.yaml:6: document 1: Pod "orders": spec.volumes[1].name is "postern-token", which the sidecar has for its own: choose another',
    ]);
    assert.deepEqual(problemsOf(pod().replace('name: app', 'name: postern')), [
      'shop.yaml:5: document 1: Pod "orders": spec.containers[1].name is "postern", which the sidecar has for its own: choose another',
    ]);
    assert.deepEqual(
      problemsOf(pod().replace('labels:', 'annotations: {postern.dev/envoy-container: proxy}, labels:')),
      [
        'shop.yaml:3: document 1: Pod "orders": metadata.annotations.postern.dev/envoy-container names "proxy", and there is no such container',
      ],
    );
    assert.match(String(problemsOf('kind: [')), /^shop\.yaml:1: document 1: /);
    assert.match(String(problemsOf('kind: Pod\nkind: Pod\n')), /^shop\.yaml:2: document 1: Map keys must be unique/);
  });

  it('refuses a container that would mount the token of the sidecar, or where its socket lies to write there', () => {
    const mounting = (mount: string, of = 'app') =>
      pod().replace(`{name: ${of},`, `{name: ${of}, volumeMounts: [{name: data, mountPath: /d}, ${mount}],`);
    for (const name of OURS.split(' '))
      assert.deepEqual(inject(mounting(`{name: ${name}, mountPath: /x, readOnly: true}`)).problems, [
        `shop.yaml:5: document 1: Pod "orders": spec.containers[1].volumeMounts[1].name is "${name}", which no container but the sidecar mounts so: leave it out`,
      ]);
    const early = '  initContainers: [{name: migrate, volumeMounts: [{name: postern-token, mountPath: /x}]}]\n';
    assert.match(
      String(inject(pod(early)).problems),
      /spec\.initContainers\[0\]\.volumeMounts\[0\]\.name is "postern-token"/,
    );
    const injected = inject(pod()).text;
    assert.match(String(inject(injected.replaceAll('readOnly: true', 'readOnly: false')).problems), /"postern-socket"/);
    assert.deepEqual(inject(injected).problems, []);
  });

  it('refuses a Pod whose containers share their processes, and so the token', () => {
    assert.deepEqual(inject(pod('  shareProcessNamespace: true\n')).problems, [
      'shop.yaml:6: document 1: Pod "orders": spec.shareProcessNamespace is true, and so every container could read the token of the sidecar: leave it out',
    ]);
    assert.deepEqual(inject(pod('  shareProcessNamespace: false\n')).problems, []);
  });

  it('refuses lists that are shared by an alias, which would change or lose what others mount', () => {
    const shared = pod().replace(
      '[{name: envoy, image: e}, {name: app, image: a}]',
      '[{name: envoy, volumeMounts: &m [{name: d, mountPath: /d}]}, {name: app, volumeMounts: *m}]',
    );
    assert.deepEqual(
      inject(shared).problems.map((problem) => problem.replace(/.*"orders": /, '')),
      ['envoy', 'app'].map(
        (_, index) =>
          `spec.containers[${index}].volumeMounts must be a list that is written here and shared by no alias`,
      ),
    );
    for (const containers of ['*x', '[*x]', 'text', '[{image: i}]', '[]', 'null'])
      assert.match(
        String(inject(`x: &x {name: a}\n${pod().replace(/containers: .*/, `containers: ${containers}`)}`).problems),
        /spec\.containers must (be a list of objects with names, written here|name at least one container)/,
      );
  });
});
