import { type DownstreamTls, downstreamTransport } from '../../internal/envoy/bootstrap.ts';
import { socketAddress, staticCluster, typed } from '../../internal/envoy/cluster.ts';
import { startEchoUpstream } from '../../internal/envoy/echo-upstream.ts';
import { startEnvoyWith } from '../../internal/envoy/process.ts';
import type { Front } from '../envoy/harness.ts';

/** What a mesh or a gateway makes of the resources of a guide, as far as Postern has to do with it. */
export interface GuideConfig {
  /** All but the router. */
  readonly httpFilters: readonly object[];
  readonly virtualHosts: readonly object[];
  /** Those that ask the agent: on port 9191 of loopback, as the pages have it. */
  readonly clusters: readonly object[];
  /** Names of clusters that the routes lead to; each is the upstream that echoes. */
  readonly upstreams: readonly string[];
  /** Other fields of the connection manager. */
  readonly manager?: Readonly<Record<string, unknown>>;
  readonly tls?: DownstreamTls;
}

/** Everything to one upstream. */
export const TO_UPSTREAM: Pick<GuideConfig, 'virtualHosts' | 'upstreams'> = {
  virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'upstream' } }] }],
  upstreams: ['upstream'],
};

/** Runs it in a real Envoy, before an upstream that echoes. */
export async function startGuideFront(path: string, agentPort: number, config: GuideConfig): Promise<Front> {
  const upstream = await startEchoUpstream();
  const toUpstream = socketAddress('127.0.0.1', upstream.port);
  const clusters = [
    ...config.upstreams.map((name) => staticCluster(name, toUpstream)),
    ...config.clusters.map((cluster) => placed(cluster, agentPort)),
  ];
  const bootstrap = {
    admin: { address: socketAddress('127.0.0.1', 0) },
    static_resources: { listeners: [listener(config)], clusters },
  };
  try {
    const envoy = await startEnvoyWith(JSON.stringify(bootstrap), { path });
    const stop = (): Promise<void> => envoy.stop().then(() => upstream.close());
    return { envoy, upstream, port: envoy.listenPort, stop };
  } catch (error) {
    await upstream.close();
    throw error;
  }
}

const placed = (cluster: object, port: number): object =>
  JSON.parse(JSON.stringify(cluster).replace('"port_value":9191', `"port_value":${port}`)) as object;

function listener({ httpFilters, virtualHosts, manager, tls }: GuideConfig): object {
  const router = { name: 'router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router', {}) };
  const typedConfig = typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'ingress',
    route_config: { name: 'all', virtual_hosts: virtualHosts },
    http_filters: [...httpFilters, router],
    ...manager,
  });
  const chain = {
    filters: [{ name: 'http', typed_config: typedConfig }],
    ...(tls !== undefined && { transport_socket: downstreamTransport(tls) }),
  };
  return { name: 'ingress', address: socketAddress('127.0.0.1', 0), enable_reuse_port: false, filter_chains: [chain] };
}
