/** How Envoy reaches an agent that listens with TLS; all are PEM texts. */
export interface AgentTls {
  readonly ca: string;
  /** What Envoy shows of itself, for mutual TLS. */
  readonly certificate?: string;
  readonly key?: string;
  /** Name in the agent's certificate; sent as SNI and compared. */
  readonly serverName: string;
}

/** The message `name` as an Any. */
export const typed = (name: string, fields: object): object => ({ '@type': `type.googleapis.com/${name}`, ...fields });

export const socketAddress = (address: string, port: number): object => ({
  socket_address: { address, port_value: port },
});

/** A cluster of one endpoint that is known beforehand. */
export function staticCluster(name: string, address: object): object {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

/**
 * The cluster "agent". Its gRPC door speaks HTTP/2 without an upgrade, its HTTP door HTTP/1.1.
 *
 * @param target `host:port` or `unix:/path`; a wildcard host is reached over loopback
 */
export function agentCluster(target: string, tls: AgentTls | undefined, door: 'grpc' | 'http'): object {
  const protocol = door === 'grpc' ? { http2_protocol_options: {} } : { http_protocol_options: {} };
  const http = typed('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', { explicit_http_config: protocol });
  return {
    ...staticCluster('agent', agentAddress(target)),
    typed_extension_protocol_options: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': http },
    ...(tls !== undefined && { transport_socket: agentTransport(tls) }),
  };
}

function agentAddress(target: string): object {
  if (target.startsWith('unix:')) return { pipe: { path: target.slice('unix:'.length) } };
  const colon = target.lastIndexOf(':');
  const host = target.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const isWildcard = host === '' || host === '::' || host === '0.0.0.0';
  return socketAddress(isWildcard ? '127.0.0.1' : host, Number(target.slice(colon + 1)));
}

function agentTransport({ ca, certificate, key, serverName }: AgentTls): object {
  const pair = { certificate_chain: { inline_string: certificate }, private_key: { inline_string: key } };
  return {
    name: 'tls',
    typed_config: typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
      sni: serverName,
      common_tls_context: {
        ...(certificate !== undefined && { tls_certificates: [pair] }),
        validation_context: {
          trusted_ca: { inline_string: ca },
          match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: serverName } }],
        },
      },
    }),
  };
}
