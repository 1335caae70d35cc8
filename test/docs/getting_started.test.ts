import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { load } from '../cases/run-case.ts';
import { type ApiServer, startApiServer } from '../components/api-server.ts';
import { requireComponent, run, skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { startTestAgent, type TestAgent } from '../envoy/harness.ts';
import { helm, obtainedHelm, type Rendered } from '../helm/chart.ts';
import { RULES } from '../kube/cluster.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/getting-started.md'), 'utf8');
const SECTION = PAGE.slice(PAGE.indexOf('## In a cluster'), PAGE.indexOf('## It says 403'));
const WITHIN_MS = 30_000;

const block = (language: string, begin: string): string => {
  const blocks = [...SECTION.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))];
  return blocks.find(([, text]) => text?.startsWith(begin))?.[1] ?? assert.fail(`no ${language} block "${begin}"`);
};

describe('docs/getting-started.md', () => {
  it('gives the agent the rights that the tests give it, and no others', () => {
    const given = [...PAGE.matchAll(/^ {2}- (\{apiGroups: .*\})$/gm)].map(([, rule]) => rule);
    assert.deepEqual(
      given,
      [...RULES.matchAll(/^- (\{.*\})$/gm)].map(([, rule]) => rule),
    );
  });

  it('grants the sample what it claims, and nothing is accepted without that', async () => {
    const sample = readFileSync(join(ROOT, 'policies/orders.yaml'), 'utf8');
    const grant = block('yaml', 'apiVersion: postern.dev/v1alpha1\nkind: HostGrant');
    const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n';
    const refusedBy = async (...documents: readonly string[]): Promise<readonly string[]> => {
      const { build } = await load(documents.join('---\n'), { hostGrants: 'required', hasNamespaces: true });
      return build.reports
        .filter(({ isAccepted }) => !isAccepted)
        .flatMap(({ problems }) => problems.map(({ reason }) => reason));
    };
    assert.deepEqual(await refusedBy(namespace, grant, sample), []);
    assert.deepEqual(new Set(await refusedBy(namespace, sample)), new Set(['HostNotGranted']));
  });

  it('installs the chart with values that it takes', { skip: skipWithout(obtainedHelm) }, async () => {
    const line =
      block('sh', 'docker build')
        .split('\n')
        .find((command) => command.startsWith('helm ')) ?? assert.fail();
    const [, , ...args] = line.split(' ');
    const { code, stdout, stderr } = await helm(['template', ...args.map(inRoot)]);
    assert.deepEqual([code, stderr], [0, '']);
    const objects = parseAllDocuments(stdout).map((document) => document.toJS() as Rendered | null);
    const found = (kind: string): Rendered => objects.find((object) => object?.kind === kind) ?? assert.fail(kind);
    assert.equal(found('Deployment').spec.template.spec.containers[0].image, 'registry.example.org/postern:0.1.0');
    const { metadata, spec } = found('Service');
    const address = `${metadata.name}.${metadata.namespace}.svc:${spec.ports[0].port}`;
    assert.ok(SECTION.includes(`\`${address}\``), address);
  });
});

const inRoot = (word: string): string => (word.startsWith('deploy/') ? join(ROOT, word) : word);

describe('docs/getting-started.md, without the chart', async () => {
  const found = await obtainKubernetes();
  const folder = mkdtempSync(join(tmpdir(), 'postern-started-'));
  let api: ApiServer;
  let agent: TestAgent | undefined;

  before(async () => {
    if ('path' in found) api = await startApiServer(found.path);
    for (const name of ['deploy', 'policies']) symlinkSync(join(ROOT, name), join(folder, name));
    writeFileSync(join(folder, 'postern-rights.yaml'), block('yaml', 'apiVersion: v1'));
  });
  after(async () => {
    await agent?.stop();
    await api?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const shell = async (commands: string): Promise<void> => {
    const binaries = 'path' in found ? found.path : '';
    const env = { PATH: `${binaries}:${process.env.PATH}`, KUBECONFIG: api.kubeconfig, HOME: folder };
    await run('bash', ['-ec', commands], { cwd: folder, env });
  };

  it('is followed word by word, and leads to an agent that serves and writes status', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    await shell(block('sh', 'kubectl apply -f deploy/crds'));
    const [serve = '', ...rest] = block('sh', 'kubectl config view').trim().split('\n').reverse();
    await shell(rest.reverse().join('\n'));
    const [, flags] = /^npm run -s policy -- serve (.*)$/.exec(serve) ?? assert.fail(serve);
    const given = (flags ?? '').split(' ').map((flag) => flag.slice(2).split('='));
    assert.deepEqual(
      given.map(([name]) => name),
      ['kube', 'kubeconfig', 'host-grants', 'client-address'],
    );
    const kubeconfig = join(folder, 'postern.kubeconfig');
    const options = Object.fromEntries(given.map(([name, value]) => [name, value ?? 'true']));
    agent = await startTestAgent('', { ...options, kubeconfig });
    await agent.ready;
    await shell('kubectl apply -f policies/orders.yaml');
    const status = ['get', 'apol', 'orders', '-o', 'jsonpath={.status.conditions[*].status}'];
    await until(async () => (await api.kubectl(status)).stdout === 'True True True', WITHIN_MS);
    const { stdout } = await api.kubectl(['get', 'lease', '-A', '-o', 'jsonpath={.items[*].metadata.name}']);
    // An API server sets up what it keeps of new kinds for a moment, and says so to whoever asks meanwhile.
    const lines = agent.lines.filter(({ level, why }) => level !== 'info' && why !== 'storage is (re)initializing');
    assert.deepEqual(
      [
        stdout.split(' ').flatMap((name) => /^postern-(?:replica-postern(?=-)|status-postern$)/.exec(name)?.[0] ?? []),
        lines,
      ],
      [['postern-replica-postern', 'postern-status-postern'], []],
    );
    assert.equal(
      readFileSync(kubeconfig, 'utf8').includes(api.token),
      false,
      'it holds the credentials of nobody else',
    );
  });
});
