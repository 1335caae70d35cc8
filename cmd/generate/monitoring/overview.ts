import { graph, heatmap, of, one, quantile, type Row, rate, stat } from './panel.ts';

const CHECKS = of('postern_check_duration_seconds_count');
const BUCKETS = of('postern_check_duration_seconds_bucket');
const checks = (outcome: string): string =>
  `sum(${rate(of('postern_check_duration_seconds_count', `decision="${outcome}"`))})`;
const share = (outcome: string): string => `${checks(outcome)} / sum(${rate(CHECKS)})`;

/** Is it well, and is it us: one look. */
export const OVERVIEW: readonly Row[] = [
  {
    title: 'Now',
    panels: [
      stat('Ready', 'Instances that serve a snapshot. Fewer than there are: PosternNotReady.', [
        { expr: `sum(${of('postern_ready')})`, legend: 'ready' },
        { expr: `count(${of('postern_build_info')})`, legend: 'scraped' },
      ]),
      stat('Checks', 'Checks a second that were decided.', one(`sum(${rate(CHECKS)})`), { unit: 'reqps' }),
      stat(
        'Denied',
        'Share of checks that a policy refuses. A jump: see the dashboard "Postern: denials".',
        one(share('deny')),
        { unit: 'percentunit' },
      ),
      stat(
        'Faults',
        'Share of checks that fail for a fault of ours or of a dependency; 0 is usual.',
        one(share('fault')),
        {
          unit: 'percentunit',
          thresholds: [0.001, 0.01],
        },
      ),
      stat('p99', 'One check in a hundred takes longer. Envoy gives up after 200 ms.', one(quantile(0.99, BUCKETS)), {
        unit: 's',
        thresholds: [0.05, 0.1],
      }),
      stat(
        'Policies not accepted',
        'Policies whose newest spec does not serve: never accepted, or older than written.',
        one(`max(sum without (state) (${of('postern_policies', 'state!="accepted"')}))`),
        { thresholds: [1, 10] },
      ),
      stat(
        'Baselines not accepted',
        'APIBaselines that were never accepted: what they demand holds nobody.',
        one(`max(${of('postern_baselines_unaccepted')})`),
        { thresholds: [1, 1] },
      ),
    ],
  },
  {
    title: 'Checks',
    panels: [
      graph(
        'Checks by outcome',
        'What becomes of checks: allow, deny, fault.',
        [{ expr: `sum by (decision) (${rate(CHECKS)})`, legend: '{{decision}}' }],
        { unit: 'reqps', stacked: true },
      ),
      graph(
        'Time of a check',
        'From its arrival to its decision, over all instances that are chosen.',
        [
          { expr: quantile(0.5, BUCKETS), legend: 'p50' },
          { expr: quantile(0.9, BUCKETS), legend: 'p90' },
          { expr: quantile(0.99, BUCKETS), legend: 'p99' },
        ],
        { unit: 's' },
      ),
      heatmap(
        'Distribution of times',
        'Two bands: what is decided at once, and what waits for something outside.',
        one(`sum by (le) (increase(${BUCKETS}[$__rate_interval]))`, '{{le}}'),
      ),
      graph(
        'Faults by reason',
        'Each reason, and what to do, is in docs/reference/reasons.md.',
        [
          {
            expr: `sum by (reason) (${rate(of('postern_decisions_total', 'decision="fault"'))})`,
            legend: '{{reason}}',
          },
        ],
        { unit: 'reqps', stacked: true },
      ),
      graph(
        'Checks in flight',
        'Checks that wait, by instance; more than 1,000 that wait for something outside are refused.',
        [{ expr: of('postern_checks_in_flight'), legend: '{{instance}}' }],
      ),
      graph(
        'Checks by instance',
        'Uneven: Envoys keep their connections; --max-connection-age spreads them.',
        [{ expr: `sum by (instance) (${rate(CHECKS)})`, legend: '{{instance}}' }],
        { unit: 'reqps' },
      ),
    ],
  },
  {
    title: 'Policies',
    panels: [
      graph('Policies by state', 'accepted serve their present spec, last_good an older one, rejected refuse all.', [
        { expr: `max by (state) (${of('postern_policies')})`, legend: '{{state}}' },
      ]),
      graph(
        'Age of the snapshot',
        'Old is usual where nobody changes policies. Unlike ages: an instance is behind.',
        [{ expr: of('postern_snapshot_age_seconds'), legend: '{{instance}}' }],
        { unit: 's' },
      ),
      graph('Snapshots built', 'By result; a failure is a defect, the snapshot before serves.', [
        {
          expr: `sum by (result) (increase(${of('postern_snapshot_builds_total')}[$__rate_interval]))`,
          legend: '{{result}}',
        },
      ]),
      graph(
        'Time to build a snapshot',
        'Half and nine in ten of the builds take less.',
        [
          { expr: quantile(0.5, of('postern_snapshot_build_duration_seconds_bucket')), legend: 'p50' },
          { expr: quantile(0.9, of('postern_snapshot_build_duration_seconds_bucket')), legend: 'p90' },
        ],
        { unit: 's' },
      ),
      graph(
        'Silence of the API server',
        'Time since it was last heard, by resource; beyond 5 minutes policies may be stale.',
        [{ expr: `max by (resource) (${of('postern_watch_silence_seconds')})`, legend: '{{resource}}' }],
        { unit: 's' },
      ),
      graph('Watches opened anew', 'After an error; now and then is usual.', [
        {
          expr: `sum by (resource) (increase(${of('postern_watch_restarts_total')}[$__rate_interval]))`,
          legend: '{{resource}}',
        },
      ]),
      graph(
        'Status written',
        'To objects, by result. Failures leave authors with an old status.',
        [{ expr: `sum by (result) (${rate(of('postern_status_writes_total'))})`, legend: '{{result}}' }],
        { unit: 'reqps' },
      ),
      graph('Mistakes in policy files', 'Of instances that read files; what the files said before serves.', [
        { expr: of('postern_file_problems'), legend: '{{instance}}' },
      ]),
      graph('Days until certificates end', 'Of the instance whose certificate ends first.', [
        {
          expr: `(min by (certificate) (${of('postern_certificate_not_after_seconds')}) - time()) / 86400`,
          legend: '{{certificate}}',
        },
      ]),
    ],
  },
  {
    title: 'Limits and keys of issuers',
    panels: [
      graph(
        'Keys of limits',
        'How much of the memory for keys is used, also of the fullest worker.',
        [
          { expr: `${of('postern_ratelimit_keys')} / ${of('postern_ratelimit_max_keys')}`, legend: '{{instance}}' },
          { expr: of('postern_ratelimit_fullest_ratio'), legend: '{{instance}}, fullest worker' },
        ],
        { unit: 'percentunit' },
      ),
      graph('Keys of limits evicted', 'Each may call anew before its window ends; 0 is usual.', [
        { expr: rate(of('postern_ratelimit_evictions_total')), legend: '{{instance}}' },
      ]),
      graph('Fetches of keys', "Of issuers' discovery documents and key sets, by result.", [
        {
          expr: `sum by (result) (increase(${of('postern_keys_fetches_total')}[$__rate_interval]))`,
          legend: '{{result}}',
        },
      ]),
      graph(
        'Age of the oldest keys',
        'Beyond an hour its issuer is not reached; after a day its tokens get 503.',
        [{ expr: `max by (instance) (${of('postern_keys_age_seconds')})`, legend: '{{instance}}' }],
        { unit: 's' },
      ),
      graph('Tokens remembered', 'Verified ones, which are not verified anew.', [
        { expr: of('postern_token_cache_entries'), legend: '{{instance}}' },
      ]),
      graph('Certificates read again', 'By result; a failure keeps the old one.', [
        {
          expr: `sum by (result) (increase(${of('postern_certificate_reloads_total')}[$__rate_interval]))`,
          legend: '{{result}}',
        },
      ]),
    ],
  },
  {
    title: 'Connections of Envoys',
    panels: [
      graph('Connections ended', 'By what they broke or went beyond: no Envoy does; see the log for who it was.', [
        { expr: `sum by (bound) (${rate(of('postern_grpc_connections_ended_total'))})`, legend: '{{bound}}' },
      ]),
      graph(
        'Calls refused',
        'Before they were a check, by the bound; 0 is usual. Their requests are up to failure_mode_allow.',
        [{ expr: `sum by (bound) (${rate(of('postern_grpc_calls_refused_total'))})`, legend: '{{bound}}' }],
      ),
    ],
  },
  {
    title: 'Process',
    panels: [
      graph('CPU', 'Processors that are used; one check uses one of them.', [
        { expr: rate(of('process_cpu_seconds_total')), legend: '{{instance}}' },
      ]),
      graph(
        'Memory',
        'Share of what the container may have.',
        [
          {
            expr: `${of('process_resident_memory_bytes')} / ${of('postern_memory_limit_bytes')}`,
            legend: '{{instance}}',
          },
        ],
        { unit: 'percentunit' },
      ),
      graph(
        'Heap',
        'Of JavaScript; saw teeth are usual.',
        [{ expr: of('nodejs_heap_size_used_bytes'), legend: '{{instance}}' }],
        { unit: 'bytes' },
      ),
      graph(
        'Event-loop lag',
        'How late one turn in a hundred is; some 10 ms is the measure itself.',
        [{ expr: of('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }],
        { unit: 's' },
      ),
      graph('Worker processes', 'Where there are several; who starts or is silent for long does not serve.', [
        { expr: `sum by (state) (${of('postern_workers')})`, legend: '{{state}}' },
      ]),
      graph('Workers replaced', 'They ended unasked, or were ended for not answering; 0 is usual.', [
        { expr: `increase(${of('postern_worker_restarts_total')}[$__rate_interval])`, legend: '{{instance}}' },
      ]),
      graph('Lines of the log lost', 'The output did not take them; records of decisions are among them.', [
        { expr: rate(of('postern_log_dropped_total')), legend: '{{instance}}' },
      ]),
      graph('Versions', 'More than one outside of an upgrade: an upgrade got stuck.', [
        { expr: `count by (version, node) (${of('postern_build_info')})`, legend: '{{version}}, Node {{node}}' },
      ]),
    ],
  },
];
