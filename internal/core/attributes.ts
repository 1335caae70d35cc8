import { trimBlanks } from './blanks.ts';

/**
 * What a door was told, before anything is believed: the same shape from gRPC, HTTP and files.
 * Nothing here is canonical; `canonicalize` makes a `Request` of it, once.
 */
export interface Attributes {
  /** Envoy's stream id (`request.http.id`), never a client's header; empty when unknown. */
  readonly id: string;
  readonly method: string;
  readonly scheme: string;
  /** `:authority` or Host as received: case, port and trailing dot included. */
  readonly host: string;
  /** Request target as received, with its query; empty for CONNECT. */
  readonly target: string;
  readonly protocol: string;
  readonly headers: HeaderFields;
  /** Epoch milliseconds of the request's first byte, by Envoy's clock. */
  readonly timeMs: number;
  /** Bytes of the body as declared; -1 when unknown. */
  readonly size: number;
  /** The body, when the door was given one; text has passed as UTF-8. */
  readonly body: Uint8Array | string | undefined;
  readonly source: Peer;
  readonly contextExtensions: ReadonlyMap<string, string>;
  /** `metadata_context.filter_metadata`, decoded on first use. */
  metadata(): Readonly<Record<string, unknown>>;
  /** `route_metadata_context.filter_metadata`, decoded on first use; undefined when absent. */
  routeMetadata(): Readonly<Record<string, unknown>> | undefined;
  /** What `include_tls_session` gives, for plain connections too: only a server name in it proves TLS. */
  readonly tlsSession: { readonly sni: string } | undefined;
  /** A proxy that the door trusts says that the client came by TLS. */
  readonly cameByTls?: boolean;
}

export interface Peer {
  /** Address without port, as text; empty when unknown. */
  readonly address: string;
  /** URI SAN, DNS SAN or subject of the verified certificate; empty when there is none. */
  readonly principal: string;
  /** URL-encoded PEM (`include_peer_certificate`); empty when not sent. */
  readonly certificate: string;
}

/**
 * Header fields by lower-case name; values without the blanks around them, which are no part of them (RFC 9110 §5.5): an
 * upstream reads `admin` also where a client of HTTP/2 sent `admin `, so rules and keys must (CVE-2019-18802). A value
 * whose bytes are not UTF-8 keeps each bad byte as the lone surrogate U+DC00 + byte, so that different bytes never
 * become equal text.
 */
export interface HeaderFields {
  /** Every value in order of arrival; undefined when the field is absent. */
  get(name: string): readonly string[] | undefined;
  names(): readonly string[];
  /** True where it is known that no name holds what CGI folds (`_`, `.`, …), so that none is an odd spelling of another. */
  readonly arePlain?: boolean;
  /** Lines held: a look-up may compare so many names. */
  readonly size: number;
  /** True when Envoy joined repeated lines with commas and dropped what is not UTF-8 (`headers`, not `header_map`). */
  readonly isJoined: boolean;
  /** Fields that the client may have sent all the same when they are not here: the door is not told of them. */
  readonly untold: ReadonlySet<string>;
}

/** A door that is told of every field. */
export const ALL_TOLD: ReadonlySet<string> = new Set();

/** Header fields from pairs: for doors that hold them so, and for tests. */
export function headerFields(
  pairs: Iterable<readonly [string, string]>,
  isJoined = false,
  untold: ReadonlySet<string> = ALL_TOLD,
): HeaderFields {
  const fields = new Map<string, string[]>();
  for (const [name, sent] of pairs) {
    const key = name.toLowerCase();
    const value = trimBlanks(sent);
    const values = fields.get(key);
    if (values === undefined) fields.set(key, [value]);
    else values.push(value);
  }
  return { get: (name) => fields.get(name), names: () => [...fields.keys()], size: fields.size, isJoined, untold };
}
