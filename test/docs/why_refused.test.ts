import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, before, describe, it, type TestContext } from 'node:test';
import { REASONS } from '../../internal/core/reasons.ts';
import { skipWithout } from '../components/cache.ts';
import { until } from '../components/until.ts';
import {
  type Answer,
  envoyBinary,
  type Front,
  send,
  sendRaw,
  startTestAgent,
  type TestAgent,
} from '../envoy/harness.ts';
import { type GuideConfig, startGuideFront, TO_UPSTREAM } from './guide-front.ts';
import { readPage, yamlOf } from './page.ts';

const PAGE = 'docs/why-refused.md';
const KEY = 'a-key-of-somebody-0123456789';
const OBJECTS = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: orders, namespace: shop}
spec:
  target: {hosts: [orders.example.org]}
  authentication: {methods: [{name: keys, apiKey: {}}]}
  authorization: {rules: [{name: gets, allow: {methods: [GET]}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme, namespace: shop}
spec: {keys: [{name: k, sha256: ${hash('sha256', KEY, 'hex')}}]}
`;
/** Rows of the page's first table: what the answer has, who refused, the detail in Envoy's log. */
const ROWS = readPage(PAGE)
  .slice(readPage(PAGE).indexOf('## 1.'), readPage(PAGE).indexOf('## 2.'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| The answer') && !line.startsWith('| ---'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, has = '', by = '', details = '']) => ({ has, by, details }));
const found = await envoyBinary();
const path = 'path' in found ? found.path : '';
const { clusters } = yamlOf<{ clusters: object[] }>('docs/istio.md', 'http_filters:');
const CLUSTER = clusters.map((cluster) => (cluster as { name: string }).name).join();
const LOG = {
  name: 'log',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog',
    log_format: { text_format_source: { inline_string: 'DETAILS %RESPONSE_CODE_DETAILS%\n' } },
  },
};
const ASK = (fields: object): object => ({
  name: 'ask',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
    transport_api_version: 'V3',
    grpc_service: { envoy_grpc: { cluster_name: CLUSTER, authority: 'postern' }, timeout: '1s' },
    ...fields,
  },
});
const DENY_ALL = {
  name: 'rbac',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
    rules: { action: 'DENY', policies: { 'some[1]': { permissions: [{ any: true }], principals: [{ any: true }] } } },
  },
};
const HOST = 'Host: orders.example.org';
const SIGNED = [HOST, `X-Api-Key: ${KEY}`];

describe('docs/why-refused.md', { skip: skipWithout(found) }, () => {
  let agent: TestAgent;
  before(async () => {
    agent = await startTestAgent(OBJECTS);
    await agent.ready;
  });
  after(() => agent?.stop());

  async function inFront(t: TestContext, config: Partial<GuideConfig>, asked = agent): Promise<Front> {
    const port = Number(asked.grpcAddress.split(':').at(-1));
    const base = { ...TO_UPSTREAM, httpFilters: [ASK({})], clusters, ...config };
    const manager = {
      normalize_path: true,
      path_with_escaped_slashes_action: 'REJECT_REQUEST',
      access_log: [LOG],
      access_log_options: { flush_access_log_on_new_request: false },
      ...config.manager,
    };
    const front = await startGuideFront(path, port, { ...base, manager });
    t.after(() => front.stop());
    return front;
  }

  /** What one request leaves in Envoy's log. */
  async function detailOf(front: Front, answer: Answer): Promise<string> {
    assert.notEqual(answer.status, 0);
    const last = (): string | undefined => /DETAILS (.*)\n$/.exec(front.envoy.said())?.[1];
    await until(() => last() !== undefined);
    return last() ?? '';
  }
  const row = (words: string): (typeof ROWS)[number] => {
    const rows = ROWS.filter(({ has, by }) => `${has} ${by}`.includes(words));
    assert.equal(rows.length, 1, words);
    return rows[0] ?? assert.fail();
  };
  const idOf = ({ headers }: Answer): string | undefined => headers['x-postern-decision-id'];

  it('tells a refusal of Postern by its id and its document', async (t) => {
    const front = await inFront(t, {});
    const answer = await send(front.port, '/', [HOST]);
    assert.deepEqual([answer.status, answer.headers['content-type']], [401, 'application/problem+json']);
    assert.equal((JSON.parse(answer.body) as { decisionId: string }).decisionId, idOf(answer));
    assert.ok(row('the same `decisionId`').details.includes(`\`${await detailOf(front, answer)}\``));
  });

  it('tells an answer of the API by the id without that document', async (t) => {
    const front = await inFront(t, {});
    const answer = await send(front.port, '/', SIGNED);
    assert.notEqual(idOf(answer), undefined);
    assert.notEqual(answer.headers['content-type'], 'application/problem+json');
    assert.equal(row('your API').details, `\`${await detailOf(front, answer)}\``);
  });

  it('tells by an empty answer that Envoy could not ask, whatever status it was told', async (t) => {
    const away = await startTestAgent(OBJECTS);
    const plain = await inFront(t, {}, away);
    const told = await inFront(t, { httpFilters: [ASK({ status_on_error: { code: 503 } })] }, away);
    await away.stop();
    for (const [front, status] of [
      [plain, 403],
      [told, 503],
    ] as const) {
      const answer = await send(front.port, '/', SIGNED);
      assert.deepEqual([answer.status, answer.body, idOf(answer)], [status, '', undefined]);
      assert.equal(row('could not ask').details, `\`${await detailOf(front, answer)}\``);
      assert.equal(await front.envoy.stat('http.ingress.ext_authz.error'), 1);
    }
  });

  it('warns of a cluster whose name is no host name, where grpc-js is the transport and no authority is set', async (t) => {
    const slower = await startTestAgent(OBJECTS, { transport: 'grpc-js' });
    t.after(() => slower.stop());
    await slower.ready;
    const httpFilters = [ASK({ grpc_service: { envoy_grpc: { cluster_name: CLUSTER } } })];
    for (const [asked, status] of [
      [slower, 403],
      [agent, 200],
    ] as const) {
      const answer = await send((await inFront(t, { httpFilters }, asked)).port, '/', SIGNED);
      assert.deepEqual([answer.status, idOf(answer) !== undefined], [status, status === 200]);
    }
  });

  it('tells an RBAC filter by its words', async (t) => {
    const front = await inFront(t, { httpFilters: [DENY_ALL, ASK({})] });
    const answer = await send(front.port, '/', SIGNED);
    assert.deepEqual([answer.status, answer.body, idOf(answer)], [403, 'RBAC: access denied', undefined]);
    assert.match(await detailOf(front, answer), /^rbac_access_denied_matched_policy\[some/);
    assert.match(row('RBAC: access denied').details, /^`rbac_access_denied_matched_policy\[…\]`$/);
  });

  it('tells a body that is too large for Envoy, and a path that Envoy does not take, by answers without an id', async (t) => {
    const front = await inFront(t, { httpFilters: [ASK({ with_request_body: { max_request_bytes: 10 } })] });
    const large = await sendRaw(front.port, ['POST / HTTP/1.1', ...SIGNED, 'Content-Length: 20'], 'x'.repeat(20));
    assert.deepEqual(
      [large.status, idOf(large), row(', 413').details],
      [413, undefined, `\`${await detailOf(front, large)}\``],
    );
    const other = await inFront(t, {});
    const path = await send(other.port, '/a%2fb', SIGNED);
    assert.deepEqual(
      [path.status, idOf(path), row(', 400').details],
      [400, undefined, `\`${await detailOf(other, path)}\``],
    );
  });

  it('tells a route or an upstream that is not there by answers without an id', async (t) => {
    const { details } = row('404 or 503');
    const empty = await inFront(t, { virtualHosts: [{ name: 'none', domains: ['other.example.org'] }] });
    const lost = await send(empty.port, '/', SIGNED);
    assert.equal(lost.status, 404);
    assert.ok(details.includes(`\`${await detailOf(empty, lost)}\``), details);
  });

  it('names every reason that comes as 403, and no other', () => {
    const text = readPage(PAGE);
    const table = text.slice(text.indexOf('## 3.'), text.indexOf('## 4.'));
    const named = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) => cell.match(/[a-z_]+/g) ?? []);
    const forbidden = Object.entries(REASONS).filter(([, { http }]) => http === 403);
    assert.deepEqual(named.filter((name) => name !== 'reason').sort(), forbidden.map(([name]) => name).sort());
  });
});
