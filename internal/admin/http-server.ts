import { chmodSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { PosternError } from '../core/error.ts';
import { addressText, type ListenAddress } from '../core/listen-address.ts';

/** What a route answers; `body` in pieces where it is long. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | AsyncIterable<string>;
}

export type Route = (request: IncomingMessage) => Answer | Promise<Answer>;

export interface HttpServerOptions {
  readonly address: ListenAddress;
  /** The flag that gives `address`, for messages. */
  readonly flag: string;
  /** By exact path. Everything else is 404. */
  readonly routes: ReadonlyMap<string, Route>;
  /** Whether the request may be answered at all, by its Host header. */
  readonly isHostAllowed?: (host: string | undefined) => boolean;
  /** Told what a route threw; clients read only that it failed. */
  readonly onError: (error: unknown) => void;
}

export interface RunningHttpServer {
  /** Where it really listens: the port chosen for port 0. */
  readonly address: ListenAddress;
  close(): Promise<void>;
}

/** For scrapers and probes: few connections, small requests, no bodies. */
const LIMITS = Object.freeze({
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 1000,
});
/** A reader that takes nothing for so long is cut off. */
const IDLE_MS = 30_000;
const MAX_CONNECTIONS = 128;
const MAX_HEADERS = 64;
const MAX_REQUESTS_PER_SOCKET = 10_000;
const PROBLEM_TYPE = 'application/problem+json';

/** Starts a server for GET and HEAD on exact paths; resolves when it listens. */
export async function startHttpServer(options: HttpServerOptions): Promise<RunningHttpServer> {
  const server = createServer(LIMITS, (request, response) => {
    void respond(request, response, options).catch((error: unknown) => {
      options.onError(error);
      response.destroy();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET;
  server.setTimeout(IDLE_MS);
  const address = await listen(server, options);
  return { address, close: () => close(server, address) };
}

async function respond(request: IncomingMessage, response: ServerResponse, options: HttpServerOptions): Promise<void> {
  const answer = await answerTo(request, options);
  const isHead = request.method === 'HEAD';
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': "default-src 'none'",
    ...(answer.status === 405 && { allow: 'GET, HEAD' }),
    ...(typeof answer.body === 'string' && { 'content-length': Buffer.byteLength(answer.body) }),
  });
  if (isHead || typeof answer.body === 'string') {
    response.end(isHead ? undefined : answer.body);
    return;
  }
  for await (const piece of answer.body) {
    if (response.destroyed) return;
    if (!response.write(piece)) await drained(response);
  }
  response.end();
}

/** A reader that stalls may hold its own answer, nothing else: `close` ends the wait too. */
function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    response.off('drain', done).off('close', done);
    resolve();
  };
  response.on('drain', done).on('close', done);
  return promise;
}

async function answerTo(request: IncomingMessage, options: HttpServerOptions): Promise<Answer> {
  if (options.isHostAllowed?.(request.headers.host) === false) return problem(421, 'Misdirected Request');
  const target = request.url ?? '';
  const mark = target.indexOf('?');
  const route = options.routes.get(mark === -1 ? target : target.slice(0, mark));
  if (route === undefined) return problem(404, 'Not Found');
  if (request.method !== 'GET' && request.method !== 'HEAD') return problem(405, 'Method Not Allowed');
  try {
    return await route(request);
  } catch (error) {
    options.onError(error);
    return problem(500, 'Internal Server Error');
  }
}

/** A problem document (RFC 9457) that says no more than its status. */
export function problem(status: number, title: string): Answer {
  return { status, contentType: PROBLEM_TYPE, body: `${JSON.stringify({ type: 'about:blank', title, status })}\n` };
}

export const plain = (status: number, text: string): Answer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${text}\n`,
});

export const json = (status: number, value: unknown): Answer => ({
  status,
  contentType: 'application/json',
  body: `${JSON.stringify(value, undefined, 2)}\n`,
});

async function listen(server: Server, { address, flag, onError }: HttpServerOptions): Promise<ListenAddress> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  try {
    if (address.kind === 'unix') await removeStaleSocket(address.path);
    server.once('listening', resolve).once('error', reject);
    if (address.kind === 'unix') server.listen({ path: address.path });
    else server.listen({ port: address.port, ...(address.host !== '' && { host: address.host }) });
    await promise;
  } catch (error) {
    const message = `Cannot listen on "${addressText(address)}" (${flag}): ${whyNot(error)}`;
    throw new PosternError('ERR_POSTERN_LISTEN', message, { cause: error });
  }
  server.on('error', onError);
  if (address.kind === 'unix') {
    chmodSync(address.path, 0o600);
    return address;
  }
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  return { kind: 'tcp', host: address.host, port };
}

function whyNot(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'it is in use';
  return error instanceof Error ? error.message : String(error);
}

/** A socket that nobody answers on is left from a run before; whatever else lies there is not ours to remove. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error('a file that is no socket lies there');
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect({ path })
    .once('connect', () => resolve(true))
    .once('error', () => resolve(false));
  const isServed = await promise;
  probe.destroy();
  if (isServed) throw new Error('it is in use');
  rmSync(path, { force: true });
}

async function close(server: Server, address: ListenAddress): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
  if (address.kind === 'unix') rmSync(address.path, { force: true });
}
