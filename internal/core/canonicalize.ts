import type { Attributes, HeaderFields } from './attributes.ts';
import { canonicalHost } from './canonical-host.ts';
import { canonicalPath } from './canonical-path.ts';
import { type ClientAddressSource, clientOf, isTrustedHop } from './client-address.ts';
import { type Cookies, parseCookies } from './cookies.ts';
import { parseQuery } from './query.ts';
import type { ReasonName } from './reasons.ts';
import { mistakenFor } from './registered-methods.ts';
import type { Body, Client, PathReadings, Request } from './request.ts';

/** What an instance knows of the road its requests come by; all of it from flags. */
export interface EdgeOptions {
  readonly clientAddress: ClientAddressSource;
  /** `--bodies=forwarded`: Envoy sends every body, so no body means none. */
  readonly bodiesForwarded: boolean;
  /** `--transport-security=tls`: every client of this instance came by TLS. */
  readonly transportTls: boolean;
  /** Whether `postern.dev/*` context extensions count. */
  readonly trustContextExtensions: boolean;
}

export interface Malformed {
  readonly reason: ReasonName;
  readonly detail: string;
}

/** Either one canonical request, or why there is none; the host alone may still be known. */
export type Canonical =
  | { readonly request: Request; readonly malformed: undefined; readonly host: string }
  | { readonly request: undefined; readonly malformed: Malformed; readonly host: string | undefined };

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
const QUERY: Malformed = {
  reason: 'malformed_query',
  detail: 'The query is not percent-encoded UTF-8, has a control character, or too many parameters',
};
const HOST: Malformed = { reason: 'malformed_host', detail: 'The Host header must name one host' };
const METHOD_PROBLEM: Malformed = { reason: 'malformed_request', detail: 'The method is not a token' };
const methodInOtherCase = (registered: string): Malformed => ({
  reason: 'malformed_request',
  detail: `The method is ${registered} in other letters, which some upstreams take for it: write it in capitals`,
});
const ALL_HTTPS = /^https(?:[ \t]*,[ \t]*https)*$/;
const PARTIAL_BODY = 'x-envoy-auth-partial-body';
const NO_BODY: Body = Object.freeze({ state: 'none' });
const UNKNOWN_BODY: Body = Object.freeze({ state: 'unknown' });
const CUT_BODY: Body = Object.freeze({ state: 'cut' });

/** Makes the one canonical request of what a door was told, or says why it has no one reading. Never throws on input. */
export function canonicalize(attributes: Attributes, options: EdgeOptions): Canonical {
  const host = canonicalHost(attributes.host);
  if (host === undefined) return { request: undefined, malformed: HOST, host };
  if (!METHOD.test(attributes.method)) return { request: undefined, malformed: METHOD_PROBLEM, host };
  const registered = mistakenFor(attributes.method);
  if (registered !== undefined) return { request: undefined, malformed: methodInOtherCase(registered), host };
  const { target } = attributes;
  const mark = target.indexOf('?');
  const path = canonicalPath(mark === -1 ? target : target.slice(0, mark));
  if (!path.ok) return { request: undefined, malformed: { reason: 'malformed_path', detail: path.detail }, host };
  const sent = mark === -1 ? '' : target.slice(mark + 1);
  const query = parseQuery(sent);
  if (query === undefined) return { request: undefined, malformed: QUERY, host };
  const { path: canonical, readings } = path;
  const hasQuerySemicolon = sent.includes(';');
  const parts: Parts = { attributes, options, host, path: canonical, readings, query, hasQuerySemicolon };
  const request = new CanonicalRequest(parts);
  return { request, malformed: undefined, host };
}

interface Parts {
  readonly attributes: Attributes;
  readonly options: EdgeOptions;
  readonly host: string;
  readonly path: string;
  readonly readings: PathReadings;
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly hasQuerySemicolon: boolean;
}

/** Holds what was canonicalised, and works out on first use what few policies ask for. */
class CanonicalRequest implements Request {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly readings: PathReadings;
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly hasQuerySemicolon: boolean;
  readonly #attributes: Attributes;
  readonly #options: EdgeOptions;
  #client: Client | undefined = undefined;
  /** Null until they are asked for. */
  #cookies: Cookies | undefined | null = null;
  #body: Body | undefined = undefined;

