// What istiod (August 2026) makes of providers and AuthorizationPolicies, as far as the guide uses them: one filter that only says
// which rule would match, and one that asks if one did (istio/istio, pilot/pkg/security/authz/builder).
import { typed } from '../../internal/envoy/cluster.ts';

/** `meshConfig.extensionProviders[]`. */
export interface Provider {
  readonly name: string;
  readonly envoyExtAuthzGrpc: {
    readonly service: string;
    readonly port: number;
    readonly timeout?: string;
    readonly failOpen?: boolean;
    readonly statusOnError?: string;
    readonly includeRequestBodyInCheck?: {
      readonly maxRequestBytes: number;
      readonly allowPartialMessage?: boolean;
      readonly packAsBytes?: boolean;
    };
  };
}

export interface AuthorizationPolicy {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly action: 'CUSTOM' | 'DENY';
    readonly rules?: readonly { readonly to?: readonly { readonly operation: Operation }[] }[];
  };
}

interface Operation {
  readonly paths?: readonly string[];
  readonly notHosts?: readonly string[];
}

const PREFIX = 'istio-ext-authz';
const STAT_PREFIX = 'istio_ext_authz_';
const RBAC = 'envoy.filters.http.rbac';
const NEVER = { permissions: [{ not_rule: { any: true } }], principals: [{ not_id: { any: true } }] };

/** CUSTOM comes first; DENY comes after request authentication. */
export function istioFilters(provider: Provider, policies: readonly AuthorizationPolicy[]): readonly object[] {
  const custom = policies.filter(({ spec }) => spec.action === 'CUSTOM');
  const deny = policies.filter(({ spec }) => spec.action === 'DENY');
  return [
    rbac({ shadow_rules_stat_prefix: STAT_PREFIX, shadow_rules: denying(custom, `${PREFIX}-${provider.name}-`) }),
    extAuthz(provider),
    ...(deny.length === 0 ? [] : [rbac({ rules: denying(deny, '') })]),
  ];
}

const rbac = (fields: object): object => ({
  name: RBAC,
  typed_config: typed('envoy.extensions.filters.http.rbac.v3.RBAC', fields),
});

function denying(policies: readonly AuthorizationPolicy[], prefix: string): object {
  const named = policies.flatMap(
    ({ metadata: { name, namespace }, spec: { rules = [] } }): (readonly [string, object])[] => {
      const nameOf = (index: number): string => `${prefix}ns[${namespace}]-policy[${name}]-rule[${index}]`;
      // A policy without rules matches nothing.
      if (rules.length === 0) return [[nameOf(0), NEVER]];
      return rules.map(({ to = [] }, index) => {
        const permissions = to.length === 0 ? [{ any: true }] : to.map(({ operation }) => permission(operation));
        const wrapped = to.length === 0 ? [{ and_rules: { rules: permissions } }] : permissions;
        return [nameOf(index), { permissions: wrapped, principals: [{ and_ids: { ids: [{ any: true }] } }] }];
      });
    },
  );
  return { action: 'DENY', policies: Object.fromEntries(named) };
}

function permission({ paths, notHosts }: Operation): object {
  const rules: object[] = [];
  if (paths !== undefined)
    rules.push({ or_rules: { rules: paths.map((path) => ({ url_path: { path: textMatch(path) } })) } });
  if (notHosts !== undefined) rules.push({ not_rule: { or_rules: { rules: notHosts.map(hostMatch) } } });
  return { and_rules: { rules } };
}

const hostMatch = (host: string): object => ({
  header: { name: ':authority', string_match: { ...textMatch(host), ignore_case: true } },
});

function textMatch(pattern: string): object {
  if (pattern.startsWith('*')) return { suffix: pattern.slice(1) };
  return pattern.endsWith('*') ? { prefix: pattern.slice(0, -1) } : { exact: pattern };
}

function extAuthz({ name, envoyExtAuthzGrpc: grpc }: Provider): object {
  const { service, port, timeout = '600s', failOpen = false, statusOnError, includeRequestBodyInCheck: body } = grpc;
  return {
    name: 'envoy.filters.http.ext_authz',
    typed_config: typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
      transport_api_version: 'V3',
      failure_mode_allow: failOpen,
      grpc_service: { envoy_grpc: { cluster_name: clusterName(service, port), authority: service }, timeout },
      filter_enabled_metadata: {
        filter: RBAC,
        path: [{ key: `${STAT_PREFIX}shadow_effective_policy_id` }],
        value: { string_match: { prefix: `${PREFIX}-${name}` } },
      },
      ...(statusOnError !== undefined && { status_on_error: { code: Number(statusOnError) } }),
      ...(body !== undefined && {
        with_request_body: {
          max_request_bytes: body.maxRequestBytes,
          allow_partial_message: body.allowPartialMessage ?? false,
          pack_as_bytes: body.packAsBytes ?? false,
        },
      }),
    }),
  };
}

export const clusterName = (service: string, port: number): string => `outbound|${port}||${service}`;
