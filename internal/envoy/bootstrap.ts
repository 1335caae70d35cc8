/** What one Envoy in front of an upstream is told. */
export interface EnvoyOptions {
  readonly listenPort: number;
  readonly adminPort: number;
  readonly upstreamPort: number;
  /** `host:port` or `unix:/path` of the agent; undefined: no checks at all. */
  readonly extAuthz: string | undefined;
  /** How long a check may take; Envoy's own default is 200 ms. */
  readonly timeoutMs?: number;
  readonly withBody?: { readonly maxBytes: number; readonly allowPartial: boolean; readonly asBytes?: boolean };
  readonly failureModeAllow?: boolean;
  readonly statusOnError?: number;
  readonly rawHeaders?: boolean;
  readonly validateMutations?: boolean;
  readonly paths?: 'off' | 'on' | 'strict';
  readonly useRemoteAddress?: boolean;
  readonly trustedHops?: number;
  readonly contextExtensions?: Readonly<Record<string, string>>;
  readonly metadataNamespaces?: readonly string[];
  /** Retries of a check that the agent did not answer. */
  readonly retries?: number;
}

const typed = (name: string, fields: object): object => ({ '@type': `type.googleapis.com/${name}`, ...fields });

/** Envoy's bootstrap as JSON, which is YAML: one listener, one route to the upstream, the agent asked about each request. */
export function envoyBootstrap(options: EnvoyOptions): string {
  const upstream = staticCluster('upstream', { address: '127.0.0.1', port_value: options.upstreamPort });
  const clusters = options.extAuthz === undefined ? [upstream] : [upstream, agentCluster(options.extAuthz)];
  return JSON.stringify({
    admin: { address: socket('127.0.0.1', options.adminPort) },
    static_resources: { listeners: [listener(options)], clusters },
    overload_manager: undefined,
  });
}

const socket = (address: string, port: number): object => ({ socket_address: { address, port_value: port } });

function listener(options: EnvoyOptions): object {
  const manager = typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'ingress',
    codec_type: 'AUTO',
    use_remote_address: options.useRemoteAddress ?? false,
    ...(options.trustedHops !== undefined && { xff_num_trusted_hops: options.trustedHops }),
    ...pathOptions(options.paths ?? 'on'),
    http_protocol_options: { accept_http_10: true },
    route_config: { name: 'all', virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route(options)] }] },
    http_filters: [
      ...(options.extAuthz === undefined ? [] : [extAuthz(options)]),
      { name: 'router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router', {}) },
    ],
  });
  return {
    name: 'ingress',
    address: socket('127.0.0.1', options.listenPort),
    filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
  };
}

function pathOptions(paths: 'off' | 'on' | 'strict'): object {
  if (paths === 'off') return { normalize_path: false };
  if (paths === 'on') return { normalize_path: true, merge_slashes: true };
  return { normalize_path: true, merge_slashes: true, path_with_escaped_slashes_action: 'REJECT_REQUEST' };
}

function route({ contextExtensions }: EnvoyOptions): object {
  const check = typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute', {
    check_settings: { context_extensions: contextExtensions },
  });
  return {
    match: { prefix: '/' },
    route: { cluster: 'upstream' },
    ...(contextExtensions !== undefined && { typed_per_filter_config: { 'envoy.filters.http.ext_authz': check } }),
  };
}

function extAuthz(options: EnvoyOptions): object {
  const { withBody, retries } = options;
  return {
    name: 'envoy.filters.http.ext_authz',
    typed_config: typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
      transport_api_version: 'V3',
      grpc_service: {
        envoy_grpc: { cluster_name: 'agent', ...(retries !== undefined && { retry_policy: { num_retries: retries } }) },
        timeout: `${(options.timeoutMs ?? 1000) / 1000}s`,
      },
      failure_mode_allow: options.failureModeAllow ?? false,
      include_peer_certificate: true,
      include_tls_session: true,
      validate_mutations: options.validateMutations ?? true,
      encode_raw_headers: options.rawHeaders ?? false,
      ...(options.statusOnError !== undefined && { status_on_error: { code: options.statusOnError } }),
      ...(options.metadataNamespaces !== undefined && { metadata_context_namespaces: options.metadataNamespaces }),
      ...(withBody !== undefined && {
        with_request_body: {
          max_request_bytes: withBody.maxBytes,
          allow_partial_message: withBody.allowPartial,
          pack_as_bytes: withBody.asBytes ?? false,
        },
      }),
    }),
  };
}

function staticCluster(name: string, address: object): object {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: address } } }] }],
    },
  };
}

/** The agent speaks gRPC: HTTP/2 without upgrade. */
function agentCluster(target: string): object {
  const cluster = target.startsWith('unix:') ? pipeCluster(target.slice(5)) : tcpCluster(target);
  const http2 = typed('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
    explicit_http_config: { http2_protocol_options: {} },
  });
  return {
    ...cluster,
    typed_extension_protocol_options: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': http2 },
  };
}

function tcpCluster(target: string): object {
  const colon = target.lastIndexOf(':');
  const host = target.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return staticCluster('agent', {
    address: host === '::' ? '127.0.0.1' : host,
    port_value: Number(target.slice(colon + 1)),
  });
}

function pipeCluster(path: string): object {
  const endpoint = { address: { pipe: { path } } };
  return {
    name: 'agent',
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: 'agent', endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}
