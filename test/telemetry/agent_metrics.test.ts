import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { KEEP_MS } from '../../internal/admin/shared-scrape.ts';
import { systemClock } from '../../internal/core/clock.ts';
import { REASONS } from '../../internal/core/reasons.ts';
import { until } from '../components/until.ts';
import { issue } from '../door/certificates.ts';
import { checkOver, closeClients } from '../door/client.ts';
import { startTestAgent, type TestAgent } from '../envoy/harness.ts';

const ISSUER = 'https://sso.example.org';
const { publicKey, privateKey } = await generateKeyPair('ES256');
const KEYS = JSON.stringify({ keys: [await exportJWK(publicKey)] });
const token = await new SignJWT({ scope: 'read' })
  .setProtectedHeader({ alg: 'ES256' })
  .setIssuer(ISSUER)
  .setAudience('orders')
  .setSubject('acme')
  .setExpirationTime('1h')
  .sign(privateKey);

const policies = (keysUrl: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: orders, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  authentication: {methods: [{name: sso, jwt: {issuer: "${ISSUER}", audiences: [orders], jwks: {url: "${keysUrl}"}}}]}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: open, namespace: shop}
spec:
  target: {hosts: [open.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
  rateLimits: [{name: each, stage: BeforeAuthentication, key: [{expression: request.path}], rates: [{requests: 1, window: 1h}]}]
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: wrong, namespace: shop}
spec:
  target: {hosts: [wrong.example.org]}
  authorization: {rules: [{name: all, allow: {when: [{expression: "1 +"}]}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIBaseline
metadata: {name: wrong}
spec: {namespaceSelector: {}, overrides: {authorization: {rules: [{name: all, deny: {when: [{expression: "1 +"}]}}]}}}
---
apiVersion: postern.dev/v1alpha1
kind: APIBaseline
metadata: {name: right}
spec: {namespaceSelector: {}, defaults: {auditLog: {allows: {percent: 0}}}}
`;

/** How far the clock of agents is ahead. */
const ahead = { ms: 0 };
const clock = { wallMs: systemClock.wallMs, monotonicMs: () => systemClock.monotonicMs() + ahead.ms };

async function scrape({ adminAddress }: TestAgent): Promise<string> {
  // A scrape answers also who asks soon after.
  ahead.ms += KEEP_MS;
  const port = 'port' in adminAddress ? adminAddress.port : 0;
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

/** The value of a series; undefined when it is not there. */
async function seriesOf(agent: TestAgent, series: string): Promise<number | undefined> {
  const line = (await scrape(agent)).split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('the metrics of an agent on files', () => {
  const asked: ServerResponse[] = [];
  const issuer = createServer((_, response) => void asked.push(response));
  let agent: TestAgent;
  let dropped = 0;

  before(async () => {
    issuer.listen(0, '127.0.0.1');
    await once(issuer, 'listening');
    const address = issuer.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const flags = { 'max-limit-keys': '1000', 'check-timeout': '60s' };
    const yaml = policies(`http://127.0.0.1:${port}/keys`);
    agent = await startTestAgent(yaml, flags, { clock, logDropped: () => dropped });
    await agent.ready;
  });
  after(async () => {
    closeClients();
    await agent.stop();
    issuer.close();
    issuer.closeAllConnections();
  });

  const ask = async (host: string, path = '/', headers = {}): Promise<number> =>
    (await checkOver(agent.grpcAddress, { host, path, headers })).http;

  it('count snapshots and the states of policies', async () => {
    assert.equal(await seriesOf(agent, 'postern_ready'), 1);
    assert.equal(await seriesOf(agent, 'postern_policies{state="accepted"}'), 2);
    assert.equal(await seriesOf(agent, 'postern_policies{state="rejected"}'), 1);
    assert.equal(await seriesOf(agent, 'postern_policies{state="last_good"}'), 0);
    assert.equal(await seriesOf(agent, 'postern_baselines_unaccepted'), 1);
    assert.equal(await seriesOf(agent, 'postern_snapshot_builds_total{result="success"}'), 1);
    assert.equal(await seriesOf(agent, 'postern_snapshot_build_duration_seconds_count'), 1);
    ahead.ms += 50_000;
    const ageS = (await seriesOf(agent, 'postern_snapshot_age_seconds')) ?? 0;
    assert.ok(ageS >= 50 && ageS < 80, String(ageS));
  });

  it('have no age of keys before there are any, and count checks that wait for them', async () => {
    await until(async () => asked.length === 1);
    assert.equal(await seriesOf(agent, 'postern_keys_age_seconds'), undefined);
    const waiting = ask('api.example.org', '/', { authorization: `Bearer ${token}` });
    await until(async () => (await seriesOf(agent, 'postern_checks_in_flight')) === 1);
    assert.equal(await seriesOf(agent, 'postern_token_cache_entries'), 0);
    asked[0]?.end(KEYS);
    assert.equal(await waiting, 200);
    assert.equal(await seriesOf(agent, 'postern_checks_in_flight'), 0);
    assert.equal(await seriesOf(agent, 'postern_token_cache_entries'), 1);
    assert.equal(await seriesOf(agent, 'postern_keys_fetches_total{result="success"}'), 1);
    ahead.ms += 100_000;
    const ageS = (await seriesOf(agent, 'postern_keys_age_seconds')) ?? 0;
    assert.ok(ageS >= 100 && ageS < 130, String(ageS));
  });

  it('count keys of limits, and those that were evicted for room', async () => {
    for (let index = 0; index < 1100; index += 1) assert.equal(await ask('open.example.org', `/${index}`), 200);
    const held = (await seriesOf(agent, 'postern_ratelimit_keys')) ?? 0;
    assert.ok(held > 900 && held <= 1000, String(held));
    assert.equal(await seriesOf(agent, 'postern_ratelimit_max_keys'), 1000);
    assert.equal(await seriesOf(agent, 'postern_ratelimit_fullest_ratio'), held / 1000);
    assert.ok(((await seriesOf(agent, 'postern_ratelimit_evictions_total')) ?? 0) >= 100);
  });

  it('say how much memory the process may have: no more than the machine, and more than it has', async () => {
    const limit = (await seriesOf(agent, 'postern_memory_limit_bytes')) ?? 0;
    const resident = (await seriesOf(agent, 'process_resident_memory_bytes')) ?? 0;
    assert.ok(resident > 0 && limit > resident && limit <= totalmem(), `${resident} of ${limit}`);
  });

  it('count faults from zero on, so that the first one is a rise', async () => {
    const faults = (await scrape(agent)).match(/^postern_decisions_total\{policy="none",[^}]*decision="fault".*$/gm);
    assert.deepEqual(
      faults?.map((line) => line.replace(/.*reason="(\w+)"\}/, '$1')),
      Object.entries(REASONS)
        .filter(([, { kind }]) => kind === 'fault')
        .map(([name]) => `${name} 0`),
    );
  });

  it('count the lines that the log dropped', async () => {
    dropped = 7;
    assert.equal(await seriesOf(agent, 'postern_log_dropped_total'), 7);
  });

  it('say nothing of a cluster', async () => assert.doesNotMatch(await scrape(agent), /postern_(watch|status)_/));
});

