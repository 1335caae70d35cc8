import type { HeaderFields } from '../core/attributes.ts';
import type { Edits } from '../core/decision.ts';

/** Headers that upstreams take for another method or path. */
export const OVERRIDE_HEADERS = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
] as const;

const NOTHING: readonly never[] = Object.freeze([]);

/** What a name can hold besides letters, digits and dashes (RFC 9110 §5.6.2). */
const ODD = /[!#$%&'*+.^_`|~]/;
const ALL_ODD = new RegExp(ODD, 'g');

/** A name that is not what CGI makes of it. */
export const isOddName = (name: string): boolean => ODD.test(name);

/** `x_auth.user`, `X-Auth-User` and `x-auth-user` are one variable to a CGI-like upstream (RFC 3875 §4.1.18). */
export const foldName = (name: string): string => name.toLowerCase().replace(ALL_ODD, '-');

/**
 * What is the proxies' or the browser's to say, and what frames the message: Envoy's own names, where the request came
 * from, hop by hop fields (RFC 9110 §7.6.1), `Sec-` fields, which no script can set (Fetch §2.2.2), and gRPC's. Who set one
 * of them would take it from all clients of its host; and of those that a proxy of the HTTP door keeps to itself nobody
 * knows whether a client sent them, so that whatever is to be removed there is refused.
 */
const OF_PROXIES =
  /^(?::|x-envoy-|x-forwarded-|sec-|grpc-|(?:x-original-(?:method|uri|host)|x-real-ip|forwarded|via|host|content-length|transfer-encoding|connection|proxy-connection|keep-alive|expect|upgrade|te|trailers?)$)/;

/** @param name as written, in any spelling: `x_forwarded_for` is the same to a CGI-like upstream */
export const isOfProxies = (name: string): boolean => OF_PROXIES.test(foldName(name));

/** Most names besides overrides that every answer removes; Envoy refuses an answer that is too long. */
const MAX_LISTED = 64;

/** Headers by which an upstream knows the caller, or takes the request for another: never the client's to send. */
export interface OwnHeaders {
  readonly names: ReadonlySet<string>;
  /** Those that every answer removes, whatever Envoy tells of the request; others are removed where it holds them. */
  readonly listed: ReadonlySet<string>;
  /** The names as CGI folds them. */
  readonly folded: ReadonlySet<string>;
  /** The edits of a request that holds no other spelling of them. */
  readonly removal: Edits;
}

/** @param names in lower case; the override headers belong to them in any case */
export const ownHeaders = (names: readonly string[]): OwnHeaders => (names.length === 0 ? OVERRIDES : made(names));

function made(names: Iterable<string>): OwnHeaders {
  const all = [...new Set([...OVERRIDE_HEADERS, ...names])];
  const listed = Object.freeze(all.slice(0, OVERRIDE_HEADERS.length + MAX_LISTED));
  return Object.freeze({
    names: new Set(all),
    listed: new Set(listed),
    folded: new Set(all.map(foldName)),
    removal: Object.freeze({
      requestHeaders: NOTHING,
      requestHeadersToRemove: listed,
      queryToRemove: NOTHING,
      responseHeaders: NOTHING,
    }),
  });
}

/** Of every policy that sets none, and of a host that nobody holds. */
export const OVERRIDES = made([]);

/** All of them together: one of them where it has what all have. */
export function ownOfAll(owns: readonly OwnHeaders[] | ReadonlySet<OwnHeaders>): OwnHeaders {
  const names = new Set<string>();
  for (const own of owns) for (const name of own.names) names.add(name);
  for (const own of owns) if (own.names.size === names.size) return own;
  return made(names);
}

/**
 * What clients send to many upstreams, and what an upstream does not take for an identity: another namespace that sets one
 * of these for itself takes it from nobody else's clients.
 */
const EVERYDAY = new Set(
  `accept accept-charset accept-encoding accept-language authorization baggage cache-control content-encoding
  content-language content-length content-type cookie dpop expect host if-match if-modified-since if-none-match if-range
  if-unmodified-since last-event-id origin pragma prefer range referer te traceparent tracestate transfer-encoding upgrade
  access-control-request-headers access-control-request-method b3 dnt idempotency-key keep-alive priority save-data
  upgrade-insecure-requests user-agent x-b3-flags x-b3-parentspanid x-b3-sampled x-b3-spanid x-b3-traceid x-csrf-token x-request-id x-requested-with x-xsrf-token`.split(
    /\s+/,
  ),
);

/**
 * For each of several namespaces behind one host: its own headers, and those of the others by which an upstream may know a
 * caller.
 *
 * @param byNamespace all that each of them sets
 */
export function ownOfOthers(byNamespace: ReadonlyMap<string, OwnHeaders>): ReadonlyMap<string, OwnHeaders> {
  const names = new Set<string>();
  for (const own of byNamespace.values()) {
    for (const name of own.names) if (!EVERYDAY.has(foldName(name)) && !isOfProxies(name)) names.add(name);
  }
  const common = made(names);
  const isCommon = (own: OwnHeaders): boolean => [...own.names].every((name) => common.names.has(name));
  const all = [...byNamespace].map(([namespace, own]): [string, OwnHeaders] => [
    namespace,
    isCommon(own) ? common : ownOfAll([common, own]),
  ]);
  return new Map([...all, [OF_ANYBODY, common]]);
}

/** No namespace's name: for those that claim nothing behind the host. */
export const OF_ANYBODY = '';

/** The edits of a request that passes without an evaluation: nothing proved who calls, so nothing says it. */
export function withoutOwn({ listed, folded, removal }: OwnHeaders, headers: HeaderFields): Edits {
  let removed: string[] | undefined;
  for (const name of headers.names()) {
    if (listed.has(name) || !folded.has(foldName(name))) continue;
    removed ??= [...removal.requestHeadersToRemove];
    removed.push(name);
  }
  return removed === undefined ? removal : { ...removal, requestHeadersToRemove: removed };
}
