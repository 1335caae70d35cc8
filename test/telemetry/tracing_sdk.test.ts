import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { isTracingOn, NO_SPAN, TRACING_OFF } from '../../internal/telemetry/tracing.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

describe('isTracingOn()', () => {
  for (const [variables, expected] of [
    [{}, false],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, true],
    [{ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://192.0.2.1:4318' }, false],
    [{ OTEL_TRACES_EXPORTER: '' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://192.0.2.1:4318' }, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://192.0.2.1:4318/v1/traces' }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, false],
    [{ OTEL_SDK_DISABLED: 'TRUE', OTEL_TRACES_EXPORTER: 'otlp' }, false],
    [{ OTEL_SDK_DISABLED: 'false', OTEL_TRACES_EXPORTER: 'otlp' }, true],
    [{ OTEL_METRICS_EXPORTER: 'otlp', OTEL_SERVICE_NAME: 'postern' }, false],
  ] as const) {
    it(`says ${expected} to ${JSON.stringify(variables)}`, () => assert.equal(isTracingOn(variables), expected));
  }
});

describe('TRACING_OFF', () => {
  it('hands out one span that does nothing', async () => {
    const span = TRACING_OFF.begin(undefined, undefined);
    span.startPhase('authn');
    span.endPhase();
    span.end(undefined, true);
    assert.equal(span, NO_SPAN);
    await TRACING_OFF.shutdown(0);
  });
});

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number };
}

/** Runs a program with tracing as the variables say; answers what it printed. */
async function run(source: string, variables: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    cwd: import.meta.dirname,
    env: { PATH: process.env.PATH, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    out += piece;
  });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, out);
  return out;
}

const START = `
  import { startTracing } from '../../internal/telemetry/tracing.ts';
  import { headerFields } from '../../internal/core/attributes.ts';
  const said = [];
  const tracing = await startTracing({ variables: process.env, version: '1', log: { warn: (m) => said.push(m) } });
`;