  constructor(parts: Parts) {
    const { attributes } = parts;
    this.method = attributes.method;
    this.host = parts.host;
    this.path = parts.path;
    this.readings = parts.readings;
    this.query = parts.query;
    this.hasQuerySemicolon = parts.hasQuerySemicolon;
    this.#attributes = attributes;
    this.#options = parts.options;
  }

  get id(): string {
    return this.#attributes.id;
  }

  get scheme(): string {
    return this.#attributes.scheme;
  }

  get timeMs(): number {
    return this.#attributes.timeMs;
  }

  get protocol(): string {
    return this.#attributes.protocol;
  }

  get targetSize(): number {
    return Buffer.byteLength(this.#attributes.target);
  }

  get headers() {
    return this.#attributes.headers;
  }

  get cookies(): Cookies | undefined {
    if (this.#cookies === null) this.#cookies = parseCookies(this.headers);
    return this.#cookies;
  }

  get source() {
    return this.#attributes.source;
  }

  get contextExtensions() {
    return this.#attributes.contextExtensions;
  }

  metadata(): Readonly<Record<string, unknown>> {
    return this.#attributes.metadata();
  }

  get client(): Client {
    this.#client ??= clientOf(this.#options.clientAddress, this.#attributes);
    return this.#client;
  }

  get body(): Body {
    this.#body ??= bodyOf(this.#attributes, this.#options);
    return this.#body;
  }

  get isTls(): boolean {
    return isTls(this.#attributes, this.#options);
  }

  get isGrpc(): boolean {
    return isGrpc(this.#attributes);
  }
}

/** TLS is what Envoy or a trusted hop says of the connection; `scheme` is the client's own word and decides nothing. */
function isTls(attributes: Attributes, options: EdgeOptions): boolean {
  if (options.transportTls || attributes.cameByTls === true || hadHandshake(attributes)) return true;
  if (options.trustContextExtensions && attributes.contextExtensions.get('postern.dev/transport') === 'tls')
    return true;
  if (!isTrustedHop(options.clientAddress, attributes)) return false;
  return attributes.headers.get('x-forwarded-proto')?.every((line) => ALL_HTTPS.test(line)) ?? false;
}

/**
 * With `include_tls_session` Envoy sends a `tls_session` for plain connections too, an empty one (seen on 1.40.0): only
 * what it holds proves a handshake. A client that names no server and shows no certificate cannot be told from plain.
 */
function hadHandshake({ tlsSession, source }: Attributes): boolean {
  const hasServerName = tlsSession !== undefined && tlsSession.sni !== '';
  return hasServerName || source.principal !== '' || source.certificate !== '';
}

/**
 * Envoy marks every request whose body it forwards (`x-envoy-auth-partial-body`). Without the mark, or with the mark
 * and no body on an instance that does not promise bodies, "no body" cannot be told from "not forwarded". No promise
 * covers an upgrade, whose body Envoy does not wait for (seen on 1.40.0), nor a body that was declared and is not here.
 */
function bodyOf(attributes: Attributes, options: EdgeOptions): Body {
  const promised =
    options.bodiesForwarded ||
    (options.trustContextExtensions && attributes.contextExtensions.get('postern.dev/body') === 'forwarded');
  const mark = attributes.headers.get(PARTIAL_BODY);
  const bytes = attributes.body;
  if (mark !== undefined && (mark.length !== 1 || mark[0] !== 'false')) return CUT_BODY;
  if (mark === undefined || bytes === undefined || bytes.length === 0)
    return promised && !mayHoldBody(attributes) ? NO_BODY : UNKNOWN_BODY;
  const size = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
  if (size < attributes.size) return CUT_BODY;
  return { state: 'forwarded', bytes, size };
}

/** What reaches the upstream behind the head of this request may be a body that Envoy did not forward. */
function mayHoldBody({ method, headers, size }: Attributes): boolean {
  if (method === 'CONNECT' || headers.get('upgrade') !== undefined || size !== 0) return true;
  return declaresLength(headers);
}

/** The request says that its body is not empty. */
export const declaresLength = (headers: HeaderFields): boolean =>
  headers.get('content-length')?.some((length) => length !== '0') ?? false;

/** The caller speaks gRPC (not gRPC-Web, which reads HTTP answers). */
export function isGrpc(attributes: Attributes): boolean {
  const contentType = attributes.headers.get('content-type')?.[0];
  return contentType !== undefined && /^application\/grpc(?:[+;]|$)/.test(contentType);
}
