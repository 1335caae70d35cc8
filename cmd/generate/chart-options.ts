import type { OptionName } from '../../internal/config/options.ts';
import { IP_NETWORK, PEER_NETWORK } from './network-patterns.ts';

const LABEL_KEY = '([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
const LABEL_VALUE = '([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?';
const REQUIREMENT = `(!?${LABEL_KEY}|${LABEL_KEY} ?(=|==|!=) ?${LABEL_VALUE}|${LABEL_KEY} (in|notin) \\(${LABEL_VALUE}( ?, ?${LABEL_VALUE})*\\))`;

/** 1 to 600 s. */
const SECONDS = { type: 'string', pattern: '^([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600)s$' };
/** 4 to 1,024 Ki. */
const KIBIBYTES = { type: 'string', pattern: '^([4-9]|[1-9][0-9]{1,2}|10[01][0-9]|102[0-4])Ki$' };
/** 1 to 1,024 Mi. */
const MEBIBYTES = { type: 'string', pattern: '^([1-9]|[1-9][0-9]{1,2}|10[01][0-9]|102[0-4])Mi$' };

/**
 * How the chart's values give each option of `serve`: the JSON schema of a value, whose pattern takes nothing that the
 * agent would refuse; `enum` where the option has choices or is a switch; or `chart` where the chart decides it itself.
 */
export const CHART_OPTIONS: Readonly<Record<OptionName, 'chart' | 'enum' | Readonly<Record<string, unknown>>>> = {
  policies: 'chart',
  kube: 'chart',
  kubeconfig: 'chart',
  class: 'chart',
  'workload-labels': 'chart',
  'sidecar-class': 'chart',
  namespace: 'chart',
  'policy-selector': { type: 'string', pattern: `^${REQUIREMENT}(,${REQUIREMENT})*$` },
  'host-grants': 'enum',
  'client-address': {
    type: 'string',
    pattern: `^(direct|forwarded-for:hops=([1-9]|1[0-6])|forwarded-for:cidrs=${PEER_NETWORK}(,${PEER_NETWORK})*|header:[A-Za-z0-9-]{1,128})$`,
  },
  bodies: 'enum',
  'transport-security': 'enum',
  'trust-context-extensions': 'enum',
  'route-metadata': 'enum',
  'cluster-issuer': { type: 'string', pattern: '^https://[^\\s?#@]+$' },
  'outbound-allow': {
    type: 'array',
    minItems: 1,
    maxItems: 256,
    items: { type: 'string', pattern: `^${IP_NETWORK}$` },
  },
  unmatched: 'enum',
  'grpc-addr': 'chart',
  'http-addr': 'chart',
  'http-trusted-peers': 'chart',
  'http-carried-headers': 'chart',
  'admin-addr': 'chart',
  'debug-addr': 'chart',
  'tls-cert': 'chart',
  'tls-key': 'chart',
  'client-ca': 'chart',
  'check-timeout': { type: 'string', pattern: '^([1-9][0-9]{0,3}ms|([1-9]|[1-5][0-9]|60)s)$' },
  'drain-timeout': 'chart',
  'drain-delay': { type: 'string', pattern: '^([0-9]|[1-9][0-9]|[1-5][0-9]{2}|600)s$' },
  'max-connection-age': { type: 'string', pattern: '^([1-9][0-9]{0,3}s|[1-9][0-9]{0,2}m|([1-9]|1[0-9]|2[0-4])h)$' },
  'max-limit-keys': { type: 'integer', minimum: 1000, maximum: 100_000_000 },
  'namespace-policies': { type: 'integer', minimum: 1, maximum: 10_000_000 },
  'namespace-policy-bytes': { type: 'string', pattern: '^[1-9][0-9]{0,2}(Mi|Gi)$' },
  'namespace-objects': { type: 'integer', minimum: 1, maximum: 10_000_000 },
  'namespace-object-bytes': { type: 'string', pattern: '^[1-9][0-9]{0,2}(Mi|Gi)$' },
  'max-receive-bytes': {
    type: 'string',
    pattern: '^((6[4-9]|[7-9][0-9]|[1-9][0-9]{2,4})Ki|([1-9]|[1-5][0-9]|6[0-4])Mi)$',
  },
  'grpc-reflection': 'enum',
  workers: { type: ['integer', 'string'], minimum: 1, maximum: 64, pattern: '^(auto|[1-9]|[1-5][0-9]|6[0-4])$' },
  'log-level': 'enum',
  config: 'chart',
  transport: 'enum',
  'grpc-aux-addr': 'chart',
  'grpc-max-streams': { type: 'integer', minimum: 1, maximum: 1_000_000 },
  'grpc-max-header-bytes': KIBIBYTES,
  'grpc-header-table-bytes': KIBIBYTES,
  'grpc-max-continuations': { type: 'integer', minimum: 1, maximum: 1000 },
  'grpc-max-frame-rate': { type: 'integer', minimum: 10, maximum: 10_000_000 },
  'grpc-max-reset-rate': { type: 'integer', minimum: 10, maximum: 10_000_000 },
  'grpc-max-buffered-bytes': MEBIBYTES,
  'grpc-max-buffered-total': { type: 'string', pattern: '^[1-9][0-9]{0,3}Mi$' },
  'grpc-max-unsent-bytes': MEBIBYTES,
  'grpc-handshake-timeout': SECONDS,
  'grpc-request-timeout': SECONDS,
  'grpc-stall-timeout': SECONDS,
  'grpc-ping-interval': SECONDS,
  'grpc-ping-timeout': SECONDS,
};

/** What is about hosts and routes, several namespaces or several cores: sidecars have none of them. */
export const OF_GATEWAYS: ReadonlySet<OptionName> = new Set([
  'policy-selector',
  'host-grants',
  'namespace-policies',
  'namespace-policy-bytes',
  'namespace-objects',
  'namespace-object-bytes',
  'trust-context-extensions',
  'route-metadata',
  'workers',
]);
