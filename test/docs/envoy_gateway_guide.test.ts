import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, before, describe, it, type TestContext } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { skipWithout } from '../components/cache.ts';
import {
  type Answer,
  envoyBinary,
  type Front,
  send,
  sendRaw,
  startTestAgent,
  type TestAgent,
} from '../envoy/harness.ts';
import {
  clusterOf,
  clusterOfRule,
  gatewayFilter,
  gatewayHost,
  type HTTPRoute,
  type SecurityPolicy,
} from './envoy-gateway-config.ts';
import { startGuideFront } from './guide-front.ts';
import { blockOf, yamlOf } from './page.ts';

const PAGE = 'docs/envoy-gateway.md';
const PARTNER = 'X-Api-Key: a-key-of-a-partner-0123456789';
const STAFF = 'X-Api-Key: a-key-of-the-staff-0123456789';
const consumer = (name: string, group: string, line: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: ${name}, namespace: shop}
spec: {groups: [${group}], keys: [{name: k, sha256: ${hash('sha256', line.split(': ')[1] ?? '', 'hex')}}]}
`;
const open = (namespace: string, name: string, target: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {target: ${target}, authentication: {anonymous: {}}, authorization: {rules: [{name: all, allow: {any: {}}}]}}
`;
const OBJECTS = [
  blockOf(PAGE, 'yaml', 'target: {routes: [{name: orders}]}'),
  consumer('acme', 'partners', PARTNER),
  consumer('boss', 'staff', STAFF),
  open('web', 'open', '{hosts: [open.example.org]}'),
  open('shop', 'site', '{hosts: [site.example.org]}'),
].join('---\n');

const [security] = parseAllDocuments(blockOf(PAGE, 'yaml', 'kind: SecurityPolicy\nmetadata')).map(
  (document) => document.toJS() as SecurityPolicy,
) as [SecurityPolicy];
const orders = yamlOf<HTTPRoute>(PAGE, 'kind: HTTPRoute\nmetadata');
const shown = yamlOf<{ http_filters: object[]; virtual_hosts: object[]; clusters: object[] }>(PAGE, 'http_filters:');
/** Chart values in the agent's own words. */
const { options } = yamlOf<{ options: Record<string, string> }>(PAGE, 'options:\n  client');
const FLAGS = Object.fromEntries(
  Object.entries(options).map(([name, value]) => [
    name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    value,
  ]),
);
const GATEWAY = {
  use_remote_address: true,
  normalize_path: true,
  merge_slashes: true,
  path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT',
  common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' },
};
const route = (namespace: string, name: string, host: string): HTTPRoute => ({
  metadata: { namespace, name },
  spec: { hostnames: [host], rules: [{ matches: [{ path: { value: '/' } }] }] },
});
const withAuth = (changes: Partial<SecurityPolicy['spec']['extAuth']>): SecurityPolicy => {
  const { extAuth } = security.spec;
  assert.ok(extAuth);
  return { ...security, spec: { ...security.spec, extAuth: { ...extAuth, ...changes } } };
};
const found = await envoyBinary();
const path = 'path' in found ? found.path : '';
const host = (name: string): string => `Host: ${name}`;
const ORDERS = host('orders.example.org');

