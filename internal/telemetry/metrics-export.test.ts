import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import type { Decision, PolicyRef } from '../core/decision.ts';
import type { ReasonName } from '../core/reasons.ts';
import { loadedOf } from './checked.fixture.ts';
import type { Format } from './exposition.ts';
import { aMetrics, aPolicy, decided, scrape } from './metrics.fixture.ts';
import type { Metrics } from './metrics.ts';

const aDecision = (reason: ReasonName, policy?: PolicyRef): Decision =>
  decided(reason, policy, [{ reason: 'denied_by_rule', outcome: 'would-deny' }]);

async function samples(metrics: Metrics, pattern: RegExp): Promise<string[]> {
  return (await scrape(metrics)).split('\n').filter((line) => pattern.test(line) && !/ 0$/.test(line));
}

/** As it comes out at the other end of a channel between processes. */
async function tell(main: Metrics, worker: Metrics, id = 1): Promise<void> {
  await main.absorb(id, deserialize(serialize(await worker.export())));
}

/** What happens in an instance, wherever checks are answered. Durations add up exactly. */
function act(metrics: Metrics, policies: readonly PolicyRef[], isEven: boolean): void {
  for (const [index, policy] of policies.entries()) {
    if ((index % 2 === 0) !== isEven) continue;
    const traceId = `${index}`.padStart(32, '0');
    metrics.observeCheck(aDecision('allowed', policy), (index + 1) / 4096, traceId);
    metrics.observeCheck(aDecision('rate_limited', policy), (index + 1) / 1024, undefined);
    metrics.count('postern_keys_fetches_total', 'failure', index);
    metrics.count('postern_grpc_calls_refused_total', 'streams');
  }
  metrics.observeCheck(aDecision('internal'), 2, undefined);
}

