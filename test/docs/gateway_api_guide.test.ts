import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, before, describe, it, type TestContext } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import { envoyBinary, type Front, send, sendRaw, startTestAgent, type TestAgent } from '../envoy/harness.ts';
import { clusterOf, filterForAll, type HTTPRoute, type Made, serviceByRoute } from './external-auth-config.ts';
import { startGuideFront } from './guide-front.ts';
import { blockOf, yamlOf } from './page.ts';

const PAGE = 'docs/gateway-api.md';
const KEY = 'a-key-of-the-route-0123456789';
const SIGNED = ['Host: orders.example.org', `X-Api-Key: ${KEY}`];
const OBJECTS = `
${blockOf(PAGE, 'yaml', 'kind: HostGrant')}
---
${blockOf(PAGE, 'yaml', 'kind: APIPolicy')}
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme, namespace: shop}
spec: {groups: [partners], keys: [{name: k, sha256: ${hash('sha256', KEY, 'hex')}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: by-route, namespace: shop}
spec:
  target: {routes: [{name: orders}]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
`;

const route = yamlOf<HTTPRoute>(PAGE, 'kind: HTTPRoute\nmetadata');
const shown = yamlOf<{ http_filters: object[]; virtual_hosts: object[]; clusters: object[] }>(PAGE, 'http_filters:');
const [asking] = route.spec.rules;
assert.ok(asking);
const [filter] = asking.filters ?? [];
assert.ok(filter?.externalAuth);
const UPSTREAM = 'shop/orders/8080';
const found = await envoyBinary();
const path = 'path' in found ? found.path : '';
const WAYS: Readonly<Record<string, (of: HTTPRoute) => Made>> = {
  'a service for each route': serviceByRoute,
  'a filter that other routes switch off': filterForAll,
};

describe('docs/gateway-api.md', { skip: skipWithout(found) }, () => {
  let agent: TestAgent;
  before(async () => {
    // The chart's own default: without the grant of the page none of it is accepted.
    const grants = { 'host-grants': 'required' };
    agent = await startTestAgent(OBJECTS, { bodies: 'forwarded', 'trust-context-extensions': 'false', ...grants });
    await agent.ready;
  });
  after(() => agent?.stop());

  async function inFront(t: TestContext, made: Made, asked = agent): Promise<Front> {
    const port = Number(asked.grpcAddress.split(':').at(-1));
    const front = await startGuideFront(path, port, { ...made, clusters: shown.clusters, upstreams: [UPSTREAM] });
    t.after(() => front.stop());
    return front;
  }
  const withRule = (rule: Partial<HTTPRoute['spec']['rules'][number]>): HTTPRoute => ({
    ...route,
    spec: { ...route.spec, rules: [{ ...asking, ...rule }, asking] },
  });

  it('shows the filter, the route and the cluster that the HTTPRoute on it comes to', () => {
    const { httpFilters, virtualHosts } = serviceByRoute(route);
    assert.deepEqual([shown.http_filters, shown.virtual_hosts], [httpFilters, virtualHosts]);
    assert.deepEqual(
      shown.clusters.map((cluster) => (cluster as { name: string }).name),
      [filter.externalAuth && clusterOf(filter.externalAuth.backendRef)],
    );
  });

  for (const [way, make] of Object.entries(WAYS)) {
    it(`lets a partner in, under its own name only, and nobody else: ${way}`, async (t) => {
      const { port, upstream } = await inFront(t, make(route));
      const refused = await send(port, '/v1/orders/7', ['Host: orders.example.org']);
      assert.equal(refused.status, 401);
      assert.match(refused.headers['x-postern-decision-id'] ?? '', /^[0-9a-f]{32}$/);
      assert.equal((await send(port, '/v1/orders/7', [...SIGNED, 'X-Caller: boss'])).status, 200);
      assert.deepEqual([upstream.count(), upstream.seen.at(-1)?.headers['x-caller']], [1, 'acme']);
    });

    it(`reads bodies, and refuses where one is cut that a rule reads: ${way}`, async (t) => {
      const { port } = await inFront(t, make(route));
      const post = async (body: string): Promise<number> =>
        (await sendRaw(port, ['POST /v1/x HTTP/1.1', ...SIGNED, `Content-Length: ${body.length}`], body)).status;
      assert.deepEqual([await post('{"amount":1}'), await post('{"refund":1}')], [200, 403]);
      assert.equal(await post(`{"amount":"${'9'.repeat(70_000)}"}`), 403);
    });

    it(`lets nobody through while Postern cannot be asked: ${way}`, async (t) => {
      const away = await startTestAgent(OBJECTS);
      const { port, upstream } = await inFront(t, make(route), away);
      await away.stop();
      assert.deepEqual([(await send(port, '/v1/x', SIGNED)).status, upstream.count()], [403, 0]);
    });

    it(`warns with reason of a rule without the filter: nobody is asked: ${way}`, async (t) => {
      const { port } = await inFront(t, make(withRule({ matches: [{ path: { value: '/v1/new' } }], filters: [] })));
      const { status, headers } = await send(port, '/v1/new', ['Host: orders.example.org']);
      assert.deepEqual([status, headers['x-postern-decision-id']], [200, undefined]);
      assert.equal((await send(port, '/v1/old', ['Host: orders.example.org'])).status, 401);
    });
  }

  it('judges by the path that the client sent, and leaves the last word on headers to the route', async (t) => {
    const { httpFilters, virtualHosts } = serviceByRoute(route);
    const modifier = { header: { key: 'x-caller', value: 'the route' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' };
    const changed = virtualHosts.map((host) => ({ ...host, request_headers_to_add: [modifier] }));
    const rewritten = JSON.parse(
      JSON.stringify(changed).replace(`"cluster":"${UPSTREAM}"`, `"cluster":"${UPSTREAM}","prefix_rewrite":"/x"`),
    ) as object[];
    const { port, upstream } = await inFront(t, { httpFilters, virtualHosts: rewritten });
    assert.equal((await send(port, '/v1/orders', SIGNED)).status, 200);
    const { url, headers } = upstream.seen.at(-1) ?? assert.fail();
    assert.deepEqual([url, headers['x-caller']], ['/x/orders', 'the route']);
  });
});
