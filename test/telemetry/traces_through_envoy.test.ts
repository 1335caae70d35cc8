import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type AgentProcess, startServe } from '../cli/agent-process.ts';
import { skipWithout } from '../components/cache.ts';
import { envoyBinary, type Front, send, startFront } from '../envoy/harness.ts';
import { type Collector, type Span, startCollector } from './collector.ts';
import { obtainCollector } from './obtain-collector.ts';

const KEY = 'a-key-of-the-traces-0123456789';
const POLICIES = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api}
spec:
  target: {hosts: [api.example.org]}
  authentication: {methods: [{name: keys, apiKey: {from: [{header: x-api-key}, {query: key}]}}]}
  authorization: {rules: [{name: all, allow: {any: {}}}, {name: closed, deny: {paths: [/closed]}}]}
  rateLimits: [{name: calls, stage: AfterAuthentication, key: [{expression: identity.id}], rates: [{requests: 100, window: 1h}]}]
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme}
spec: {keys: [{name: k, sha256: ${hash('sha256', KEY, 'hex')}}]}
`;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

const envoy = await envoyBinary();
const found = await obtainCollector();
const isSkipped = skipWithout(envoy) || skipWithout(found);
const folder = mkdtempSync(join(tmpdir(), 'postern-modules-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Packages of OpenTelemetry that a process has loaded, as V8 says when it ends. */
function loadedPackages(directory: string): string[] {
  const urls = readdirSync(directory).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  });
  assert.ok(urls.some((url) => url.endsWith('/internal/app/agent.ts')));
  return [...new Set(urls.flatMap((url) => /@opentelemetry\/[^/]+/.exec(url)?.[0] ?? []))].sort();
}

const attribute = (span: Span | undefined, name: string): unknown =>
  span?.attributes?.find(({ key }) => key === name)?.value.stringValue;

describe('postern serve with tracing, behind a real Envoy', { skip: isSkipped }, () => {
  const modules = join(folder, 'on');
  let collector: Collector;
  let agent: AgentProcess;
  let front: Front;
  before(async () => {
    collector = await startCollector('path' in found ? found.path : '');
    agent = await startServe(
      POLICIES,
      {},
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.httpUrl,
        OTEL_BSP_SCHEDULE_DELAY: '100',
        NODE_V8_COVERAGE: modules,
      },
    );
    front = await startFront('path' in envoy ? envoy.path : '', agent.grpcAddress);
  });
  after(async () => {
    await front?.stop();
    await agent?.stop();
    await collector?.stop();
  });

  it('sends a span a check and one below it for each phase, in the trace of the request, without secrets', async () => {
    const headers = [`traceparent: 00-${TRACE}-${PARENT}-01`, 'baggage: secret=hunter2'];
    await send(front.port, `/v1/orders?key=${KEY}`, headers);
    await send(front.port, '/closed', [...headers, `X-Api-Key: ${KEY}`]);
    await send(front.port, '/v1/orders', headers);
    const spans = await collector.spans(15);
    const authenticated = ['postern.phase.authn', 'postern.phase.authn'];
    const checks = spans.filter(({ name }) => name === 'postern.check');
    assert.deepEqual(
      checks.map((span) => [span.traceId, span.parentSpanId, attribute(span, 'reason'), attribute(span, 'path')]),
      [
        [TRACE, PARENT, 'allowed', '/v1/orders'],
        [TRACE, PARENT, 'denied_by_rule', '/closed'],
        [TRACE, PARENT, 'credential_missing', '/v1/orders'],
      ],
    );
    assert.deepEqual(
      checks.map(({ spanId }) => spans.filter((span) => span.parentSpanId === spanId).map(({ name }) => name)),
      [
        ['postern.phase.request', ...authenticated, 'postern.phase.ratelimit', 'postern.phase.authz'],
        ['postern.phase.request', ...authenticated, 'postern.phase.ratelimit', 'postern.phase.authz'],
        ['postern.phase.request', 'postern.phase.authn'],
      ],
    );
    assert.ok(!/hunter2|a-key-of-the-traces/.test(JSON.stringify([spans, agent.lines])));
    const denied = agent.lines.find(({ reason }) => reason === 'denied_by_rule');
    assert.deepEqual([denied?.trace_id, denied?.decision_id], [TRACE, attribute(checks[1], 'decision_id')]);
  });

  it('begins a new trace for a traceparent that is bad or came twice, and lets the request on', async () => {
    const bad = [
      ['traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01'],
      [`traceparent: ff-${TRACE}-${PARENT}-01`],
      [`traceparent: 00-${TRACE}-${PARENT}`],
      [`traceparent: 00-${TRACE}-${PARENT}-01`, `traceparent: 00-${'1'.repeat(32)}-${PARENT}-01`],
      [`traceparent: ${'0'.repeat(5000)}`],
    ];
    for (const headers of bad) {
      const { status } = await send(front.port, '/v1', [...headers, `X-Api-Key: ${KEY}`]);
      const [check] = (await collector.spans(5)).filter(({ name }) => name === 'postern.check');
      assert.deepEqual([status, check?.parentSpanId ?? ''], [200, '']);
      assert.ok(check !== undefined && ![TRACE, '0'.repeat(32), '1'.repeat(32)].includes(check.traceId));
    }
  });

  it('sends nothing of a request whose trace is not sampled, and loads the SDK', async () => {
    await send(front.port, '/unsampled', [`traceparent: 00-${TRACE}-${PARENT}-00`]);
    await send(front.port, '/sampled', [`traceparent: 00-${TRACE}-${PARENT}-01`]);
    assert.equal(await agent.stop(), 0);
    const checks = (await collector.spans(2)).filter(({ name }) => name === 'postern.check');
    assert.deepEqual(
      checks.map((span) => attribute(span, 'path')),
      ['/sampled'],
    );
    assert.ok(loadedPackages(modules).includes('@opentelemetry/sdk-node'));
  });
});

describe('postern serve without tracing', { skip: isSkipped }, () => {
  for (const [what, env] of [
    ['when no variable names a collector', {}],
    [
      'when the exporter is "none"',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'none' },
    ],
  ] as const) {
    it(`loads nothing of the SDK ${what}, and takes a traceparent all the same`, async (t) => {
      const modules = join(folder, what);
      const agent = await startServe(POLICIES, {}, { ...env, NODE_V8_COVERAGE: modules });
      t.after(() => agent.stop());
      const front = await startFront('path' in envoy ? envoy.path : '', agent.grpcAddress);
      t.after(() => front.stop());
      const headers = [`X-Api-Key: ${KEY}`, `traceparent: 00-${TRACE}-${PARENT}-01`];
      assert.equal((await send(front.port, '/v1', headers)).status, 200);
      assert.equal((await send(front.port, '/closed', headers)).status, 403);
      assert.equal(await agent.stop(), 0);
      assert.deepEqual(loadedPackages(modules), ['@opentelemetry/api']);
      assert.equal(agent.lines.find(({ reason }) => reason === 'denied_by_rule')?.trace_id, TRACE);
    });
  }
});
