import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type ApiServer, startApiServer } from '../components/api-server.ts';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { CHART, helm, obtainedHelm } from './chart.ts';

const obtainedKubernetes = await obtainKubernetes();

/** What a command of the notes hands to kubectl. */
const blocksOf = (notes: string): readonly string[] =>
  [...notes.matchAll(/kubectl (?:apply|create) -f - <<'YAML'\n(.*?)\n {2}YAML/gs)].map(([, block = '']) =>
    block.replaceAll(/^ {2}/gm, ''),
  );

describe('the notes of a release in a real cluster', {
  skip: skipWithout(obtainedKubernetes) || skipWithout(obtainedHelm),
}, () => {
  let api: ApiServer;
  before(async () => {
    api = await startApiServer('path' in obtainedKubernetes ? obtainedKubernetes.path : '');
    for (const namespace of ['infra', 'shop']) await kubectl(['create', 'namespace', namespace]);
  });
  after(() => api?.stop());

  async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await api.kubectl(args, stdin);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  async function release(args: readonly string[], values?: unknown): Promise<string> {
    const { code, stdout, stderr } = await helm(args, { values, kubeconfig: api.kubeconfig });
    assert.equal(code, 0, stderr);
    return stdout;
  }

  it('have a first policy that overwrites neither the grant nor the policies of a team', async () => {
    const values = {
      namespaces: ['shop'],
      options: { hostGrants: 'required' },
      sidecar: { enabled: true, namespaces: ['shop'] },
    };
    const notes = await release(['install', 'postern', CHART, '-n', 'infra'], values);
    const blocks = blocksOf(notes);
    const made = blocks.flatMap((block) => parseAllDocuments(block).map((document) => document.toJS()));
    assert.deepEqual(
      made.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ['APIPolicy hello-pods', 'HostGrant shop.hello', 'APIPolicy hello'],
    );
    const ofTeam = (kind: string, name: string, spec: object, namespace?: string): object => ({
      apiVersion: 'postern.dev/v1alpha1',
      kind,
      metadata: { name, namespace },
      spec,
    });
    const items = [
      ofTeam('HostGrant', 'shop', { hosts: ['shop.example.org'], namespaceSelector: {} }),
      ofTeam('APIPolicy', 'hello', { target: { hosts: ['shop.example.org'] } }, 'shop'),
      ofTeam('APIPolicy', 'hello-pods', { target: { hosts: ['pods.example.org'] } }, 'shop'),
    ];
    await kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    const specs = () =>
      Promise.all([
        kubectl(['get', 'hgrant', 'shop', '-o', 'yaml']),
        kubectl(['get', 'apol', '-n', 'shop', '-o', 'yaml']),
      ]);
    const before = await specs();
    const commands = notes.match(/kubectl \w+ -f - <<'YAML'/g) ?? [];
    assert.deepEqual(
      commands,
      blocks.map(() => "kubectl create -f - <<'YAML'"),
    );
    for (const block of blocks)
      assert.match((await api.kubectl(['create', '-f', '-'], block)).stderr, /already exists/);
    assert.deepEqual(await specs(), before);
  });

  it('say which Secrets are missing also where the namespace is made with the release', async () => {
    const tls = { secretName: 'cert', clientCA: { secretName: 'ca' } };
    const args = ['install', 'fresh', CHART, '-n', 'fresh', '--create-namespace'];
    const said = await release(args, { className: 'fresh', tls });
    assert.deepEqual(said.match(/^MISSING: the Secret .*$/gm), [
      'MISSING: the Secret "cert". Its Pods do not start before:',
      'MISSING: the Secret "ca". Its Pods do not start before:',
    ]);
    await release(['uninstall', 'fresh', '-n', 'fresh']);
  });

  it('name a class that is another one, where the release has the name of the class that two serve', async () => {
    const commandOf = (notes: string): readonly string[] =>
      /^ {2}helm (upgrade .*lassName=.*)$/m.exec(notes)?.[1]?.split(' ') ?? [];
    const asWritten = (args: readonly string[]): string => args.slice(3).join(' ');
    const inChart = (args: readonly string[]): readonly string[] =>
      args.map((arg) => (arg === 'deploy/helm/postern' ? CHART : arg));
    const sidecar = { enabled: true, namespaces: ['shop'], className: 'edge-sidecar' };
    await release(['install', 'other', CHART, '-n', 'infra'], { className: 'edge' });
    const edge = await release(['install', 'edge', CHART, '-n', 'shop'], { className: 'edge' });
    assert.match(
      edge,
      /class "edge" too \("other" in "infra"\).*\nIt is this one's by its name\. Give the other a class/,
    );
    const ofOther = commandOf(edge);
    assert.equal(
      `${ofOther[1]} ${asWritten(ofOther)}`,
      'other -n infra --reset-then-reuse-values --set className=other',
    );
    await release(inChart(ofOther));
    const same = await release(['install', 'edge', CHART, '-n', 'infra'], { className: 'edge', sidecar });
    assert.match(same, /class "edge" too \("edge" in "shop"\)/);
    const ofSame = commandOf(same);
    assert.equal(
      `${ofSame[1]} ${asWritten(ofSame)}`,
      'edge -n infra --reset-then-reuse-values --set className=edge-infra',
    );
    assert.doesNotMatch(await release(inChart(ofSame)), /WARNING/);
    const pods = await release(['install', 'edge', CHART, '-n', 'default'], { className: 'third', sidecar });
    const ofPods = commandOf(pods);
    assert.equal(
      asWritten(ofPods),
      '-n default --reset-then-reuse-values --set sidecar.className=edge-default-sidecar',
    );
    assert.doesNotMatch(await release(inChart(ofPods)), /WARNING/);
    for (const [name, namespace] of [
      ['other', 'infra'],
      ['edge', 'infra'],
      ['edge', 'shop'],
      ['edge', 'default'],
    ] as const)
      await release(['uninstall', name, '-n', namespace]);
  });
});
