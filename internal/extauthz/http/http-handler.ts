import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { Dialect } from './dialect.ts';
import { hasBody, readBody } from './http-body.ts';
import { HttpCall } from './http-call.ts';
import type { CheckHttp } from './http-check.ts';
import { headOf } from './http-message.ts';
import { UnknownPaths, type UnknownPathsOptions } from './unknown-paths.ts';
import { failedAnswer, type HttpAnswer, plainRefusal } from './write-answer.ts';

export interface HttpHandlerOptions {
  readonly checks: ReadonlyMap<Dialect, CheckHttp>;
  readonly clock: Clock;
  /** Longest body that Envoy sends with a check. */
  readonly maxReceiveBytes: number;
  /** A connection is asked to end with the first answer after this long. */
  readonly maxConnectionAgeMs: number;
  /** What goes wrong with the listener while it listens, and what nobody foresaw in an answer. */
  readonly onError: (error: unknown) => void;
  readonly onUnknownPath: UnknownPathsOptions['onUnknown'];
}

const TOO_LARGE = plainRefusal(413, 'The body is too large');
const BROKEN_OFF = plainRefusal(400, 'The body is not whole');
const TOO_MANY_FIELDS = plainRefusal(431, 'There are too many header fields');

type Answered = HttpAnswer | Promise<HttpAnswer>;

/** Every request of the HTTP door to the answer of its dialect's check. Only proxies that are trusted come as far. */
export class HttpHandler {
  /** Every answer ends its connection then. */
  isDraining = false;
  /** Connections that are open. */
  readonly sockets = new Set<Socket>();
  readonly #options: HttpHandlerOptions;
  readonly #openedMs = new WeakMap<Socket, number>();
  readonly #noSuchPath: HttpAnswer;
  readonly #unknownPaths: UnknownPaths;

  constructor(options: HttpHandlerOptions) {
    this.#options = options;
    this.#noSuchPath = plainRefusal(
      404,
      'No dialect has this path',
      `Ask under ${pathsOf([...options.checks.keys()])}`,
    );
    this.#unknownPaths = new UnknownPaths({ clock: options.clock, onUnknown: options.onUnknownPath });
  }

  opened(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
  }

  /** Answers, whatever happens. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => undefined);
    try {
      const answered = this.#answerTo(request, response);
      if (answered instanceof Promise)
        answered.then((answer) => this.#send(answer, response)).catch((error: unknown) => this.#fail(error, response));
      else this.#send(answered, response);
    } catch (error) {
      this.#fail(error, response);
    }
  }

  #answerTo(request: IncomingMessage, response: ServerResponse): Answered {
    const found = this.#find(request.url ?? '');
    if (found === undefined) {
      this.#unknownPaths.asked(request.url ?? '', request.socket.remoteAddress);
      return this.#noSuchPath;
    }
    if (!found.dialect.takesBody || !hasBody(request)) return this.#ask(found, response, undefined);
    return readBody(request, this.#options.maxReceiveBytes).then((body) => {
      if (body === 'too large') return TOO_LARGE;
      return body === 'broken off' ? BROKEN_OFF : this.#ask(found, response, body);
    });
  }

  #find(url: string): Found | undefined {
    for (const [dialect, check] of this.#options.checks)
      if (dialect.isPrefix ? url.startsWith(dialect.path) : url === dialect.path) return { dialect, check };
    return undefined;
  }

  #ask({ dialect, check }: Found, response: ServerResponse, body: Uint8Array | undefined): Answered {
    const { clock } = this.#options;
    const head = headOf(response.req);
    if (head === undefined) return TOO_MANY_FIELDS;
    const timeoutMs = dialect.timeoutMs(head);
    const deadlineMs = timeoutMs === undefined ? undefined : clock.monotonicMs() + timeoutMs;
    return check({ ...head, body, timeMs: clock.wallMs() }, new HttpCall(response, deadlineMs));
  }

  #send({ status, headers, body }: HttpAnswer, response: ServerResponse): void {
    const { req: request } = response;
    // What is left of a body that nobody reads would be taken for the next request.
    const isLast = this.isDraining || this.#isOld(request.socket) || (hasBody(request) && !request.complete);
    const raw = [...headers.flat(), 'content-length', String(Buffer.byteLength(body))];
    if (isLast) raw.push('connection', 'close');
    response.writeHead(status, raw);
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  #isOld(socket: Socket): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const openedMs = this.#openedMs.get(socket) ?? nowMs;
    this.#openedMs.set(socket, openedMs);
    return nowMs - openedMs > this.#options.maxConnectionAgeMs;
  }

  /**
   * An answer that was begun is cut off: half a head is no allow. Else it is the dialect's refusal, as a check's own
   * failure is: of a 5xx Envoy would make an error, which `failure_mode_allow` lets pass.
   */
  #fail(error: unknown, response: ServerResponse): void {
    this.#options.onError(error);
    if (response.headersSent) return void response.destroy();
    const { status, headers, body } = failedAnswer(this.#find(response.req.url ?? '')?.dialect);
    response.writeHead(status, [...headers.flat(), 'connection', 'close']).end(body);
  }
}

/** The paths that there are, for people: `/check/envoy/…, /check/nginx or /check/traefik`. */
export function pathsOf(dialects: readonly Dialect[]): string {
  const paths = dialects.map(({ path, isPrefix }) => (isPrefix ? `${path.replace(/\/?$/, '/')}…` : path));
  return [paths.slice(0, -1).join(', '), ...paths.slice(-1)].filter((part) => part !== '').join(' or ');
}

interface Found {
  readonly dialect: Dialect;
  readonly check: CheckHttp;
}
