import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../components/free-port.ts';

/** One span as OTLP's JSON has it. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly attributes?: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

/** A real OpenTelemetry Collector that hands on what it received. */
export interface Collector {
  readonly grpcUrl: string;
  readonly httpUrl: string;
  /** Waits until so many spans have come since the last call, at most 20 s. */
  spans(count: number): Promise<readonly Span[]>;
  stop(): Promise<void>;
}

const PATIENCE_MS = 20_000;

export async function startCollector(binary: string): Promise<Collector> {
  let received: Span[] = [];
  const sink = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    received.push(...spansOf(body));
    response.setHeader('content-type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const address = sink.address();
  const sinkPort = typeof address === 'object' && address !== null ? address.port : 0;
  const [grpcPort, httpPort] = [await freePort(), await freePort()];
  const config = JSON.stringify(configOf({ grpcPort, httpPort, sinkPort }));
  const child = spawn(binary, [`--config=yaml:${config}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    sink.closeAllConnections();
    sink.close();
  };
  try {
    await Promise.all([untilOpen(grpcPort), untilOpen(httpPort)]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    stop,
    grpcUrl: `http://127.0.0.1:${grpcPort}`,
    httpUrl: `http://127.0.0.1:${httpPort}`,
    async spans(count) {
      const endMs = performance.now() + PATIENCE_MS;
      while (received.length < count && performance.now() < endMs) await delay(50);
      const spans = received;
      received = [];
      return spans;
    },
  };
}

interface Ports {
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly sinkPort: number;
}

const configOf = ({ grpcPort, httpPort, sinkPort }: Ports): object => ({
  receivers: {
    otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${grpcPort}` }, http: { endpoint: `127.0.0.1:${httpPort}` } } },
  },
  exporters: { otlp_http: { endpoint: `http://127.0.0.1:${sinkPort}`, encoding: 'json', compression: 'none' } },
  service: {
    pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_http'] } },
    telemetry: { logs: { level: 'error' }, metrics: { level: 'none' } },
  },
});

interface Export {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

const spansOf = (body: string): Span[] =>
  (JSON.parse(body) as Export).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));

async function untilOpen(port: number): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (performance.now() < endMs) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen === true) return;
    await delay(50);
  }
  throw new Error(`Nothing listens on port ${port}`);
}
