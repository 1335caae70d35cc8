import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { requireComponent, run } from '../components/cache.ts';
import { type Collector, type Span, startCollector } from './collector.ts';
import { obtainCollector } from './obtain-collector.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

describe('a real OpenTelemetry Collector', () => {
  let collector: Collector | undefined;
  after(() => collector?.stop());

  async function started(test: TestContext): Promise<Collector | undefined> {
    if (collector !== undefined) return collector;
    const binary = requireComponent(await obtainCollector(), test);
    if (binary !== undefined) collector = await startCollector(binary);
    return collector;
  }

  for (const protocol of ['http/protobuf', 'grpc', 'http/json'] as const) {
    it(`gets the spans of checks over ${protocol}, in the trace of the request and without its secrets`, async (test) => {
      const running = await started(test);
      if (running === undefined) return;
      const endpoint = protocol === 'grpc' ? running.grpcUrl : running.httpUrl;
      const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: protocol };
      const script = join(import.meta.dirname, 'observed-checks.ts');
      const env = { PATH: process.env.PATH, ...variables };
      const { stdout } = await run(process.execPath, [script, `00-${TRACE}-${PARENT}-01`], { env });
      const spans = await running.spans(4);
      const checks = spans.filter(({ name }) => name === 'postern.check');
      assert.deepEqual(
        checks.map(({ traceId, parentSpanId }) => [traceId, parentSpanId]),
        [
          [TRACE, PARENT],
          [TRACE, PARENT],
        ],
      );
      assert.deepEqual(
        spans.filter(({ name }) => name === 'postern.phase.authn').map(({ parentSpanId }) => parentSpanId),
        checks.map(({ spanId }) => spanId),
      );
      assert.deepEqual(
        checks.map((span) => [attribute(span, 'reason'), attribute(span, 'path'), attribute(span, 'policy')]),
        [
          ['allowed', '/v1/orders/7', 'shop/orders'],
          ['denied_by_rule', '/v1/orders/7', 'shop/orders'],
        ],
      );
      const record = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual([record.decision_id, record.trace_id], [attribute(checks[1], 'decision_id'), TRACE]);
      assert.ok(!`${stdout}${JSON.stringify(spans)}`.includes('hunter2'));
    });
  }
});

const attribute = (span: Span | undefined, name: string): unknown =>
  span?.attributes?.find(({ key }) => key === name)?.value.stringValue;
