import { type HeaderFields, headerFields, type Peer } from '../../core/attributes.ts';
import type { CheckRequest } from '../wire.ts';
import type { HttpMessage, Line } from './http-message.ts';
import { valuesOf } from './http-message.ts';

/** How one kind of proxy asks and is answered. Which one it is says the path alone. */
export interface Dialect {
  /** The path, or what the path begins with. */
  readonly path: string;
  readonly isPrefix: boolean;
  /** Whether the client's body is in the message. */
  readonly takesBody: boolean;
  /** Whether the proxy removes any header that the answer lists; else only those that it takes from answers. */
  readonly removesListed: boolean;
  /** What is asked about, or what keeps it from being read. */
  readonly read: (message: HttpMessage) => Told | string;
  /** Milliseconds that the proxy waits, where it says so. */
  readonly timeoutMs: (message: Pick<HttpMessage, 'lines'>) => number | undefined;
  /**
   * The status of a refusal, of which the proxy makes a refusal and no failure.
   *
   * @param http what the client is meant to get
   */
  readonly statusOf: (http: number) => number;
}

/** What a dialect tells of the client's request. */
export interface Told {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly scheme: string;
  readonly headers: HeaderFields;
  readonly size: number;
  /** The proxy's peer; empty when the dialect does not tell. */
  readonly address: string;
  readonly cameByTls: boolean;
}

/** A check over HTTP; of one that its dialect could not read, what there is for the log. */
export interface HttpRequest extends CheckRequest {
  /** For the operator: what the proxy has to send. */
  readonly unread: string | undefined;
}

const NO_EXTENSIONS: ReadonlyMap<string, string> = new Map();
const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({});
const nothing = (): Readonly<Record<string, unknown>> => NOTHING;
const NO_FIELDS: HeaderFields = Object.freeze(headerFields([], true));
const UNREAD: Told = Object.freeze({
  method: '',
  target: '',
  host: '',
  scheme: '',
  headers: NO_FIELDS,
  size: -1,
  address: '',
  cameByTls: false,
});

/** The same shape as over gRPC. What HTTP cannot tell is absent, and its retries cannot be known. */
export function requestOf(dialect: Dialect, message: HttpMessage): HttpRequest {
  const told = dialect.read(message);
  const known = typeof told === 'string' ? UNREAD : told;
  const source: Peer = { address: known.address, principal: '', certificate: '' };
  return {
    hasHttp: true,
    unread: typeof told === 'string' ? told : undefined,
    id: '',
    method: known.method,
    scheme: known.scheme,
    host: known.host,
    target: known.target,
    protocol: '',
    headers: known.headers,
    timeMs: message.timeMs,
    size: known.size,
    body: typeof told !== 'string' && dialect.takesBody ? message.body : undefined,
    source,
    contextExtensions: NO_EXTENSIONS,
    metadata: nothing,
    routeMetadata: () => undefined,
    tlsSession: undefined,
    cameByTls: known.cameByTls,
  };
}

/** The one value of a field that the proxy itself has to write, or what to write for it. */
export function single(lines: readonly Line[], name: string, hint: string): { value: string } | { problem: string } {
  const [value, ...more] = valuesOf(lines, name);
  if (value === undefined || value === '') return { problem: `${name} is missing: ${hint}` };
  return more.length > 0 ? { problem: `${name} came ${more.length + 1} times: ${hint}` } : { value };
}

const SCHEMES: Readonly<Record<string, boolean>> = { http: false, https: true, ws: false, wss: true };

/** Whether the scheme that a proxy writes is one over TLS; undefined where it is none that is known. */
export const isSecureScheme = (scheme: string): boolean | undefined =>
  Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined;