describe('docs/envoy-gateway.md', { skip: skipWithout(found) }, () => {
  let agent: TestAgent;
  let front: Front;

  before(async () => {
    agent = await startAgent();
    front = await startGuideFront(path, portOf(agent), {
      httpFilters: shown.http_filters,
      virtualHosts: shown.virtual_hosts,
      clusters: shown.clusters,
      upstreams: orders.spec.rules.map((_, index) => clusterOfRule(orders, index)),
      manager: GATEWAY,
    });
  });
  after(async () => {
    await front?.stop();
    await agent?.stop();
  });

  async function startAgent(flags: Readonly<Record<string, string>> = {}): Promise<TestAgent> {
    const started = await startTestAgent(OBJECTS, { ...FLAGS, 'trust-context-extensions': 'false', ...flags });
    await started.ready;
    return started;
  }
  const portOf = ({ grpcAddress }: TestAgent): number => Number(grpcAddress.split(':').at(-1));
  /** The gateway with these routes, each governed by this policy. */
  async function gateway(
    t: TestContext,
    routes: readonly HTTPRoute[],
    policy: SecurityPolicy | undefined = security,
    asked = agent,
  ): Promise<Front> {
    const started = await startGuideFront(path, portOf(asked), {
      httpFilters: [gatewayFilter(policy)],
      virtualHosts: routes.map((one) => gatewayHost(one, policy)),
      clusters: shown.clusters,
      upstreams: routes.flatMap((one) => one.spec.rules.map((_, index) => clusterOfRule(one, index))),
      manager: GATEWAY,
    });
    t.after(() => started.stop());
    return started;
  }
  const told = ({ status, headers, body }: Answer): readonly [number, string] => {
    assert.notEqual(headers['x-postern-decision-id'], undefined);
    return [status, status === 200 ? '' : ((JSON.parse(body) as { type: string }).type.split(':').at(-1) ?? '')];
  };

  it('shows the filter, the routes and the cluster that Envoy Gateway makes of what it tells to apply', () => {
    assert.deepEqual(shown.http_filters, [gatewayFilter(security)]);
    assert.deepEqual(shown.virtual_hosts, [gatewayHost(orders, security)]);
    assert.deepEqual(
      shown.clusters.map((cluster) => (cluster as { name: string }).name),
      [clusterOf(security)],
    );
  });

  it('has the policy of a rule go before the one of its route', async () => {
    const ask = async (target: string, ...lines: string[]) => told(await send(front.port, target, [ORDERS, ...lines]));
    assert.deepEqual(await ask('/v1/orders/7', PARTNER), [200, '']);
    assert.deepEqual(await ask('/v1/orders/7', STAFF), [403, 'not_allowed']);
    assert.deepEqual(await ask('/admin/orders', PARTNER), [403, 'not_allowed']);
    assert.deepEqual(await ask('/admin/orders', STAFF), [200, '']);
    assert.deepEqual(await ask('/admin/orders'), [401, 'credential_missing']);
  });

  it('lets no client say by a header which route it took, or which policy judges it', async () => {
    const words = [
      'X-Postern-Policy: web/open',
      'X-Envoy-Original-Path: /v1/orders',
      'X-Forwarded-Host: open.example.org',
      'Envoy-Gateway: {"resources":[{"kind":"HTTPRoute","namespace":"web","name":"open"}]}',
    ];
    assert.deepEqual(told(await send(front.port, '/admin/x', [ORDERS, PARTNER, ...words])), [403, 'not_allowed']);
  });

  it('judges a route that no policy names by its host and path', async (t) => {
    const { port } = await gateway(t, [
      route('shop', 'site', 'site.example.org'),
      route('shop', 'new', 'new.example.org'),
    ]);
    assert.deepEqual(told(await send(port, '/', [host('site.example.org')])), [200, '']);
    assert.deepEqual(told(await send(port, '/', [host('new.example.org')])), [404, 'no_route']);
  });

  it('lets no route of a namespace answer for a Host that another one holds', async (t) => {
    const { port, upstream } = await gateway(t, [
      { ...orders, spec: { ...orders.spec, hostnames: ['open.example.org'] } },
    ]);
    const answer = await send(port, '/v1/orders/7', [host('open.example.org'), PARTNER]);
    assert.deepEqual([told(answer), upstream.count()], [[403, 'host_conflict'], 0]);
  });

  it('refuses who asks without route metadata', async (t) => {
    const { port, upstream } = await gateway(t, [orders], withAuth({ includeRouteMetadata: false }));
    const answer = await send(port, '/v1/orders/7', [ORDERS, PARTNER]);
    assert.deepEqual([told(answer), upstream.count()], [[403, 'route_metadata_missing'], 0]);
  });

  it('heeds no context extension of a tenant, unless it is told to trust them', async (t) => {
    const named = withAuth({ contextExtensions: [{ name: 'postern.dev/policy', value: 'shop/site' }] });
    const tenant = await gateway(t, [orders], named);
    assert.deepEqual(told(await send(tenant.port, '/v1/orders/7', [ORDERS])), [401, 'credential_missing']);
    const trusting = await startAgent({ 'trust-context-extensions': 'true' });
    t.after(() => trusting.stop());
    const open = await gateway(t, [orders], named, trusting);
    assert.deepEqual(told(await send(open.port, '/v1/orders/7', [ORDERS])), [200, ''], 'why it stays off');
  });

  it('reads bodies; a larger one Envoy refuses itself', async () => {
    const post = async (body: string): Promise<number> =>
      (await sendRaw(front.port, ['POST /v1/x HTTP/1.1', ORDERS, PARTNER, `Content-Length: ${body.length}`], body))
        .status;
    assert.deepEqual([await post('{"amount":1}'), await post('{"refund":1}')], [200, 403]);
    const before = front.upstream.count();
    assert.deepEqual([await post(`"${'9'.repeat(70_000)}"`), front.upstream.count()], [413, before]);
  });

  it('warns with reason of headersToExtAuth: a deny on a header that is not listed never matches', async (t) => {
    const debugging = ['/v1/orders/7', [ORDERS, PARTNER, 'X-Debug: 1']] as const;
    assert.deepEqual(told(await send(front.port, ...debugging)), [403, 'denied_by_rule']);
    const { port } = await gateway(t, [orders], withAuth({ headersToExtAuth: ['x-api-key'] }));
    assert.deepEqual(told(await send(port, ...debugging)), [200, '']);
  });

  it('warns with reason of a SecurityPolicy that replaces the one of the Gateway: nobody is asked', async (t) => {
    const { port } = await gateway(t, [orders]);
    assert.equal((await send(port, '/v1/orders/7', [ORDERS])).status, 401);
    const replaced = await startGuideFront(path, portOf(agent), {
      httpFilters: [gatewayFilter(security)],
      virtualHosts: [gatewayHost(orders, undefined)],
      clusters: shown.clusters,
      upstreams: [0, 1].map((index) => clusterOfRule(orders, index)),
    });
    t.after(() => replaced.stop());
    const { status, headers } = await send(replaced.port, '/v1/orders/7', [ORDERS]);
    assert.deepEqual([status, headers['x-postern-decision-id']], [200, undefined]);
  });

  it('lets nobody through while Postern cannot be asked', async (t) => {
    const away = await startAgent();
    const { port, upstream } = await gateway(t, [orders], security, away);
    await away.stop();
    assert.deepEqual([(await send(port, '/v1/x', [ORDERS, PARTNER])).status, upstream.count()], [503, 0]);
  });
});
