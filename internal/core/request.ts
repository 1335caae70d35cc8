import type { HeaderFields, Peer } from './attributes.ts';
import type { Cookies } from './cookies.ts';

/**
 * One canonical request, the only view that policies have. Built once by `canonicalize`; every rule of every phase
 * sees the same one. Strings are final: nobody decodes, trims or lower-cases them again.
 */
export interface Request {
  readonly id: string;
  /** Exactly as sent: methods are case-sensitive (RFC 9110 §9.1). Never a registered one in other letters. */
  readonly method: string;
  readonly scheme: string;
  /** Lower-case, without port and trailing dot; an IPv6 literal keeps its brackets. */
  readonly host: string;
  /** Canonical spelling, without query: unreserved characters bare, the rest as upper-case percent-encoding. */
  readonly path: string;
  /** The ways the path can be read; one unless it holds `%2f` or `;`, which a policy must have kept. */
  readonly readings: PathReadings;
  /** Bytes of the request target as it was sent, with its query. */
  readonly targetSize: number;
  /** Query parameters in order of arrival, decoded; `+` is a space, `&` the only separator. */
  readonly query: ReadonlyMap<string, readonly string[]>;
  /** The query holds a bare `;`, at which some upstreams part parameters: they find others in it than `query` has. */
  readonly hasQuerySemicolon: boolean;
  readonly headers: HeaderFields;
  /** Parsed on first use, once a request; undefined when there are too many. */
  readonly cookies: Cookies | undefined;
  readonly timeMs: number;
  readonly protocol: string;
  readonly body: Body;
  readonly source: Peer;
  readonly client: Client;
  readonly contextExtensions: ReadonlyMap<string, string>;
  metadata(): Readonly<Record<string, unknown>>;
  /** True when TLS is known for the client's connection; unknown counts as plain. */
  readonly isTls: boolean;
  /** The caller speaks gRPC: answers carry grpc-status. */
  readonly isGrpc: boolean;
}

/**
 * Decoded segments of a path. A path with `;` or encoded slashes, where a policy keeps them, has several readings:
 * a `deny` matches if any does, everything else only if all do.
 */
export interface PathReadings {
  /** As spelt: `;…` and decoded `/` stay inside their segments. */
  readonly kept: readonly string[];
  /** What upstreams would see that cut `;…` off, take encoded slashes as separators, or both; no two alike, mostly none. */
  readonly others: readonly (readonly string[])[];
  readonly hasEncodedSlash: boolean;
  readonly hasSemicolon: boolean;
}

/** The client behind trusted hops; null where the instance cannot know it. */
export interface Client {
  /** Canonical text: IPv4 dotted, IPv6 as RFC 5952; v4-mapped addresses are IPv4. */
  readonly address: string | null;
  /** The address's /32 (IPv4) or /64 (IPv6), e.g. `192.0.2.7/32`, `2001:db8::/64`. */
  readonly network: string | null;
}

/** What is known of the body (the contract, §4). */
export type Body =
  | { readonly state: 'none' }
  | { readonly state: 'unknown' }
  | { readonly state: 'cut' }
  | { readonly state: 'forwarded'; readonly bytes: Uint8Array | string; readonly size: number };
