// What HTTPRoutes with the filter ExternalAuth (Gateway API, GEP-1494) come to in Envoy, in two ways: a service for each route,
// and, as Cilium does it, a filter that all other routes switch off.
import { typed } from '../../internal/envoy/cluster.ts';

export interface HTTPRoute {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly hostnames: readonly [string]; readonly rules: readonly Rule[] };
}

interface Rule {
  readonly matches: readonly [{ readonly path: { readonly value: string } }];
  readonly filters?: readonly { readonly type: string; readonly externalAuth?: ExternalAuth }[];
  readonly backendRefs: readonly [{ readonly name: string; readonly port: number }];
}

interface ExternalAuth {
  readonly backendRef: { readonly name: string; readonly namespace: string; readonly port: number };
  readonly grpc?: { readonly allowedHeaders?: readonly string[] };
  readonly forwardBody?: { readonly maxSize: number };
}

/** What is made of routes: filters and one virtual host. */
export interface Made {
  readonly httpFilters: readonly object[];
  readonly virtualHosts: readonly object[];
}

const EXT_AUTHZ = 'envoy.filters.http.ext_authz';
const MESSAGE = 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz';

/** Also the name of the only service that is asked. */
export const clusterOf = ({ namespace, name, port }: ExternalAuth['backendRef']): string =>
  `${namespace}/${name}/${port}`;

const authOf = ({ filters = [] }: Rule): ExternalAuth | undefined =>
  filters.find(({ type }) => type === 'ExternalAuth')?.externalAuth;

const firstAuth = ({ spec }: HTTPRoute): ExternalAuth => {
  const found = spec.rules.map(authOf).find((auth) => auth !== undefined);
  if (found === undefined) throw new Error('No rule asks.');
  return found;
};

const hostOf = ({ metadata, spec }: HTTPRoute, perRule: (rule: Rule) => object): readonly object[] => [
  {
    name: metadata.name,
    domains: [spec.hostnames[0]],
    routes: spec.rules.map((rule) => ({
      match: { path_separated_prefix: rule.matches[0].path.value },
      route: { cluster: `${metadata.namespace}/${rule.backendRefs[0].name}/${rule.backendRefs[0].port}` },
      ...perRule(rule),
    })),
  },
];

const onRoute = (settings: object): object => ({
  typed_per_filter_config: { [EXT_AUTHZ]: typed(`${MESSAGE}PerRoute`, settings) },
});

const bodyOf = ({ forwardBody }: ExternalAuth): object =>
  forwardBody === undefined
    ? {}
    : { with_request_body: { max_request_bytes: forwardBody.maxSize, allow_partial_message: true } };

const serviceOf = ({ backendRef }: ExternalAuth): object => ({
  envoy_grpc: {
    cluster_name: clusterOf(backendRef),
    authority: `${backendRef.name}.${backendRef.namespace}:${backendRef.port}`,
  },
});

/** One filter that is off, and on each route that asks the service for it. */
export function serviceByRoute(route: HTTPRoute): Made {
  const idle = { envoy_grpc: { cluster_name: clusterOf(firstAuth(route).backendRef) } };
  const config = typed(MESSAGE, { transport_api_version: 'V3', grpc_service: idle });
  return {
    httpFilters: [{ name: EXT_AUTHZ, disabled: true, typed_config: config }],
    virtualHosts: hostOf(route, (rule) => {
      const auth = authOf(rule);
      return auth === undefined ? {} : onRoute({ check_settings: { grpc_service: serviceOf(auth), ...bodyOf(auth) } });
    }),
  };
}

/** A filter that asks, and is switched off on each route that does not. */
export function filterForAll(route: HTTPRoute): Made {
  const auth = firstAuth(route);
  const headers = auth.grpc?.allowedHeaders ?? [];
  const config = typed(MESSAGE, {
    transport_api_version: 'V3',
    grpc_service: serviceOf(auth),
    decoder_header_mutation_rules: { disallow_expression: { regex: '^(:authority|host)$' } },
    ...(headers.length > 0 && {
      allowed_headers: { patterns: headers.map((exact) => ({ exact, ignore_case: true })) },
    }),
    ...bodyOf(auth),
  });
  return {
    httpFilters: [{ name: EXT_AUTHZ, typed_config: config }],
    virtualHosts: hostOf(route, (rule) => (authOf(rule) === undefined ? onRoute({ disabled: true }) : {})),
  };
}
