import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, before, describe, it, type TestContext } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import { issue } from '../door/certificates.ts';
import { envoyBinary, type Front, openHttp2, send, sendRaw, startTestAgent, type TestAgent } from '../envoy/harness.ts';
import { type GuideConfig, startGuideFront, TO_UPSTREAM } from './guide-front.ts';
import { type AuthorizationPolicy, clusterName, istioFilters, type Provider } from './istio-config.ts';
import { blockOf, yamlOf } from './page.ts';

const PAGE = 'docs/istio.md';
const KEY = 'a-key-of-the-mesh-0123456789';
const SIGNED = `X-Api-Key: ${KEY}`;
const OBJECTS = `
${blockOf(PAGE, 'yaml', 'kind: HostGrant')}
---
apiVersion: postern.dev/v1alpha1
kind: HostGrant
metadata: {name: others}
spec: {hosts: [site.example.org, inside.example.org], namespaceSelector: {}}
---
${blockOf(PAGE, 'yaml', 'metadata: {name: orders, namespace: shop}')}
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme, namespace: shop}
spec: {groups: [partners], keys: [{name: k, sha256: ${hash('sha256', KEY, 'hex')}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: site, namespace: web}
spec:
  target: {hosts: [site.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: inside, namespace: shop}
spec:
  target: {hosts: [inside.example.org]}
  transport: {requireTLS: true}
  authentication: {anonymous: {}}
  authorization:
    rules:
      - {name: readers, allow: {roles: [order-reader]}}
      - {name: one-tenant, allow: {paths: [/tenant], when: [{expression: "request.headers['x-tenant'] == 'a'"}]}}
      - {name: address, allow: {paths: [/address]}}
  response: {upstreamHeaders: [{name: x-client, value: {expression: client.address}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIRole
metadata: {name: order-reader, namespace: shop}
spec: {permissions: [{name: read, policyRefs: [{name: inside}], methods: [GET], paths: ["/v1/**"]}]}
---
${blockOf(PAGE, 'yaml', 'kind: APIRoleBinding')}
`;

const { meshConfig } = yamlOf<{ meshConfig: { extensionProviders: [Provider] } }>(PAGE, 'extensionProviders');
const [provider] = meshConfig.extensionProviders;
const custom = yamlOf<AuthorizationPolicy>(PAGE, 'action: CUSTOM');
const ownHosts = yamlOf<AuthorizationPolicy>(PAGE, 'action: DENY\n  rules');
const shown = yamlOf<{ http_filters: object[]; clusters: object[] }>(PAGE, 'http_filters:');
/** What Istio sets of the connection manager: a sidecar, and a gateway. */
const INBOUND = { use_remote_address: false, normalize_path: true, forward_client_cert_details: 'APPEND_FORWARD' };
const GATEWAY = { use_remote_address: true, normalize_path: true, forward_client_cert_details: 'SANITIZE_SET' };
/** What it makes of the CUSTOM policy alone, as at a gateway. */
const ASKED = { ...TO_UPSTREAM, httpFilters: istioFilters(provider, [custom]), clusters: shown.clusters };

const found = await envoyBinary();
const path = 'path' in found ? found.path : '';
const host = (name: string): string => `Host: ${name}`;
const ORDERS = host('orders.example.org');