describe('Metrics.absorb()', () => {
  it('gives the page that one process would have, whole, in both forms', async () => {
    const policies = Array.from({ length: 20 }, (_, i) => aPolicy(`p${i}`));
    const [alone, main, even, odd] = [aMetrics(), aMetrics(), aMetrics(), aMetrics()];
    for (const metrics of [alone, main, even, odd]) metrics.setPolicies(loadedOf(policies));
    for (let round = 0; round < 3; round += 1) {
      for (const isEven of [true, false]) act(alone, policies, isEven);
      act(even, policies, true);
      act(odd, policies, false);
      await tell(main, even, 1);
      await tell(main, odd, 2);
    }
    for (const metrics of [alone, main]) metrics.snapshotBuilt('success', 0.25);
    for (const metrics of [even, odd]) metrics.snapshotBuilt('success', 0.125);
    // A worker's series may begin in another order than those of one process.
    const sorted = async (metrics: Metrics, format: Format): Promise<string[]> =>
      (await scrape(metrics, format)).split('\n').sort();
    for (const format of ['text', 'openmetrics'] as const)
      assert.deepEqual(await sorted(main, format), await sorted(alone, format));
  });

  it('is the same text each time while nothing happens, also after an export of nothing', async () => {
    const policies = [aPolicy('a'), aPolicy('b')];
    const [main, worker] = [aMetrics(), aMetrics()];
    for (const metrics of [main, worker]) metrics.setPolicies(loadedOf(policies));
    act(worker, policies, true);
    await tell(main, worker);
    const before = await scrape(main, 'openmetrics');
    await tell(main, worker);
    assert.equal(await scrape(main, 'openmetrics'), before);
    assert.match(
      before,
      /postern_decisions_total\{policy="shop\/a",phase="none",decision="allow",reason="allowed"\} 1\n/,
    );
  });

  it('lets no counter go back when a worker is replaced by one that begins at nothing', async () => {
    const orders = aPolicy('orders');
    const main = aMetrics();
    main.setPolicies(loadedOf([orders]));
    for (const id of [1, 2]) {
      const worker = aMetrics();
      worker.setPolicies(loadedOf([orders]));
      worker.observeCheck(aDecision('allowed', orders), 0.5, undefined);
      await tell(main, worker, id);
      main.workerEnded(id);
    }
    assert.deepEqual(await samples(main, /^postern_(decisions_total|check_duration_seconds_count)/), [
      'postern_check_duration_seconds_count{decision="allow"} 2',
      'postern_decisions_total{policy="shop/orders",phase="none",decision="allow",reason="allowed"} 2',
    ]);
  });

  it('counts for a policy that workers serve before the main process has told of it, and for none that went', async () => {
    const [before, orders] = [aPolicy('before'), aPolicy('orders')];
    const [main, worker] = [aMetrics(), aMetrics()];
    main.setPolicies(loadedOf([before]));
    worker.setPolicies(loadedOf([before, orders]));
    worker.observeCheck(aDecision('allowed', before), 0, undefined);
    worker.observeCheck(aDecision('allowed', orders), 0, undefined);
    await tell(main, worker);
    worker.observeCheck(aDecision('allowed', orders), 0, undefined);
    await tell(main, worker);
    main.setPolicies(loadedOf([orders]));
    worker.observeCheck(aDecision('allowed', before), 0, undefined);
    await tell(main, worker);
    main.setPolicies(loadedOf([orders]));
    assert.deepEqual(await samples(main, /^postern_decisions_total/), [
      'postern_decisions_total{policy="shop/orders",phase="none",decision="allow",reason="allowed"} 2',
    ]);
  });

  it('has no more series than one process, whatever workers count, and none that goes back', async () => {
    const policies = ['a', 'b', 'c'].map((name) => aPolicy(name));
    const main = aMetrics({ maxSeries: 2 });
    main.setPolicies(loadedOf(policies));
    for (const round of [1, 2]) {
      for (const [id, policy] of policies.entries()) {
        const worker = aMetrics();
        worker.setPolicies(loadedOf(policies));
        worker.observeCheck(aDecision('allowed', policy), 0, undefined);
        await tell(main, worker, id);
      }
      assert.deepEqual(await samples(main, /^postern_decisions_total/), [
        `postern_decisions_total{policy="other",phase="none",decision="allow",reason="allowed"} ${round}`,
        `postern_decisions_total{policy="shop/a",phase="none",decision="allow",reason="allowed"} ${round}`,
        `postern_decisions_total{policy="shop/b",phase="none",decision="allow",reason="allowed"} ${round}`,
      ]);
    }
  });

  it('adds up gauges, takes the worst, or leaves them to the main process, each as its row says', async () => {
    const main = aMetrics();
    main.set('postern_ratelimit_max_keys', 1000);
    main.set('postern_certificate_not_after_seconds', 500, 'server');
    main.set('postern_memory_limit_bytes', 4096);
    main.read('postern_ready', () => 1);
    main.read('postern_snapshot_age_seconds', () => 3);
    const workers = [1, 2].map((n) => {
      const worker = aMetrics();
      worker.inFlight = n;
      worker.set('postern_ratelimit_max_keys', 250);
      worker.set('postern_ratelimit_keys', 10 * n);
      worker.set('postern_certificate_not_after_seconds', 100 * n, 'server');
      worker.set('postern_certificate_not_after_seconds', 100 * n, 'client_ca');
      worker.set('postern_memory_limit_bytes', 1);
      worker.read('postern_ready', () => 7);
      worker.read('postern_snapshot_age_seconds', () => n + 1.5);
      worker.read('postern_keys_age_seconds', () => (n === 1 ? 60 : undefined));
      return worker;
    });
    for (const [index, worker] of workers.entries()) await tell(main, worker, index);
    const pattern = /^postern_(checks_in_flight|ready|snapshot_age|ratelimit|keys_age|certificate_not|memory)/;
    assert.deepEqual(await samples(main, pattern), [
      'postern_checks_in_flight 3',
      'postern_ready 1',
      'postern_snapshot_age_seconds 3.5',
      'postern_ratelimit_keys 30',
      'postern_ratelimit_max_keys 500',
      'postern_keys_age_seconds 60',
      'postern_certificate_not_after_seconds{certificate="server"} 100',
      'postern_certificate_not_after_seconds{certificate="client_ca"} 100',
      'postern_memory_limit_bytes 4096',
    ]);
    main.workerEnded(0);
    assert.deepEqual(await samples(main, /^postern_(checks_in_flight|ratelimit)/), [
      'postern_checks_in_flight 2',
      'postern_ratelimit_keys 20',
      'postern_ratelimit_max_keys 250',
    ]);
  });

  it("knows for each of Node's metrics what several processes come to", async () => {
    const [main, worker] = [aMetrics({ process: true }), aMetrics({ process: true })];
    const { registry } = await worker.export();
    const given = (name: string, value: number) => ({ family: name, name, labels: {}, value });
    const families = new Set([...registry.counts, ...registry.gauges].map(({ family }) => family));
    for (const name of ['process_start_time_seconds', 'nodejs_version_info']) assert.ok(!families.has(name), name);
    await main.absorb(1, {
      ...(await worker.export()),
      registry: {
        counts: [given('process_cpu_seconds_total', 1e9)],
        gauges: [
          given('process_resident_memory_bytes', 2 ** 50),
          given('nodejs_eventloop_lag_p99_seconds', 2 ** 40),
          given('nodejs_eventloop_lag_min_seconds', -1),
        ],
      },
    });
    const lines = await samples(main, /^(process|nodejs)_/);
    const numberOf = (name: string): number => Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1]);
    assert.ok(numberOf('process_cpu_seconds_total') > 1e9);
    assert.ok(numberOf('process_resident_memory_bytes') > 2 ** 50 + 1e6);
    assert.deepEqual(
      [numberOf('nodejs_eventloop_lag_p99_seconds'), numberOf('nodejs_eventloop_lag_min_seconds')],
      [2 ** 40, -1],
    );
  });

  it('adds histograms of which it has no sample itself', async () => {
    const [main, worker] = [aMetrics({ process: true }), aMetrics()];
    const of = (kind: string, le: string, value: number) => ({
      family: 'nodejs_gc_duration_seconds',
      name: 'nodejs_gc_duration_seconds_bucket',
      labels: { le, kind },
      value,
    });
    const counts = [of('told', '0.001', 2), of('told', '+Inf', 3)];
    for (const id of [1, 2]) await main.absorb(id, { ...(await worker.export()), registry: { counts, gauges: [] } });
    assert.deepEqual(await samples(main, /kind="told"/), [
      'nodejs_gc_duration_seconds_bucket{le="0.001",kind="told"} 4',
      'nodejs_gc_duration_seconds_bucket{le="+Inf",kind="told"} 6',
    ]);
  });
});