describe('the metrics of an agent with certificates', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-metrics-'));
  const file = (name: string): string => join(folder, name);
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('say when its certificate ends, and the first of its client authorities', async () => {
    const own = issue({ name: 'door', notAfterMs: Date.UTC(2044, 1, 3) });
    const authorities = [2043, 2041, 2042].map((year) =>
      issue({ name: `authority of ${year}`, isCa: true, notAfterMs: Date.UTC(year, 0, 1) }),
    );
    writeFileSync(file('tls.crt'), own.certificate);
    writeFileSync(file('tls.key'), own.privateKey);
    writeFileSync(file('ca.crt'), authorities.map(({ certificate }) => certificate).join('\n'));
    const flags = { 'tls-cert': file('tls.crt'), 'tls-key': file('tls.key'), 'client-ca': file('ca.crt') };
    const agent = await startTestAgent('', flags, { clock });
    const name = 'postern_certificate_not_after_seconds';
    assert.equal(await seriesOf(agent, `${name}{certificate="server"}`), Date.UTC(2044, 1, 3) / 1000);
    assert.equal(await seriesOf(agent, `${name}{certificate="client_ca"}`), Date.UTC(2041, 0, 1) / 1000);
    assert.equal(await seriesOf(agent, 'postern_certificate_reloads_total{result="success"}'), 0);
    await agent.stop();
  });
});
