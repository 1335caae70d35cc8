import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { parse, parseAllDocuments } from 'yaml';
import { apiPolicySpec } from '../../internal/policy/resource/api-policy.ts';
import { API_VERSION, KINDS } from '../../internal/policy/resource/kinds.ts';
import type { ApiServer } from '../components/api-server.ts';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { startTestAgent, type TestAgent } from '../envoy/harness.ts';
import { startCrdCluster } from './crd-cluster.ts';

const ROOT = join(import.meta.dirname, '../..');
const SAMPLE = join(ROOT, 'policies/orders.yaml');
const WITHIN_MS = 30_000;
const PAGES = globSync(['*.md', 'docs/**/*.md', 'policies/*.md', 'internal/**/*.md'], { cwd: ROOT });
const SECTIONS = Object.keys(apiPolicySpec.shape);

const BASELINE = JSON.stringify({
  apiVersion: API_VERSION,
  kind: 'APIBaseline',
  metadata: { name: 'platform' },
  spec: {
    namespaceSelector: {},
    overrides: { authorization: { rules: [{ name: 'a', deny: { methods: ['TRACE'] } }] } },
  },
});

interface Sample {
  readonly where: string;
  readonly yaml: string;
}

/** The YAML of a page: whole objects, and sections of a policy, which get a policy around them. */
function samplesOf(page: string): readonly Sample[] {
  const blocks = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, text = ''], index) => {
    const where = `${page}, block ${index + 1}`;
    if (text.includes(API_VERSION)) return [{ where, yaml: text }];
    // Objects of Kubernetes' own are tried by other tests.
    if (/^apiVersion:/m.test(text)) return [];
    const section = parse(text) as object;
    if (!Object.keys(section).every((key) => SECTIONS.includes(key))) return [];
    const spec = { target: { hosts: ['a.example.org'] }, ...section };
    return [
      { where, yaml: JSON.stringify({ apiVersion: API_VERSION, kind: 'APIPolicy', metadata: { name: 'a' }, spec }) },
    ];
  });
}

