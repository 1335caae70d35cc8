// What Envoy Gateway (August 2026) makes of a SecurityPolicy with extAuth.grpc and of HTTPRoutes: a filter that is disabled,
// and routes that enable it and carry what they were made of (envoyproxy/gateway, internal/xds/translator).
import { typed } from '../../internal/envoy/cluster.ts';

export interface SecurityPolicy {
  readonly metadata: Named;
  readonly spec: {
    readonly targetRefs: readonly { readonly kind: string; readonly name: string }[];
    readonly extAuth?: {
      readonly grpc: {
        readonly backendRefs: readonly [{ readonly name: string; readonly namespace: string; readonly port: number }];
      };
      readonly timeout?: string;
      readonly failOpen?: boolean;
      readonly recomputeRoute?: boolean;
      readonly statusOnError?: number;
      readonly includeRouteMetadata?: boolean;
      readonly headersToExtAuth?: readonly string[];
      readonly bodyToExtAuth?: { readonly maxRequestBytes: number };
      readonly contextExtensions?: readonly { readonly name: string; readonly value: string }[];
    };
  };
}

export interface HTTPRoute {
  readonly metadata: Named;
  readonly spec: {
    readonly hostnames: readonly [string];
    readonly rules: readonly {
      readonly name?: string;
      readonly matches: readonly [{ readonly path: { readonly value: string } }];
    }[];
  };
}

interface Named {
  readonly name: string;
  readonly namespace: string;
}

/** Name of the SecurityPolicy in everything that is made of it. */
const nameOf = ({ metadata: { namespace, name } }: SecurityPolicy): string => `securitypolicy/${namespace}/${name}`;
const filterOf = (policy: SecurityPolicy): string => `envoy.filters.http.ext_authz/${nameOf(policy)}`;
export const clusterOf = (policy: SecurityPolicy): string => `${nameOf(policy)}/extauth/0`;

export function gatewayFilter(policy: SecurityPolicy): object {
  const { extAuth } = policy.spec;
  if (extAuth === undefined) throw new Error(`${nameOf(policy)} has no extAuth`);
  const [backend] = extAuth.grpc.backendRefs;
  const headers = extAuth.headersToExtAuth ?? [];
  return {
    name: filterOf(policy),
    disabled: true,
    typed_config: typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
      transport_api_version: 'V3',
      failure_mode_allow: extAuth.failOpen ?? false,
      clear_route_cache: extAuth.recomputeRoute ?? false,
      ...(extAuth.includeRouteMetadata === true && { route_metadata_context_namespaces: ['envoy-gateway'] }),
      ...(extAuth.statusOnError !== undefined && { status_on_error: { code: extAuth.statusOnError } }),
      grpc_service: {
        envoy_grpc: {
          cluster_name: clusterOf(policy),
          authority: `${backend.name}.${backend.namespace}:${backend.port}`,
        },
        timeout: seconds(extAuth.timeout ?? '10s'),
      },
      ...(headers.length > 0 && {
        allowed_headers: { patterns: headers.map((exact) => ({ exact, ignore_case: true })) },
      }),
      ...(extAuth.bodyToExtAuth !== undefined && {
        with_request_body: { max_request_bytes: extAuth.bodyToExtAuth.maxRequestBytes },
      }),
    }),
  };
}

/** Gateway API's durations are not protobuf's. */
const seconds = (duration: string): string => {
  const [, number, unit] = /^([0-9]+)(ms|s)$/.exec(duration) ?? [];
  if (number === undefined) throw new Error(`"${duration}" is not known here`);
  return unit === 'ms' ? `${Number(number) / 1000}s` : duration;
};

/** @param policy the one that governs the route, its own or the Gateway's; undefined: nobody is asked */
export function gatewayHost(route: HTTPRoute, policy: SecurityPolicy | undefined): object {
  const [host] = route.spec.hostnames;
  const label = host.replaceAll('.', '_');
  return {
    name: `infra/public/http/${label}`,
    domains: [host],
    routes: route.spec.rules.map((rule, index) => {
      const cluster = clusterOfRule(route, index);
      return {
        match: matchOf(rule.matches[0].path.value),
        name: `${cluster}/match/0/${label}`,
        route: { cluster },
        metadata: metadataOf(route, rule.name),
        ...(policy !== undefined && enabled(policy)),
      };
    }),
  };
}

const matchOf = (prefix: string): object => (prefix === '/' ? { prefix } : { path_separated_prefix: prefix });

export const clusterOfRule = ({ metadata: { namespace, name } }: HTTPRoute, index: number): string =>
  `httproute/${namespace}/${name}/rule/${index}`;

function metadataOf({ metadata: { namespace, name } }: HTTPRoute, sectionName: string | undefined): object {
  const resource = { kind: 'HTTPRoute', namespace, name, ...(sectionName !== undefined && { sectionName }) };
  return { filter_metadata: { 'envoy-gateway': { resources: [resource] } } };
}

function enabled(policy: SecurityPolicy): object {
  const { contextExtensions = [] } = policy.spec.extAuth ?? {};
  const words = Object.fromEntries(contextExtensions.map(({ name, value }) => [name, value]));
  const settings = contextExtensions.length === 0 ? {} : { context_extensions: words };
  const config = typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute', { check_settings: settings });
  return { typed_per_filter_config: { [filterOf(policy)]: config } };
}
