import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** One request as the upstream saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface EchoUpstream {
  readonly port: number;
  /** Requests that arrived, newest last; at most the last thousand. */
  readonly seen: readonly SeenRequest[];
  readonly count: () => number;
  close(): Promise<void>;
}

const KEPT = 1000;
/** More than Envoy passes on (60 KiB by default). */
const MAX_HEADER_BYTES = 128 * 1024;

/** An upstream that answers with what it received, and counts. */
export function startEchoUpstream(port = 0): Promise<EchoUpstream> {
  const seen: SeenRequest[] = [];
  let count = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    count += 1;
    const { method = '', url = '', headers, rawHeaders } = request;
    seen.push({ method, url, headers, rawHeaders, body });
    if (seen.length > KEPT) seen.shift();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ method, url, headers, body }, null, 2)}\n`);
  };
  // As liberal as an upstream can be: what Envoy lets through shall be seen here, not refused.
  const server = createServer({ insecureHTTPParser: true, maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    // A client that goes away halfway has sent no request.
    answer(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        seen,
        count: () => count,
        close: () =>
          new Promise<void>((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