describe('what the pages and samples show', async () => {
  const found = await obtainKubernetes();
  let api: ApiServer;
  let agent: TestAgent | undefined;

  before(async () => {
    if (!('path' in found)) return;
    api = await startCrdCluster(found.path);
    for (const name of ['shop', 'web']) await api.kubectl(['create', 'namespace', name]);
  });
  after(async () => {
    await agent?.stop();
    await api?.stop();
  });

  const samples = PAGES.flatMap(samplesOf);
  it('is found', () => {
    assert.ok(samples.some(({ where }) => where.startsWith('README.md')));
    assert.ok(samples.some(({ where }) => where.startsWith('internal/phases/')));
  });
  for (const { where, yaml } of [...samples, { where: 'policies/orders.yaml', yaml: readFileSync(SAMPLE, 'utf8') }]) {
    it(`is accepted by an API server: ${where}`, async (t) => {
      if (requireComponent(found, t) === undefined) return;
      const { code, stderr } = await api.kubectl(['apply', '--dry-run=server', '-f', '-'], yaml);
      assert.deepEqual([code, stderr], [0, '']);
    });
  }

  it('shows in its columns what any class finds wrong, not what the first one says', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const lastTransitionTime = new Date().toISOString();
    const entry = (className: string, status: string, reason: string): object => {
      const condition = { type: 'Accepted', status, reason, message: '', lastTransitionTime };
      return {
        className,
        conditions: [condition, { ...condition, type: 'ResolvedRefs', status: 'True', reason: 'Fine' }],
      };
    };
    const row = async (instances: readonly object[]): Promise<readonly string[]> => {
      const spec = { hosts: ['columns.example.org'], namespaceSelector: {} };
      const body = { apiVersion: API_VERSION, kind: 'HostGrant', metadata: { name: 'columns' }, spec };
      await api.kubectl(['apply', '-f', '-'], JSON.stringify(body));
      const patch = JSON.stringify({ status: { instances } });
      const { code, stderr } = await api.kubectl([
        'patch',
        'hgrant',
        'columns',
        '--subresource=status',
        '--type=merge',
        '-p',
        patch,
      ]);
      assert.equal(code, 0, stderr);
      const { stdout } = await api.kubectl(['get', 'hgrant', 'columns', '--no-headers']);
      return stdout
        .trim()
        .split(/ {2,}/)
        .slice(2, -1)
        .map((text) => text.replace(/^\d+s$/, 'seconds'));
    };
    const good = entry('a', 'True', 'Accepted');
    assert.deepEqual(await row([good, entry('b', 'False', 'InvalidSpec')]), ['seconds', 'InvalidSpec']);
    assert.deepEqual(await row([good, entry('b', 'True', 'Accepted')]), ['seconds']);
    assert.deepEqual(await row([]), []);
    await row([good, entry('old', 'False', 'InvalidSpec')]);
    const at = '/status/instances/1';
    const removed = JSON.stringify([
      { op: 'test', path: `${at}/className`, value: 'old' },
      { op: 'remove', path: at },
    ]);
    await api.kubectl(['patch', 'hgrant', 'columns', '--subresource=status', '--type=json', '-p', removed]);
    const { stdout } = await api.kubectl([
      'get',
      'hgrant',
      'columns',
      '-o',
      'jsonpath={.status.instances[*].className}',
    ]);
    assert.equal(stdout, 'a', 'as docs/why-refused.md has it removed');
    await api.kubectl(['delete', 'hgrant', 'columns']);
  });

  it('is accepted by an agent, which says so of every kind in its columns', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const sent = parseAllDocuments(readFileSync(SAMPLE, 'utf8')).map((document) => document.toJS() as Sent);
    // Kinds of the cluster are a platform's to write: docs/baselines.md and docs/multi-tenancy.md show them.
    const ofNamespaces = Object.values(KINDS).filter(({ scope }) => scope === 'Namespaced');
    assert.deepEqual(new Set(sent.map(({ kind }) => kind)), new Set(ofNamespaces.map(({ kind }) => kind)));
    await api.kubectl(['apply', '-f', SAMPLE]);
    agent = await startTestAgent('', { kube: 'true', kubeconfig: api.kubeconfig, 'host-grants': 'first-come' });
    await agent.ready;
    const wanted = sent.map(({ kind, metadata }) => `${kind.toLowerCase()}.postern.dev/${metadata.name}`).sort();
    assert.deepEqual(await until(async () => (await accepted(api)).sort(), wanted), wanted);
    const header = async (name: string, ...flags: string[]): Promise<string[]> =>
      (await api.kubectl(['get', name, ...flags])).stdout.split('\n', 1)[0]?.trim().split(/\s+/) ?? [];
    assert.deepEqual(await header('apol'), ['NAME', 'CLASS', 'MODE', 'ACCEPTED', 'RESOLVED', 'PROGRAMMED', 'AGE']);
    assert.deepEqual(await header('acon', '-o', 'wide'), ['NAME', 'ANSWERED', 'PROBLEM', 'AGE']);
    assert.deepEqual(await header('arole'), ['NAME', 'ANSWERED', 'PROBLEM', 'AGE']);
    assert.deepEqual(await header('arb'), ['NAME', 'ROLE', 'ANSWERED', 'PROBLEM', 'AGE']);
    assert.equal((await api.kubectl(['apply', '-f', '-'], BASELINE)).code, 0);
    assert.deepEqual(
      await until(async () => (await accepted(api)).sort(), [...wanted, 'apibaseline.postern.dev/platform'].sort()),
      [...wanted, 'apibaseline.postern.dev/platform'].sort(),
    );
    assert.deepEqual(await header('abase'), ['NAME', 'PRECEDENCE', 'ANSWERED', 'PROBLEM', 'AGE']);
  });

  it('has a status that only its subresource changes', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const forged = { status: { accepted: { generation: 1, spec: 'forged' } }, metadata: { labels: { by: 'author' } } };
    const path = `/apis/${API_VERSION}/namespaces/default/apipolicies/orders`;
    const contentType = 'application/merge-patch+json';
    const { status, body } = await api.call('PATCH', path, forged, { contentType });
    assert.equal(status, 200);
    const object = body as { metadata: { labels: object }; status?: { accepted?: { spec?: string } } };
    assert.deepEqual(object.metadata.labels, { by: 'author' });
    assert.notEqual(object.status?.accepted?.spec, 'forged');
  });
});

interface Sent {
  readonly kind: keyof typeof KINDS;
  readonly metadata: { readonly name: string };
}

interface Said {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** What `kubectl get postern` finds with Accepted and ResolvedRefs both True. */
async function accepted(api: ApiServer): Promise<string[]> {
  const { stdout } = await api.kubectl(['get', 'postern', '-o', 'json']);
  const { items } = JSON.parse(stdout) as {
    items: readonly (Sent & { status?: Said & { instances?: readonly Said[] } })[];
  };
  const isGood = ({ conditions = [] }: Said): boolean =>
    ['Accepted', 'ResolvedRefs'].every((wanted) =>
      conditions.some(({ type, status }) => type === wanted && status === 'True'),
    );
  return items
    .filter(({ status = {} }) => isGood(status) || (status.instances ?? []).some(isGood))
    .map(({ kind, metadata }) => `${kind.toLowerCase()}.postern.dev/${metadata.name}`);
}

async function until<T>(read: () => Promise<T>, wanted: T): Promise<T> {
  const give = performance.now() + WITHIN_MS;
  for (;;) {
    const value = await read();
    if (JSON.stringify(value) === JSON.stringify(wanted) || performance.now() > give) return value;
    await wait(100);
  }
}