describe('startTracing()', () => {
  it('loads nothing of the SDK while tracing is off', async () => {
    const listModules = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
      const { startTracing, TRACING_OFF } = await import('../../internal/telemetry/tracing.ts');
      await import('../../internal/telemetry/observer.ts');
      const tracing = await startTracing({ variables: process.env, version: '1', log: { warn() {} } });
      process.stdout.write(JSON.stringify([tracing === TRACING_OFF, loaded.filter((url) => url.includes('@opentelemetry'))]));
    `;
    const off = JSON.parse(await run(listModules, {}));
    const on = JSON.parse(await run(listModules, { OTEL_TRACES_EXPORTER: 'console' }));
    assert.equal(off[0], true);
    assert.deepEqual(
      off[1].filter((url: string) => !url.includes('/@opentelemetry/api/')),
      [],
    );
    assert.ok(on[1].some((url: string) => url.includes('/@opentelemetry/sdk-node/')));
  });

  describe('with a collector', () => {
    const requests: { path: string | undefined; body: string }[] = [];
    const collector = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (piece: string) => {
        body += piece;
      });
      request.on('end', () => {
        requests.push({ path: request.url, body });
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
    let variables: Record<string, string> = {};

    before(async () => {
      collector.listen(0, '127.0.0.1');
      await once(collector, 'listening');
      const { port } = collector.address() as AddressInfo;
      variables = {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      };
    });
    after(() => {
      collector.closeAllConnections();
      collector.close();
    });

    async function spansOf(source: string, more: Record<string, string> = {}): Promise<Span[]> {
      requests.length = 0;
      await run(`${START}${source}\nawait tracing.shutdown(5000);`, { ...variables, ...more });
      return requests.flatMap(({ body }) =>
        JSON.parse(body).resourceSpans.flatMap((of: { scopeSpans: { spans: Span[] }[] }) =>
          of.scopeSpans.flatMap(({ spans }) => spans),
        ),
      );
    }

    it('sends a span a check and one a phase below it, in the trace of the request, flushed at the end', async () => {
      const spans = await spansOf(`
        const span = tracing.begin(headerFields([['traceparent', '00-${TRACE}-${PARENT}-01']]), undefined);
        span.startPhase('authn'); span.endPhase();
        span.startPhase('authz'); span.endPhase();
        span.end({ reason: 'not_allowed', status: 403, findings: ['a', 'b'], rule: undefined }, false);
      `);
      const check = spans.find(({ name }) => name === 'postern.check');
      assert.deepEqual(
        spans.map(({ name, traceId, parentSpanId }) => [
          name,
          traceId,
          parentSpanId === PARENT || parentSpanId === check?.spanId,
        ]),
        [
          ['postern.phase.authn', TRACE, true],
          ['postern.phase.authz', TRACE, true],
          ['postern.check', TRACE, true],
        ],
      );
      assert.equal(check?.parentSpanId, PARENT);
      assert.deepEqual(check.attributes, [
        { key: 'reason', value: { stringValue: 'not_allowed' } },
        { key: 'status', value: { intValue: 403 } },
        { key: 'findings', value: { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } } },
      ]);
      assert.deepEqual(
        requests.map(({ path }) => path),
        ['/v1/traces'],
      );
    });

    it('sends no command line, and is called postern unless it is named', async () => {
      await spansOf(`tracing.begin(undefined, undefined).end(undefined, true);`);
      const named = requests.map(({ body }) => body).join('');
      assert.doesNotMatch(named, /process\.command/);
      assert.match(named, /"service\.name","value":\{"stringValue":"postern"\}/);
      await spansOf(`tracing.begin(undefined, undefined).end(undefined, true);`, { OTEL_SERVICE_NAME: 'gate' });
      assert.match(requests.map(({ body }) => body).join(''), /"service\.name","value":\{"stringValue":"gate"\}/);
    });

    it('begins a new trace for a bad or repeated traceparent, and reads no baggage', async () => {
      const good = `00-${TRACE}-${PARENT}-01`;
      const lists = [
        [good, good],
        ['00-xyz'],
        [`${good},${good}`],
        [`ff-${good.slice(3)}`],
        [`00-${'0'.repeat(32)}-${PARENT}-01`],
        [''],
      ];
      const spans = await spansOf(`
        for (const values of ${JSON.stringify(lists)}) {
          const pairs = values.map((value) => ['traceparent', value]);
          const fields = headerFields([...pairs, ['tracestate', ',,,=']]);
          const carrier = { get: (name) => (name === 'baggage' ? process.exit(4) : fields.get(name)) };
          const span = tracing.begin(carrier, undefined);
          span.end(undefined, false);
        }
        if (said.length > 0) process.exit(3);
      `);
      assert.equal(spans.length, lists.length);
      assert.deepEqual(
        spans.filter(({ traceId, parentSpanId }) => traceId === TRACE || (parentSpanId ?? '') !== ''),
        [],
      );
    });

    it('takes the trace of the call where the request names none', async () => {
      const spans = await spansOf(`
        const metadata = { get: (name) => (name === 'traceparent' ? ['00-${TRACE}-${PARENT}-01'] : []) };
        tracing.begin(headerFields([]), metadata).end(undefined, false);
        tracing.begin(headerFields([['traceparent', 'broken']]), metadata).end(undefined, false);
      `);
      assert.deepEqual(
        spans.map(({ traceId, parentSpanId }) => [traceId, parentSpanId]),
        [
          [TRACE, PARENT],
          [TRACE, PARENT],
        ],
      );
    });

    it('keeps to the sampling of the request, and has its trace id all the same', async () => {
      const spans = await spansOf(`
        const span = tracing.begin(headerFields([['traceparent', '00-${TRACE}-${PARENT}-00']]), undefined);
        span.startPhase('authn'); span.endPhase(); span.end(undefined, false);
        if (span.traceId !== '${TRACE}' || span.isSampled) process.exit(3);
      `);
      assert.deepEqual(spans, []);
    });

    it('marks faults as errors, and refusals not', async () => {
      const spans = await spansOf(`
        tracing.begin(undefined, undefined).end({ reason: 'internal' }, true);
        tracing.begin(undefined, undefined).end({ reason: 'no_route' }, false);
      `);
      assert.deepEqual(
        spans.map(({ status }) => status.code),
        [2, 0],
      );
    });
  });

  it('ends within its bound when the collector does not answer', async () => {
    const silent = createServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const out = await run(
      `${START}
        tracing.begin(undefined, undefined).end(undefined, false);
        const startMs = performance.now();
        await tracing.shutdown(200);
        process.stdout.write(String(performance.now() - startMs < 2000));
        process.exit(0);
      `,
      { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
    );
    silent.closeAllConnections();
    silent.close();
    assert.equal(out, 'true');
  });
});
