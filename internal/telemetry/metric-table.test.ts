import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { KINDS } from '../policy/resource/kinds.ts';
import { METRICS, type MetricName, RESOURCES } from './metric-table.ts';

const INTERNAL = resolve(import.meta.dirname, '..');

/** Where each metric gets its values, and the test that sees it get one. A metric that nobody sets scrapes as a lie. */
const WHERE: Readonly<Record<MetricName, readonly [file: string, test: string]>> = {
  postern_check_duration_seconds: ['telemetry/metrics.ts', 'internal/telemetry/metrics.test.ts'],
  postern_decisions_total: ['telemetry/metrics.ts', 'internal/telemetry/metrics.test.ts'],
  postern_would_deny_total: ['telemetry/metrics.ts', 'internal/telemetry/metrics.test.ts'],
  postern_checks_in_flight: ['telemetry/metrics.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_ready: ['app/agent.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_policies: ['app/readiness.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_baselines_unaccepted: ['app/readiness.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_snapshot_builds_total: ['telemetry/metrics.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_snapshot_build_duration_seconds: ['telemetry/metrics.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_snapshot_age_seconds: ['app/agent.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_file_problems: ['app/agent.ts', 'test/door/policy_files.test.ts'],
  postern_watch_restarts_total: ['app/kind-watches.ts', 'internal/app/kube-source.test.ts'],
  postern_watch_silence_seconds: ['app/kind-watches.ts', 'internal/app/kube-source.test.ts'],
  postern_status_writes_total: ['app/kube-source.ts', 'internal/app/kube-source.test.ts'],
  postern_ratelimit_keys: ['app/agent.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_ratelimit_max_keys: ['app/agent.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_ratelimit_fullest_ratio: ['app/agent.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_ratelimit_evictions_total: ['app/agent.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_keys_fetches_total: ['app/keys-fetched.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_keys_age_seconds: ['app/check-parts.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_token_cache_entries: ['app/check-parts.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_certificate_not_after_seconds: ['app/start-door.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_certificate_reloads_total: ['app/start-door.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_grpc_connections_ended_total: ['app/grpc-door-words.ts', 'test/door/native_agent.test.ts'],
  postern_grpc_calls_refused_total: ['app/grpc-door-words.ts', 'test/door/native_agent.test.ts'],
  postern_memory_limit_bytes: ['app/agent.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_log_dropped_total: ['app/agent.ts', 'test/telemetry/agent_metrics.test.ts'],
  postern_workers: ['telemetry/worker-scrapes.ts', 'internal/telemetry/worker-scrapes.test.ts'],
  postern_worker_restarts_total: ['telemetry/worker-scrapes.ts', 'internal/telemetry/worker-scrapes.test.ts'],
  postern_build_info: ['telemetry/metrics.ts', 'internal/telemetry/metrics.test.ts'],
};

const read = (file: string): string => readFileSync(file, 'utf8');

describe('METRICS', () => {
  it('has no row that is not set where this list says, and seen by the test that it names', () => {
    const wrong = Object.entries(WHERE).filter(
      ([name, [file, test]]) =>
        !read(join(INTERNAL, file)).includes(`'${name}'`) || !read(join(INTERNAL, '..', test)).includes(name),
    );
    assert.deepEqual(wrong, []);
    assert.deepEqual(Object.keys(WHERE), Object.keys(METRICS));
  });

  it('is all that is set', () => {
    const files = readdirSync(INTERNAL, { recursive: true, encoding: 'utf8' });
    const sources = files.filter((file) => file.endsWith('.ts') && !/\.test\.ts$/.test(file));
    const named = sources.flatMap((file) => [...read(join(INTERNAL, file)).matchAll(/'(postern_[a-z_]+)'/g)]);
    assert.deepEqual(
      named.map(([, name]) => name).filter((name) => !Object.hasOwn(METRICS, name ?? '')),
      [],
    );
  });

  it('names as resources what is watched, and nothing else', () => {
    assert.deepEqual([...RESOURCES], [...Object.values(KINDS).map(({ plural }) => plural), 'namespaces', 'secrets']);
  });
});
