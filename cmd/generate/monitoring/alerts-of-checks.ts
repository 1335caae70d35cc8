import { type Alert, by, of, RELEASE, rise } from './alert.ts';

const CHECKS = 'postern_check_duration_seconds_count';
const rate = (window: string, ...matchers: readonly string[]): string =>
  `sum ${RELEASE} (rate(${of(CHECKS, ...matchers)}[${window}]))`;
const denied = 'decision="deny"';
const before = (...matchers: readonly string[]): string =>
  `sum ${RELEASE} (rate(${of(CHECKS, ...matchers)}[1d] offset 15m))`;

/** What becomes of checks. */
export const CHECK_ALERTS: readonly Alert[] = [
  {
    alert: 'PosternFaults',
    severity: 'critical',
    for: '5m',
    expr: `${rate('5m', 'decision="fault"')} / ${rate('5m')} > 0.01`,
    summary: 'Requests are refused because Postern or a dependency fails',
    description: '{{ $value | humanizePercentage }} of the checks of job {{ $labels.job }} end in a fault (500, 503).',
    runbook: 'The panel "Faults by reason" says which; docs/reference/reasons.md says of each what to do.',
  },
  {
    alert: 'PosternInternalErrors',
    severity: 'critical',
    expr: rise(of('postern_decisions_total', 'reason=~"internal|undecided"'), '15m', by('reason')),
    summary: 'A defect of Postern refuses requests',
    description:
      '{{ $value | printf "%.0f" }} checks of job {{ $labels.job }} ended as {{ $labels.reason }} within a quarter of an hour.',
    runbook: 'The line of the log holds the stack (reason "internal"): take back the newest change, and report it.',
  },
  {
    alert: 'PosternDependencyDown',
    severity: 'warning',
    for: '5m',
    expr: rise(
      of('postern_decisions_total', 'reason=~"issuer_unavailable|limit_store_unavailable"'),
      '10m',
      by('reason'),
    ),
    summary: 'Requests are refused because an issuer or a store of limits does not answer',
    description:
      '{{ $value | printf "%.0f" }} checks of job {{ $labels.job }} ended as {{ $labels.reason }} within ten minutes.',
    runbook: 'The log names the issuer: look at it, at DNS, at the network policy and at --outbound-allow.',
  },
  {
    alert: 'PosternOverloaded',
    severity: 'critical',
    expr: `sum ${by('instance')} (increase(${of('postern_decisions_total', 'reason="overloaded"')}[5m])) > 0`,
    summary: 'More checks wait than an instance of Postern holds',
    description:
      '{{ $labels.instance }} refused {{ $value | printf "%.0f" }} checks within five minutes, being over capacity.',
    runbook: 'See what they wait for (issuers that hang), then add replicas.',
  },
  {
    alert: 'PosternSlow',
    severity: 'warning',
    for: '10m',
    expr: `histogram_quantile(0.99, sum ${by('le')} (rate(${of('postern_check_duration_seconds_bucket')}[5m]))) > 0.1`,
    summary: 'Checks take half of the time that Envoy gives them',
    description:
      'One check in a hundred of job {{ $labels.job }} takes longer than {{ $value | humanizeDuration }}; Envoy gives up after 200ms.',
    runbook: 'Compare event-loop lag and CPU with what checks wait for; add replicas, raise the timeout of Envoy last.',
  },
  {
    alert: 'PosternDenialsJump',
    severity: 'warning',
    for: '5m',
    expr: `${rate('15m', denied)} / ${rate('15m')} - ${before(denied)} / ${before()} > 0.2 and ${rate('15m')} > 0.1`,
    summary: 'Far more requests are denied than the day before',
    description:
      '{{ $value | humanizePercentage }} of all checks of job {{ $labels.job }} are denied beyond the share of the day before.',
    runbook:
      'The dashboard "Postern: denials" says which policy and reason; compare with the newest changes of policies.',
  },
  {
    alert: 'PosternNoChecks',
    severity: 'warning',
    for: '10m',
    expr: `${rate('10m')} == 0 and sum ${RELEASE} (rate(${of(CHECKS)}[1h] offset 30m)) > 0.1`,
    summary: 'Envoy does not ask Postern any more',
    description:
      'Job {{ $labels.job }} had checks half an hour ago and has none now: either nobody calls, or Envoy lets requests pass, or refuses them, by itself.',
    runbook: 'Look at ext_authz counters of Envoy (error, failure_mode_allowed) and at its newest configuration.',
  },
  {
    alert: 'PosternLimitKeysNearFull',
    severity: 'warning',
    for: '5m',
    expr: `${of('postern_ratelimit_fullest_ratio')} > 0.9`,
    summary: 'The memory of rate limits is nearly full',
    description:
      '{{ $labels.instance }}, or the fullest of its workers, holds {{ $value | humanizePercentage }} of the keys that it may hold.',
    runbook: 'See which limit has so many keys: one by path or by an unproven name? Else raise --max-limit-keys.',
  },
  {
    alert: 'PosternLimitKeysEvicted',
    severity: 'critical',
    expr: `increase(${of('postern_ratelimit_evictions_total')}[10m]) > 0`,
    summary: 'Rate limits forget callers before their window ends',
    description:
      '{{ $labels.instance }} evicted {{ $value | printf "%.0f" }} keys within ten minutes: whoever they were of may call anew.',
    runbook: 'Somebody may flood keys on purpose: limit by address first, find the limit, raise --max-limit-keys.',
  },
  {
    alert: 'PosternKeyFetchesFail',
    severity: 'warning',
    for: '10m',
    expr: `sum ${by('instance')} (increase(${of('postern_keys_fetches_total', 'result="failure"')}[15m])) > 3`,
    summary: 'Keys of an issuer cannot be fetched',
    description:
      '{{ $labels.instance }} failed {{ $value | printf "%.0f" }} times within a quarter of an hour; last good keys serve for a day, if there are any.',
    runbook: 'The log names the issuer and why: look for "Keys could not be fetched".',
  },
  {
    alert: 'PosternKeysStale',
    severity: 'warning',
    for: '5m',
    expr: `${of('postern_keys_age_seconds')} > 4 * 3600`,
    summary: 'Tokens are verified with old keys, and soon with none',
    description:
      'The keys of an issuer of {{ $labels.instance }} are {{ $value | humanizeDuration }} old: a withdrawn one still counts, and after a day its tokens get 503.',
    runbook: 'Let the agent reach the issuer again; if a key was stolen, give the policy jwks.inline meanwhile.',
  },
];
