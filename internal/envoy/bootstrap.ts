import { type AgentTls, agentCluster, socketAddress, staticCluster, typed } from './cluster.ts';
import { type ExtAuthzOptions, extAuthzFilter, perRoute } from './ext-authz-filter.ts';

/** One route to the upstream. */
export interface EnvoyRoute {
  readonly prefix: string;
  readonly contextExtensions?: Readonly<Record<string, string>>;
  /** False: the agent is not asked. */
  readonly isChecked?: boolean;
  /** By namespace; a check carries it if `routeMetadataNamespaces` names that. */
  readonly metadata?: Readonly<Record<string, object>>;
}

/** TLS towards clients; all are PEM texts. */
export interface DownstreamTls {
  readonly certificate: string;
  readonly key: string;
  /** Who signs clients' certificates; absent: clients are asked for none. */
  readonly clientCa?: string;
  readonly requireClientCertificate?: boolean;
}

/** What one Envoy in front of an upstream is told. */
export interface EnvoyOptions extends ExtAuthzOptions {
  /** 0: Envoy takes a free one. */
  readonly listenPort: number;
  readonly adminPort: number;
  readonly upstreamPort: number;
  /** `host:port` or `unix:/path` of the agent; undefined: no checks at all. */
  readonly extAuthz: string | undefined;
  readonly agentTls?: AgentTls;
  /** Fields of the agent's cluster that have no option here, such as more endpoints; they win. */
  readonly agentFields?: Readonly<Record<string, unknown>>;
  /** Which of the agent's doors `extAuthz` is; with `http` the filter's fields have to name an `http_service`. */
  readonly agentDoor?: 'grpc' | 'http';
  readonly tls?: DownstreamTls;
  /** `on` by default: dot segments and repeated slashes are resolved. `strict` also refuses `%2f` and `%5c`. */
  readonly paths?: 'off' | 'on' | 'strict';
  readonly useRemoteAddress?: boolean;
  readonly trustedHops?: number;
  /** Of the virtual host; a route's own are added. */
  readonly contextExtensions?: Readonly<Record<string, string>>;
  /** One for `/` by default; the first that fits counts. */
  readonly routes?: readonly EnvoyRoute[];
  /** Dynamic metadata that every request gets before the check, by namespace. */
  readonly metadata?: Readonly<Record<string, object>>;
  /** Fields of the HTTP connection manager that have no option here; they win. */
  readonly managerFields?: Readonly<Record<string, unknown>>;
}

/** Envoy's bootstrap as JSON: one listener, one virtual host, the agent asked about each request. */
export function envoyBootstrap(options: EnvoyOptions): string {
  const upstream = staticCluster('upstream', socketAddress('127.0.0.1', options.upstreamPort));
  const agent =
    options.extAuthz === undefined
      ? []
      : [
          {
            ...agentCluster(options.extAuthz, options.agentTls, options.agentDoor ?? 'grpc'),
            ...options.agentFields,
          },
        ];
  return JSON.stringify({
    admin: { address: socketAddress('127.0.0.1', options.adminPort) },
    static_resources: { listeners: [listener(options)], clusters: [upstream, ...agent] },
  });
}

function listener(options: EnvoyOptions): object {
  const { tls } = options;
  const filters = [{ name: 'http', typed_config: connectionManager(options) }];
  return {
    name: 'ingress',
    address: socketAddress('127.0.0.1', options.listenPort),
    // With it a second Envoy would get half of the connections to the same port, and neither would know.
    enable_reuse_port: false,
    filter_chains: [{ filters, ...(tls !== undefined && { transport_socket: downstreamTransport(tls) }) }],
  };
}

function connectionManager(options: EnvoyOptions): object {
  return typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'ingress',
    codec_type: 'AUTO',
    use_remote_address: options.useRemoteAddress ?? false,
    ...(options.trustedHops !== undefined && { xff_num_trusted_hops: options.trustedHops }),
    ...pathOptions(options.paths ?? 'on'),
    http_protocol_options: { accept_http_10: true },
    route_config: { name: 'all', virtual_hosts: [virtualHost(options)] },
    http_filters: [
      ...(options.metadata === undefined ? [] : [metadataFilter(options.metadata)]),
      ...(options.extAuthz === undefined ? [] : [extAuthzFilter(options)]),
      { name: 'router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router', {}) },
    ],
    ...options.managerFields,
  });
}

function pathOptions(paths: 'off' | 'on' | 'strict'): object {
  if (paths === 'off') return { normalize_path: false };
  if (paths === 'on') return { normalize_path: true, merge_slashes: true };
  return { normalize_path: true, merge_slashes: true, path_with_escaped_slashes_action: 'REJECT_REQUEST' };
}

function virtualHost({ contextExtensions, routes = [{ prefix: '/' }], extAuthz }: EnvoyOptions): object {
  const isAsked = extAuthz !== undefined;
  const one = ({ prefix, metadata, ...route }: EnvoyRoute): object => ({
    match: { prefix },
    route: { cluster: 'upstream' },
    ...(metadata !== undefined && { metadata: { filter_metadata: metadata } }),
    ...(isAsked && perRoute(route.contextExtensions, route.isChecked)),
  });
  const ownWords = isAsked ? perRoute(contextExtensions, undefined) : {};
  return { name: 'all', domains: ['*'], routes: routes.map(one), ...ownWords };
}

function metadataFilter(metadata: Readonly<Record<string, object>>): object {
  const entries = Object.entries(metadata);
  return {
    name: 'metadata',
    typed_config: typed('envoy.extensions.filters.http.set_metadata.v3.Config', {
      metadata: entries.map(([namespace, value]) => ({ metadata_namespace: namespace, value })),
    }),
  };
}

/** TLS towards clients, as the transport socket of a filter chain. */
export function downstreamTransport({
  certificate,
  key,
  clientCa,
  requireClientCertificate = false,
}: DownstreamTls): object {
  return {
    name: 'tls',
    typed_config: typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
      require_client_certificate: requireClientCertificate,
      common_tls_context: {
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificates: [{ certificate_chain: { inline_string: certificate }, private_key: { inline_string: key } }],
        ...(clientCa !== undefined && { validation_context: { trusted_ca: { inline_string: clientCa } } }),
      },
    }),
  };
}