describe('docs/istio.md', { skip: skipWithout(found) }, () => {
  const authority = issue({ name: 'mesh', isCa: true });
  const server = issue({ name: 'server', issuer: authority });
  const tls = { certificate: server.certificate, key: server.privateKey, clientCa: authority.certificate };
  let agent: TestAgent;
  let front: Front;

  before(async () => {
    // The chart's own default: without the grant of the page none of it is accepted.
    const grants = { 'host-grants': 'required' };
    agent = await startTestAgent(OBJECTS, { bodies: 'forwarded', 'trust-context-extensions': 'false', ...grants });
    await agent.ready;
    const httpFilters = shown.http_filters;
    front = await startGuideFront(path, portOf(agent), { ...ASKED, httpFilters, manager: INBOUND });
  });
  after(async () => {
    await front?.stop();
    await agent?.stop();
  });

  const portOf = ({ grpcAddress }: TestAgent): number => Number(grpcAddress.split(':').at(-1));
  async function inFront(t: TestContext, config: Partial<GuideConfig>, asked = agent): Promise<Front> {
    const other = await startGuideFront(path, portOf(asked), { ...ASKED, ...config });
    t.after(() => other.stop());
    return other;
  }
  const rules = (...list: NonNullable<AuthorizationPolicy['spec']['rules']>): AuthorizationPolicy => ({
    ...custom,
    spec: { ...custom.spec, rules: list },
  });

  it('shows the filters and the cluster that istiod makes of what it tells to apply', () => {
    assert.deepEqual(shown.http_filters, istioFilters(provider, [custom, ownHosts]));
    const { service, port } = provider.envoyExtAuthzGrpc;
    assert.deepEqual(
      shown.clusters.map((cluster) => (cluster as { name: string }).name),
      [clusterName(service, port)],
    );
  });

  it('lets a partner in, under its own name only, and nobody else but to the health page', async () => {
    const refused = await send(front.port, '/v1/orders/7', [ORDERS]);
    assert.equal(refused.status, 401);
    assert.match(refused.headers['x-postern-decision-id'] ?? '', /^[0-9a-f]{32}$/);
    const allowed = await send(front.port, '/v1/orders/7', [ORDERS, SIGNED, 'X-Caller: boss', 'X_Caller: boss']);
    assert.equal(allowed.status, 200);
    const { headers = {} } = front.upstream.seen.at(-1) ?? {};
    assert.deepEqual([headers['x-caller'], headers.x_caller, headers['x-api-key']], ['acme', undefined, undefined]);
    assert.equal((await send(front.port, '/healthz', [ORDERS, 'X-Caller: boss'])).status, 200);
    assert.equal(front.upstream.seen.at(-1)?.headers['x-caller'], undefined);
  });

  it('lets nobody say by a header which policy is his', async () => {
    const words = ['X-Postern-Policy: web/site', 'X-Forwarded-Host: site.example.org', 'X-Original-URL: /healthz'];
    assert.equal((await send(front.port, '/v1/orders/7', [ORDERS, ...words])).status, 401);
  });

  it('forwards bodies, and refuses where one is cut that a rule reads', async () => {
    const post = async (body: string): Promise<number> =>
      (await sendRaw(front.port, ['POST / HTTP/1.1', ORDERS, SIGNED, `Content-Length: ${body.length}`], body)).status;
    assert.deepEqual([await post('{"amount":1}'), await post('{"refund":1}')], [200, 403]);
    assert.equal(await post(`{"amount":"${'9'.repeat(70_000)}"}`), 403);
  });

  it('closes a sidecar to the Host of a policy that lets more in', async (t) => {
    const before = front.upstream.count();
    const answer = await send(front.port, '/v1/orders/7', [host('site.example.org')]);
    assert.deepEqual([answer.status, answer.body, front.upstream.count()], [403, 'RBAC: access denied', before]);
    const open = await inFront(t, { manager: INBOUND });
    assert.equal((await send(open.port, '/v1/orders/7', [host('site.example.org')])).status, 200, 'without it');
  });

  it('lets nobody through while Postern cannot be asked', async (t) => {
    const away = await startTestAgent(OBJECTS);
    const alone = await inFront(t, {}, away);
    await away.stop();
    assert.deepEqual([(await send(alone.port, '/', [ORDERS, SIGNED])).status, alone.upstream.count()], [503, 0]);
  });

  it('warns with reason of paths in the AuthorizationPolicy: what they do not select passes unasked', async (t) => {
    const narrow = rules({ to: [{ operation: { paths: ['/v1/*'] } }] });
    const { port, upstream } = await inFront(t, { httpFilters: istioFilters(provider, [narrow]), manager: INBOUND });
    const answers = [await send(port, '/v1/orders/7', [ORDERS])];
    for (const target of ['/V1/orders/7', '//v1/orders/7']) answers.push(await send(port, target, [ORDERS]));
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers['x-postern-decision-id'] !== undefined]),
      [
        [401, true],
        [200, false],
        [200, false],
      ],
    );
    assert.equal(upstream.count(), 2);
    const all = [await send(front.port, '/V1/orders/7', [ORDERS]), await send(front.port, '//v1/orders/7', [ORDERS])];
    assert.deepEqual(
      all.map(({ status }) => status),
      [401, 400],
      'as the page has it',
    );
  });

  it('warns with reason of an AuthorizationPolicy without rules: nothing is asked', async (t) => {
    const { port } = await inFront(t, { httpFilters: istioFilters(provider, [rules()]) });
    const { status, headers } = await send(port, '/v1/orders/7', [ORDERS]);
    assert.deepEqual([status, headers['x-postern-decision-id']], [200, undefined]);
  });

  it('lets a workload in by the identity of its certificate, which Istio does not send itself', async (t) => {
    const { port } = await inFront(t, { tls, manager: INBOUND });
    const ask = async (account: string, headers: Readonly<Record<string, string>> = {}): Promise<number> => {
      const uri = `spiffe://cluster.local/ns/web/sa/${account}`;
      const own = issue({ name: account, issuer: authority, uri });
      const client = await openHttp2(port, { ca: authority.certificate, cert: own.certificate, key: own.privateKey });
      t.after(() => client.close());
      return (await client.request({ ':authority': 'inside.example.org', ':path': '/v1/x', ...headers })).status;
    };
    const forged = 'By=spiffe://cluster.local/ns/shop/sa/orders;URI=spiffe://cluster.local/ns/web/sa/front';
    assert.deepEqual(
      [await ask('front'), await ask('other'), await ask('other', { 'x-forwarded-client-cert': forged })],
      [200, 403, 403],
    );
  });

  it('has a header that came twice refuse where an expression reads it, for Istio joins the lines', async (t) => {
    const own = issue({ name: 'front', issuer: authority, uri: 'spiffe://cluster.local/ns/web/sa/other' });
    const { port } = await inFront(t, { tls, manager: INBOUND });
    const client = await openHttp2(port, { ca: authority.certificate, cert: own.certificate, key: own.privateKey });
    t.after(() => client.close());
    const ask = async (tenant: string | string[]): Promise<number> =>
      (await client.request({ ':authority': 'inside.example.org', ':path': '/tenant', 'x-tenant': tenant })).status;
    assert.deepEqual([await ask('a'), await ask(['a', 'b']), await ask('a,b')], [200, 403, 403]);
  });

  it('knows at a gateway the client and its TLS by what the gateway itself writes', async (t) => {
    const gateway = await startTestAgent(OBJECTS, { 'client-address': 'forwarded-for:hops=1' });
    t.after(() => gateway.stop());
    await gateway.ready;
    const encrypted = await inFront(t, { tls, manager: GATEWAY }, gateway);
    const client = await openHttp2(encrypted.port, { ca: authority.certificate });
    t.after(() => client.close());
    const spoof = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'http' };
    const { status } = await client.request({ ':authority': 'inside.example.org', ':path': '/address', ...spoof });
    const seen = encrypted.upstream.seen.at(-1)?.headers['x-client'];
    assert.deepEqual([status, seen === undefined || seen === '203.0.113.9'], [200, false]);
    const plain = await inFront(t, { manager: GATEWAY }, gateway);
    const forged = [host('inside.example.org'), 'X-Forwarded-Proto: https'];
    assert.equal((await send(plain.port, '/address', forged)).status, 403);
    const sidecar = await inFront(t, { manager: INBOUND }, gateway);
    assert.equal((await send(sidecar.port, '/address', forged)).status, 200, 'why a sidecar needs another instance');
  });
});
