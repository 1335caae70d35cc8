import { CALL_BOUNDS, CONNECTION_ENDINGS } from '../core/door-bounds.ts';

/** One metric family: what is registered, scraped and documented. Labels are closed sets, given here or by what is loaded. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Label names with their values; a text describes a set that loaded objects close. */
  readonly labels: Readonly<Record<string, readonly string[] | string>>;
  readonly help: string;
  /** Only where policies come from a cluster. */
  readonly isOfCluster?: true;
  /** Only where several worker processes answer checks. */
  readonly isOfWorkers?: true;
  /** How the values of several processes become one. Default `sum` of counters and histograms, `main` of gauges. */
  readonly together?: Together;
}

/**
 * `sum`: of all processes. `workers`: the sum of those that answer checks, whatever the main one says. `max`, `min`: the one
 * that is furthest off. `main`: the main process says it of all.
 */
export type Together = 'sum' | 'workers' | 'max' | 'min' | 'main';

const row = <const R extends MetricRow>(definition: R): R => definition;

/** Upper bounds in seconds: a sidecar's checks sit below 1 ms, Envoy gives up at 200 ms by default. */
export const CHECK_BUCKETS = Object.freeze([
  0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5,
]);
export const BUILD_BUCKETS = Object.freeze([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30]);

export const OUTCOMES = ['allow', 'deny', 'fault'] as const;
export const POLICY_STATES = ['accepted', 'last_good', 'rejected'] as const;
export const RESULTS = ['success', 'failure'] as const;
export const RESOURCES = [
  'apipolicies',
  'apiconsumers',
  'apiroles',
  'apirolebindings',
  'hostgrants',
  'apibaselines',
  'namespaces',
  'secrets',
] as const;
export const CERTIFICATES = ['server', 'client_ca'] as const;
export const WORKER_STATES = ['starting', 'serving', 'silent', 'ending', 'waiting'] as const;

const POLICY = '`namespace/name` of a loaded policy; `none` where no policy governs; `other` beyond 50,000 series';
const PHASE = 'phase of the reason';

