import { type Alert, by, of, RELEASE } from './alert.ts';

/** Whether what is served is what was written. */
export const POLICY_ALERTS: readonly Alert[] = [
  {
    alert: 'PosternWatchSilent',
    severity: 'critical',
    for: '1m',
    expr: `${of('postern_watch_silence_seconds')} > 300`,
    summary: 'Policies may be stale: the API server is not heard',
    description:
      '{{ $labels.instance }} has heard nothing of {{ $labels.resource }} for {{ $value | humanizeDuration }}: what was changed or revoked since does not count yet.',
    runbook: 'See whether the API server answers, and whether the log says "forbidden".',
  },
  // Not of Secrets: whoever writes a consumer can name one that the agent may not read, and its watch fails for ever.
  {
    alert: 'PosternWatchRestarts',
    severity: 'warning',
    expr: `sum ${by('instance', 'resource')} (increase(${of('postern_watch_restarts_total', 'resource!="secrets"')}[15m])) > 10`,
    summary: 'Watches on the API server break again and again',
    description:
      '{{ $labels.instance }} opened its watch on {{ $labels.resource }} anew {{ $value | printf "%.0f" }} times within a quarter of an hour.',
    runbook: 'The log says what the API server answered: rights, load, or a proxy that ends connections.',
  },
  {
    alert: 'PosternSnapshotBuildsFail',
    severity: 'critical',
    expr: `sum ${by('instance')} (increase(${of('postern_snapshot_builds_total', 'result="failure"')}[15m])) > 0`,
    summary: 'Changes of policies do not come into force',
    description: '{{ $labels.instance }} gave up a snapshot; the one before serves.',
    runbook: 'This is a defect: the log holds the stack. Take back the newest change, and report it.',
  },
  {
    alert: 'PosternSnapshotBuildsSlow',
    severity: 'warning',
    expr: `histogram_quantile(0.9, sum ${by('instance', 'le')} (rate(${of('postern_snapshot_build_duration_seconds_bucket')}[15m]))) > 5`,
    summary: 'Changes of policies come into force late',
    description: 'A snapshot of {{ $labels.instance }} takes {{ $value | humanizeDuration }} to build.',
    runbook: 'See how many policies there are and how often they change; spread them over classes.',
  },
  {
    alert: 'PosternPoliciesRejected',
    severity: 'warning',
    for: '10m',
    expr: `max ${RELEASE} (${of('postern_policies', 'state="rejected"')}) > 0`,
    summary: 'Policies that were never accepted refuse all of their traffic',
    description:
      '{{ $value }} policies of job {{ $labels.job }} were never accepted; their hosts and paths are denied.',
    runbook: 'kubectl get apol -A shows which, kubectl describe apol NAME why.',
  },
  {
    alert: 'PosternBaselineUnaccepted',
    severity: 'critical',
    for: '5m',
    expr: `max ${RELEASE} (${of('postern_baselines_unaccepted')}) > 0`,
    summary: 'A baseline of the platform holds nobody',
    description:
      '{{ $value }} APIBaselines of job {{ $labels.job }} were never accepted: no policy is held to what they demand.',
    runbook: 'kubectl get abase shows which, kubectl describe abase NAME why.',
  },
  {
    alert: 'PosternPoliciesOutdated',
    severity: 'warning',
    for: '10m',
    expr: `max ${RELEASE} (${of('postern_policies', 'state="last_good"')}) > 0`,
    summary: 'Policies serve an older spec than the one that was written',
    description:
      'The newest spec of {{ $value }} policies of job {{ $labels.job }} is not accepted; the last good one serves.',
    runbook: 'kubectl get apol -A shows which, kubectl describe apol NAME why.',
  },
  {
    alert: 'PosternFilesBroken',
    severity: 'warning',
    for: '5m',
    expr: `${of('postern_file_problems')} > 0`,
    summary: 'Policy files cannot be read',
    description:
      '{{ $value }} mistakes keep policy files of {{ $labels.instance }} from being read; what they said before serves.',
    runbook: 'The log names file, line and column; postern lint says the same before a deployment.',
  },
  {
    alert: 'PosternStatusWritesFail',
    severity: 'warning',
    for: '5m',
    expr: `sum ${RELEASE} (increase(${of('postern_status_writes_total', 'result="failure"')}[15m])) > 5`,
    summary: 'The status of policies is not written',
    description:
      '{{ $value | printf "%.0f" }} writes of job {{ $labels.job }} failed within a quarter of an hour: authors read a status that is old.',
    runbook: 'The log says what the API server answered; see the ClusterRole and the CRDs of this version.',
  },
];
