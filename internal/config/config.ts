import type { EdgeOptions } from '../core/canonicalize.ts';
import type { Http2Bounds } from '../core/door-bounds.ts';
import type { ListenAddress } from '../core/listen-address.ts';
import type { CidrList } from './cidr-list.ts';
import type { LogLevel } from './options.ts';

/** Everything an operator decides about one instance: read once at the start, frozen, passed down. */
export interface Config {
  readonly source: PolicySource;
  readonly className: string;
  /** What the instance is to a sidecar class; undefined: it serves another one. */
  readonly sidecar: SidecarRole | undefined;
  readonly edge: EdgeOptions;
  readonly routeMetadata: 'optional' | 'required';
  readonly unmatched: 'deny' | 'allow';
  /** Who may claim a host: whom a HostGrant names, or the namespace that came first. */
  readonly hostGrants: 'required' | 'first-come';
  /** Issuer whose JWTs prove service accounts; undefined when none does. */
  readonly clusterIssuer: string | undefined;
  readonly outbound: Outbound;
  readonly grpcAddress: ListenAddress;
  readonly transport: 'native' | 'grpc-js';
  /** Where gRPC reflection is served when it is not on `grpcAddress`; undefined: nowhere else. */
  readonly grpcAuxAddress: ListenAddress | undefined;
  /** Of the native transport. */
  readonly http2: Http2Bounds;
  /** undefined: no HTTP door. */
  readonly http: HttpDoorConfig | undefined;
  readonly adminAddress: ListenAddress;
  /** undefined: no debug server. */
  readonly debugAddress: ListenAddress | undefined;
  readonly tls: TlsFiles | undefined;
  readonly checkTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly drainDelayMs: number;
  readonly maxConnectionAgeMs: number;
  readonly maxLimitKeys: number;
  /** What the policies of one namespace may come to; undefined: as much as they like. */
  readonly namespaceBudget: NamespaceBudgetConfig | undefined;
  /** The same for its consumers, roles and bindings together. */
  readonly objectBudget: ObjectBudgetConfig | undefined;
  readonly maxReceiveBytes: number;
  readonly grpcReflection: boolean;
  /** Processes that answer checks; with 1 it is the one that does everything else. */
  readonly workers: number;
  readonly logLevel: LogLevel;
  /** Each option that was given, with where: for the start's log line. No option holds a secret. */
  readonly given: readonly string[];
  /** The texts of the same by option: whoever reads them again has the same configuration. */
  readonly texts: Readonly<Record<string, string>>;
}

export type PolicySource =
  | { readonly kind: 'directory'; readonly directory: string }
  | {
      readonly kind: 'kube';
      readonly kubeconfig: string | undefined;
      /** Empty: every namespace. */
      readonly namespaces: readonly string[];
      readonly policySelector: string | undefined;
    };

export interface NamespaceBudgetConfig {
  readonly policies: number;
  /** Of memory, once they are compiled. */
  readonly bytes: number;
}

export interface ObjectBudgetConfig {
  readonly objects: number;
  /** Of memory, once they are compiled. */
  readonly bytes: number;
}

export type SidecarRole =
  /** One of its sidecars: `labelsFile` holds the labels of its Pod. */
  | { readonly kind: 'agent'; readonly labelsFile: string }
  /** The one that judges its policies and writes their status. */
  | { readonly kind: 'class' };

/** What may be fetched from: issuers' documents and keys. Link-local addresses and the API server are never allowed. */
export interface Outbound {
  /** Private networks that are allowed besides public addresses. */
  readonly allow: CidrList;
  /** Also http, private and loopback addresses: one owner writes both the policies and this instance's options. */
  readonly isOpen: boolean;
}

/** The door of proxies that ask over plain HTTP. */
export interface HttpDoorConfig {
  readonly address: ListenAddress;
  /** Who may ask; unix sockets are guarded by their file instead. */
  readonly trustedPeers: CidrList;
  /** Request headers that the proxies take from answers, in lower case. */
  readonly carriedHeaders: ReadonlySet<string>;
}

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of client certificates; undefined: none is asked for. */
  readonly clientCaFile: string | undefined;
}