/** Every metric of Postern, in the order of the reference; Node's own (`process_*`, `nodejs_*`) come besides. */
export const METRICS = Object.freeze({
  postern_check_duration_seconds: row({
    type: 'histogram',
    labels: { decision: OUTCOMES },
    help: 'Time from the arrival of a check to its decision; exemplars carry trace_id.',
  }),
  postern_decisions_total: row({
    type: 'counter',
    labels: { policy: POLICY, phase: PHASE, decision: OUTCOMES, reason: 'the table of reasons' },
    help: 'Decisions by policy and reason; faults without a policy are counted from 0 on.',
  }),
  postern_would_deny_total: row({
    type: 'counter',
    labels: { policy: POLICY, phase: PHASE, reason: 'the table of reasons' },
    help: 'Refusals that Audit turned into a record.',
  }),
  postern_checks_in_flight: row({
    type: 'gauge',
    labels: {},
    help: 'Checks that have not been answered yet.',
    together: 'sum',
  }),
  postern_ready: row({
    type: 'gauge',
    labels: {},
    help: '1 once a snapshot is served, and until the instance drains.',
  }),
  postern_policies: row({
    type: 'gauge',
    labels: { state: POLICY_STATES },
    help: 'Policies: serving their present spec, serving the last good one, or never accepted.',
  }),
  postern_baselines_unaccepted: row({
    type: 'gauge',
    labels: {},
    help: 'APIBaselines that were never accepted: what they would hold policies to holds nobody.',
  }),
  postern_snapshot_builds_total: row({
    type: 'counter',
    labels: { result: RESULTS },
    help: 'Snapshots built, or given up.',
    together: 'main',
  }),
  postern_snapshot_build_duration_seconds: row({
    type: 'histogram',
    labels: {},
    help: 'Time to build a snapshot.',
    together: 'main',
  }),
  postern_snapshot_age_seconds: row({
    type: 'gauge',
    labels: {},
    help: 'Age of the snapshot that is served.',
    together: 'max',
  }),
  postern_file_problems: row({
    type: 'gauge',
    labels: {},
    help: 'Mistakes that keep something of the policy files from being read (standalone); what it said before serves.',
  }),
  postern_watch_restarts_total: row({
    type: 'counter',
    labels: { resource: RESOURCES },
    help: 'Watches that had to be opened anew after an error.',
    isOfCluster: true,
  }),
  postern_watch_silence_seconds: row({
    type: 'gauge',
    labels: { resource: RESOURCES },
    help: 'Time since the API server was last heard, on the quietest watch of the resource.',
    isOfCluster: true,
  }),
  postern_status_writes_total: row({
    type: 'counter',
    labels: { result: RESULTS },
    help: 'Status written to objects.',
    isOfCluster: true,
  }),
  postern_ratelimit_keys: row({
    type: 'gauge',
    labels: {},
    help: 'Keys of rate limits held in memory.',
    together: 'workers',
  }),
  postern_ratelimit_max_keys: row({
    type: 'gauge',
    labels: {},
    help: 'Most keys of rate limits that memory may hold (--max-limit-keys).',
    together: 'workers',
  }),
  postern_ratelimit_fullest_ratio: row({
    type: 'gauge',
    labels: {},
    help: 'Keys of rate limits held, of the most that may be; of several workers that of the fullest, which evicts first.',
    together: 'max',
  }),
  postern_ratelimit_evictions_total: row({
    type: 'counter',
    labels: {},
    help: 'Keys of rate limits evicted for room before their window ended.',
  }),
  postern_keys_fetches_total: row({
    type: 'counter',
    labels: { result: RESULTS },
    help: "Fetches of issuers' discovery documents and key sets.",
  }),
  postern_keys_age_seconds: row({
    type: 'gauge',
    labels: {},
    help: 'Age of the oldest fetched key set that would serve now.',
    together: 'max',
  }),
  postern_token_cache_entries: row({
    type: 'gauge',
    labels: {},
    help: 'Verified tokens remembered.',
    together: 'workers',
  }),
  postern_certificate_not_after_seconds: row({
    type: 'gauge',
    labels: { certificate: CERTIFICATES },
    help: 'Unix time at which the certificate in use ends; of several authorities of clients, the first that does.',
    together: 'min',
  }),
  postern_certificate_reloads_total: row({
    type: 'counter',
    labels: { result: RESULTS },
    help: 'Certificates read again from disk; a failure keeps the old one.',
  }),
  postern_grpc_connections_ended_total: row({
    type: 'counter',
    labels: { bound: CONNECTION_ENDINGS },
    help: 'Connections that the gRPC door ended, by what they broke or went beyond.',
  }),
  postern_grpc_calls_refused_total: row({
    type: 'counter',
    labels: { bound: CALL_BOUNDS },
    help: 'Calls that the native gRPC door refused before they were a check, by what they went beyond.',
  }),
  postern_memory_limit_bytes: row({
    type: 'gauge',
    labels: {},
    help: "Memory that the process may have: the limit of its container, else the machine's.",
  }),
  postern_log_dropped_total: row({
    type: 'counter',
    labels: {},
    help: 'Log lines dropped because the output did not take them.',
  }),
  postern_workers: row({
    type: 'gauge',
    labels: { state: WORKER_STATES },
    help: 'Worker processes: starting, serving, serving and silent when they were asked for their metrics, ending, and those that wait to be started again.',
    isOfWorkers: true,
  }),
  postern_worker_restarts_total: row({
    type: 'counter',
    labels: {},
    help: 'Worker processes that took the place of one that ended unasked or was ended for not answering.',
    isOfWorkers: true,
  }),
  postern_build_info: row({
    type: 'gauge',
    labels: { version: "the program's", node: "the runtime's" },
    help: 'Always 1; what runs is in the labels.',
  }),
} satisfies Record<string, MetricRow>);

export type MetricName = keyof typeof METRICS;

type NamesOf<Type> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
type HotName = 'postern_check_duration_seconds' | 'postern_decisions_total' | 'postern_would_deny_total';
/** Counters and gauges of what happens seldom: no label, or one with a closed set. */
export type CounterName = Exclude<NamesOf<'counter'>, HotName>;
export type GaugeName = Exclude<NamesOf<'gauge'>, 'postern_build_info'>;

type Labels<Name extends MetricName> = (typeof METRICS)[Name]['labels'];
/** The values that a metric's one label may have; `never` when it has none. */
export type LabelValue<Name extends MetricName> = Labels<Name>[keyof Labels<Name>] extends readonly (infer V)[]
  ? V
  : never;