describe('Metrics.export()', () => {
  it('tells only what was counted since the export before', async () => {
    const worker = aMetrics();
    const orders = aPolicy('orders');
    worker.setPolicies(loadedOf([orders, aPolicy('idle')]));
    worker.observeCheck(aDecision('allowed', orders), 0.5, undefined);
    const first = await worker.export();
    assert.equal(first.decisions.policies, 'shop/orders');
    assert.equal(first.latency.allow.sumS, 0.5);
    const second = await worker.export();
    assert.deepEqual(second.decisions, { policies: '', cells: new Float64Array() });
    assert.equal(second.latency.allow.sumS, 0);
    assert.deepEqual(second.registry.counts, []);
  });

  it('gives other work its turn while it looks at many policies', async () => {
    const worker = aMetrics();
    const policies = Array.from({ length: 6000 }, (_, i) => aPolicy(`p${i}`));
    worker.setPolicies(loadedOf(policies));
    for (const policy of policies) worker.observeCheck(aDecision('allowed', policy), 0, undefined);
    let turns = 0;
    const tick = (): void => {
      turns += 1;
      if (turns < 1000) timer = setImmediate(tick);
    };
    let timer = setImmediate(tick);
    const { decisions } = await worker.export();
    clearImmediate(timer);
    assert.equal(decisions.cells.length, 3 * 6000);
    assert.ok(turns >= 10, `other work had ${turns} turns`);
  });
});
