import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenAddress } from '../core/listen-address.ts';
import { limitConnections } from '../listen/connection-limit.ts';
import { listenOn } from '../listen/listen.ts';

/** What a route answers; `body` in pieces where it is long. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | AsyncIterable<string> | Iterable<Uint8Array>;
}

export type Route = (request: IncomingMessage) => Answer | Promise<Answer>;

export interface HttpServerOptions {
  readonly address: ListenAddress;
  /** The option that gives `address`, without dashes, for messages. */
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
/** Scrapers and probes ask as soon as they are connected. */
const FIRST_BYTE_MS = 2000;
const MAX_CONNECTIONS = 128;
/** Only who runs the agent reads the pages of a unix socket. */
const SOCKET_MODE = 0o600;
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
  server.maxHeadersCount = MAX_HEADERS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET;
  server.setTimeout(IDLE_MS);
  limitConnections(server, { most: MAX_CONNECTIONS, firstByteMs: FIRST_BYTE_MS, idleMs: IDLE_MS });
  const { address: asked, flag } = options;
  const address = await listenOn(server, { address: asked, flag, socketMode: SOCKET_MODE });
  server.on('error', options.onError);
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

async function close(server: Server, address: ListenAddress): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
  if (address.kind === 'unix') rmSync(address.path, { force: true });
}
