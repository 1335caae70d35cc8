import { type Alert, by, of, RELEASE } from './alert.ts';

const POD = 'the Pod, its last log and its events: kubectl describe pod, kubectl logs --previous';

/** Whether instances are there, ready and well. */
export const INSTANCE_ALERTS: readonly Alert[] = [
  {
    alert: 'PosternUnavailable',
    severity: 'critical',
    for: '2m',
    expr: `absent(${of('postern_ready')}) or sum ${RELEASE} (${of('postern_ready')}) == 0`,
    summary: 'No instance of Postern serves policies',
    description:
      'No agent of job {{ $labels.job }} is scraped and ready: Envoy refuses all requests, or lets all pass where failure_mode_allow says so.',
    runbook: 'kubectl get pods says whether they run; if they do, whether the scrape job still finds them.',
  },
  {
    alert: 'PosternDown',
    severity: 'warning',
    for: '5m',
    expr: `${of('up')} == 0`,
    summary: 'An instance of Postern does not answer its scrape',
    description: '{{ $labels.instance }} has not answered /metrics for five minutes.',
    runbook: `Look at ${POD}.`,
  },
  {
    alert: 'PosternNotReady',
    severity: 'warning',
    for: '5m',
    expr: `${of('postern_ready')} == 0`,
    summary: 'An instance of Postern serves no policies',
    description: '{{ $labels.instance }} has had no snapshot for five minutes, or does not end its drain.',
    runbook: 'GET /readyz says why in words; the log names what of the API server cannot be read.',
  },
  {
    alert: 'PosternNoSnapshot',
    severity: 'critical',
    expr: `sum ${by('instance')} (increase(${of('postern_decisions_total', 'reason="no_snapshot"')}[5m])) > 0`,
    summary: 'Checks were left to the failure mode of Envoy',
    description:
      '{{ $labels.instance }} was asked {{ $value | printf "%.0f" }} times within five minutes while it had no policies; Envoy let those pass where failure_mode_allow says so.',
    runbook: 'Let Envoy ask only instances that are ready: its health check, or the Service, has to know.',
  },
  {
    alert: 'PosternRestarts',
    severity: 'warning',
    expr: `changes(${of('process_start_time_seconds')}[15m]) > 2`,
    summary: 'An instance of Postern starts again and again',
    description: '{{ $labels.instance }} started {{ $value }} times within a quarter of an hour.',
    runbook: `Look at ${POD}; an end by OOMKilled is about memory.`,
  },
  {
    alert: 'PosternWorkerRestarts',
    severity: 'warning',
    expr: `increase(${of('postern_worker_restarts_total')}[15m]) > 2`,
    summary: 'A worker process starts again and again',
    description:
      '{{ $labels.instance }} replaced {{ $value | printf "%.0f" }} workers within a quarter of an hour: each took its connections and its counters of limits with it.',
    runbook: 'The log says how they ended, and why they were ended: look for lines with "A worker ended".',
  },
  {
    alert: 'PosternWorkerSilent',
    severity: 'warning',
    for: '5m',
    expr: `${of('postern_workers', 'state="silent"')} > 0`,
    summary: 'A worker process does not answer its scrape',
    description:
      '{{ $labels.instance }} has {{ $value }} workers that answered nothing within two seconds for five minutes.',
    runbook: 'Look at the CPU of the container, its limit and its throttling: workers need a core each.',
  },
  {
    alert: 'PosternMemoryHigh',
    severity: 'warning',
    for: '10m',
    expr: `${of('process_resident_memory_bytes')} / ${of('postern_memory_limit_bytes')} > 0.9`,
    summary: 'An instance of Postern is about to run out of memory',
    description: '{{ $labels.instance }} holds {{ $value | humanizePercentage }} of what its container may have.',
    runbook: 'Raise resources.limits.memory, or lower --max-limit-keys; see which of keys and policies grew.',
  },
  {
    alert: 'PosternEventLoopBlocked',
    severity: 'warning',
    for: '5m',
    expr: `${of('nodejs_eventloop_lag_p99_seconds')} > 0.1`,
    summary: 'An instance of Postern keeps checks waiting',
    description: 'One turn in a hundred of {{ $labels.instance }} is late by {{ $value | humanizeDuration }}.',
    runbook: 'See whether its CPU is used up or throttled: add replicas or CPU, and take away a CPU limit.',
  },
  {
    alert: 'PosternLogDropped',
    severity: 'warning',
    expr: `increase(${of('postern_log_dropped_total')}[10m]) > 0`,
    summary: 'Lines of the log were lost, records of decisions among them',
    description: '{{ $labels.instance }} dropped {{ $value | printf "%.0f" }} lines within ten minutes.',
    runbook: 'Whoever reads its standard output is too slow or its disk is full: look at the log collector.',
  },
  {
    alert: 'PosternCertificateEnds',
    severity: 'warning',
    for: '10m',
    expr: `${of('postern_certificate_not_after_seconds')} - time() < 7 * 86400`,
    summary: 'A certificate of Postern ends within a week',
    description:
      'The {{ $labels.certificate }} certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}.',
    runbook: 'See why it was not renewed: kubectl describe certificate, or whoever writes the Secret.',
  },
  {
    alert: 'PosternCertificateEndsSoon',
    severity: 'critical',
    for: '10m',
    expr: `${of('postern_certificate_not_after_seconds')} - time() < 86400`,
    summary: 'A certificate of Postern ends within a day, and Envoys with it',
    description:
      'The {{ $labels.certificate }} certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}.',
    runbook: 'Write a new certificate into the Secret: it is read within seconds, without a restart.',
  },
  {
    alert: 'PosternCertificateReloadFails',
    severity: 'warning',
    expr: `sum ${by('instance')} (increase(${of('postern_certificate_reloads_total', 'result="failure"')}[6h])) > 0`,
    summary: 'A new certificate cannot be used; the old one serves',
    description: '{{ $labels.instance }} could not use a certificate that was written within six hours.',
    runbook: 'The log says which file and why: mostly a key that does not belong to the certificate.',
  },
];
