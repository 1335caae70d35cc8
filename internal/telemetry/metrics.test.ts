import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REASONS } from '../core/reasons.ts';
import { loadedOf } from './checked.fixture.ts';
import { formatFor } from './exposition.ts';
import { METRICS } from './metric-table.ts';
import { aMetrics, aPolicy, decided, scrape } from './metrics.fixture.ts';
import type { Metrics } from './metrics.ts';

async function samples(metrics: Metrics, name: string): Promise<string[]> {
  return (await scrape(metrics)).split('\n').filter((line) => line.startsWith(name));
}

/** Decisions that were made: faults are there before. */
const decisions = async (metrics: Metrics): Promise<string[]> =>
  (await samples(metrics, 'postern_decisions_total')).filter((line) => !line.endsWith(' 0'));

describe('Metrics.observeCheck()', () => {
  it('counts decisions by policy, phase, outcome and reason', async () => {
    const metrics = aMetrics();
    const orders = aPolicy('orders');
    metrics.setPolicies(loadedOf([orders]));
    metrics.observeCheck(decided('allowed', orders), 0.0001, undefined);
    metrics.observeCheck(decided('allowed', orders), 0.0001, undefined);
    metrics.observeCheck(decided('rate_limited', orders), 0.0001, undefined);
    metrics.observeCheck(decided('no_route'), 0.0001, undefined);
    assert.deepEqual(await decisions(metrics), [
      'postern_decisions_total{policy="none",phase="policy",decision="deny",reason="no_route"} 1',
      'postern_decisions_total{policy="shop/orders",phase="none",decision="allow",reason="allowed"} 2',
      'postern_decisions_total{policy="shop/orders",phase="ratelimit",decision="deny",reason="rate_limited"} 1',
    ]);
  });

  it('begins with every fault at zero, without a policy: its first count is a rise', async () => {
    const faults = Object.entries(REASONS).filter(([, { kind }]) => kind === 'fault');
    assert.deepEqual(
      await samples(aMetrics(), 'postern_decisions_total'),
      faults.map(
        ([reason, { phase }]) =>
          `postern_decisions_total{policy="none",phase="${phase}",decision="fault",reason="${reason}"} 0`,
      ),
    );
  });

  it('counts would-denies apart, and no would-allow', async () => {
    const metrics = aMetrics();
    const orders = aPolicy('orders');
    metrics.setPolicies(loadedOf([orders]));
    const findings = [
      { reason: 'denied_by_rule', outcome: 'would-deny' },
      { reason: 'allowed', outcome: 'would-allow' },
    ] as const;
    metrics.observeCheck(decided('allowed', orders, findings), 0, undefined);
    assert.deepEqual(await samples(metrics, 'postern_would_deny_total'), [
      'postern_would_deny_total{policy="shop/orders",phase="authz",reason="denied_by_rule"} 1',
    ]);
  });

  it('puts durations into cumulative buckets from 50 µs on', async () => {
    const metrics = aMetrics();
    for (const durationS of [0.00005, 0.00006, 0.0004, 7, -1, Number.NaN]) {
      metrics.observeCheck(decided('allowed'), durationS, undefined);
    }
    const lines = await samples(metrics, 'postern_check_duration_seconds');
    const allows = lines.filter((line) => line.includes('"allow"')).map((line) => line.replace(/.*[{,]/, ''));
    assert.deepEqual(allows, [
      ...[
        '0.00005"} 3',
        '0.0001"} 4',
        '0.0002"} 4',
        '0.0005"} 5',
        '0.001"} 5',
        '0.002"} 5',
        '0.005"} 5',
        '0.01"} 5',
      ].map(le),
      ...['0.02"} 5', '0.05"} 5', '0.1"} 5', '0.2"} 5', '0.5"} 5', '1"} 5', '5"} 5', '+Inf"} 6'].map(le),
      'decision="allow"} 7.00051',
      'decision="allow"} 6',
    ]);
  });

  it('keeps counts when a policy gets a new generation, and forgets a policy that went', async () => {
    const metrics = aMetrics();
    const before = aPolicy('orders');
    metrics.setPolicies(loadedOf([before, aPolicy('gone')]));
    metrics.observeCheck(decided('allowed', before), 0, undefined);
    metrics.observeCheck(decided('allowed', aPolicy('gone')), 0, undefined);
    const after = { ...before, generation: 2 };
    metrics.setPolicies(loadedOf([after]));
    metrics.observeCheck(decided('allowed', after), 0, undefined);
    metrics.observeCheck(decided('allowed', before), 0, undefined);
    metrics.observeCheck(decided('allowed', aPolicy('gone')), 0, undefined);
    assert.deepEqual(await decisions(metrics), [
      'postern_decisions_total{policy="none",phase="none",decision="allow",reason="allowed"} 1',
      'postern_decisions_total{policy="shop/orders",phase="none",decision="allow",reason="allowed"} 3',
    ]);
  });

  it('counts under "other" what is beyond the most series, and makes room when policies go', async () => {
    const metrics = aMetrics({ maxSeries: 2 });
    const [a, b] = [aPolicy('a'), aPolicy('b')];
    metrics.setPolicies(loadedOf([a, b]));
    for (const policy of [a, a, b]) metrics.observeCheck(decided('allowed', policy), 0, undefined);
    metrics.observeCheck(decided('no_route', b), 0, undefined);
    metrics.setPolicies(loadedOf([b]));
    metrics.observeCheck(decided('not_allowed', b), 0, undefined);
    metrics.observeCheck(decided('rate_limited', b), 0, undefined);
    assert.deepEqual(await decisions(metrics), [
      'postern_decisions_total{policy="other",phase="policy",decision="deny",reason="no_route"} 1',
      'postern_decisions_total{policy="other",phase="ratelimit",decision="deny",reason="rate_limited"} 1',
      'postern_decisions_total{policy="shop/b",phase="none",decision="allow",reason="allowed"} 1',
      'postern_decisions_total{policy="shop/b",phase="authz",decision="deny",reason="not_allowed"} 1',
    ]);
  });

  it('writes exemplars with the trace id where OpenMetrics is asked for, and only there', async () => {
    const metrics = aMetrics();
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    metrics.observeCheck(decided('allowed'), 0.0003, traceId);
    assert.match(
      await scrape(metrics, 'openmetrics'),
      new RegExp(`_bucket\\{decision="allow",le="0.0005"\\} 1 # \\{trace_id="${traceId}"\\} 0.0003\n`),
    );
    assert.ok(!(await scrape(metrics)).includes(traceId));
  });
});

const le = (rest: string): string => `le="${rest}`;

describe('Metrics.scrape()', () => {
  it('has every family of the table, each with its help and type', async () => {
    const text = await scrape(aMetrics({ hasWorkers: true }));
    const missing = Object.entries(METRICS).filter(
      ([name, { help, type }]) => !text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`),
    );
    assert.deepEqual(missing, []);
  });

  it('leaves out what only a cluster gives where policies come from files', async () => {
    const metrics = aMetrics({ isStandalone: true, hasWorkers: true });
    metrics.count('postern_status_writes_total', 'success');
    metrics.read('postern_watch_silence_seconds', () => 1, 'secrets');
    const text = await scrape(metrics);
    assert.deepEqual(
      Object.keys(METRICS).filter((name) => !text.includes(`# HELP ${name} `)),
      ['postern_watch_restarts_total', 'postern_watch_silence_seconds', 'postern_status_writes_total'],
    );
    assert.doesNotMatch(text, /postern_(watch|status)_/);
  });

  it('leaves out what only worker processes give where there are none', async () => {
    const metrics = aMetrics();
    metrics.count('postern_worker_restarts_total');
    metrics.set('postern_workers', 1, 'serving');
    assert.doesNotMatch(await scrape(metrics), /postern_worker/);
  });

  it('ends OpenMetrics with EOF and names the families of counters without _total', async () => {
    const text = await scrape(aMetrics({ process: true }), 'openmetrics');
    assert.ok(text.endsWith('\n# EOF\n'));
    assert.match(text, /# TYPE postern_decisions counter\n/);
    assert.match(text, /# TYPE postern_watch_restarts counter\npostern_watch_restarts_total\{/);
    assert.doesNotMatch(text, /# TYPE \S+_total counter/);
  });

  it('writes the same text form after an OpenMetrics one', async () => {
    const metrics = aMetrics();
    const before = await scrape(metrics);
    await scrape(metrics, 'openmetrics');
    assert.equal(await scrape(metrics), before);
  });

  it('starts counters with closed labels at zero', async () => {
    assert.deepEqual(await samples(aMetrics(), 'postern_snapshot_builds_total'), [
      'postern_snapshot_builds_total{result="success"} 0',
      'postern_snapshot_builds_total{result="failure"} 0',
    ]);
  });

  it('reads gauges and counters that are kept elsewhere', async () => {
    const metrics = aMetrics();
    let keys: number | undefined = 3;
    let evictions = 5;
    metrics.read('postern_ratelimit_keys', () => keys);
    metrics.read('postern_ratelimit_evictions_total', () => evictions);
    const read = async (): Promise<string[]> => [
      ...(await samples(metrics, 'postern_ratelimit_keys')),
      ...(await samples(metrics, 'postern_ratelimit_evictions_total')),
    ];
    assert.deepEqual(await read(), ['postern_ratelimit_keys 3', 'postern_ratelimit_evictions_total 5']);
    [keys, evictions] = [undefined, 4];
    assert.deepEqual(await read(), ['postern_ratelimit_evictions_total 5']);
  });

  it('says what runs', async () => {
    assert.deepEqual(await samples(aMetrics(), 'postern_build_info'), [
      `postern_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
    ]);
  });

  it('gives other work its turn while it writes many series', async () => {
    const metrics = aMetrics();
    const policies = Array.from({ length: 6000 }, (_, i) => aPolicy(`p${i}`));
    metrics.setPolicies(loadedOf(policies));
    for (const policy of policies) metrics.observeCheck(decided('allowed', policy), 0, undefined);
    let turns = 0;
    const tick = (): void => {
      turns += 1;
      if (turns < 1000) timer = setImmediate(tick);
    };
    let timer = setImmediate(tick);
    await scrape(metrics);
    clearImmediate(timer);
    assert.ok(turns >= 3, `other work had ${turns} turns`);
  });
});

describe('formatFor()', () => {
  for (const [accept, expected] of [
    [undefined, 'text'],
    ['*/*', 'text'],
    ['text/plain;version=0.0.4', 'text'],
    ['application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75', 'openmetrics'],
    ['text/plain, application/openmetrics-text;q=0', 'text'],
    ['APPLICATION/OPENMETRICS-TEXT', 'openmetrics'],
  ] as const) {
    it(`takes ${accept} for ${expected}`, () => assert.equal(formatFor(accept), expected));
  }
});
