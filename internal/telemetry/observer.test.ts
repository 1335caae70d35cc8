import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headerFields } from '../core/attributes.ts';
import type { ReasonName } from '../core/reasons.ts';
import type { Checked } from '../policy/checked.ts';
import { aChecked, anAttributes, loadedOf, ORDERS } from './checked.fixture.ts';
import type { Fields } from './log.ts';
import { Metrics } from './metrics.ts';
import { Observer, type ObserverOptions } from './observer.ts';
import { NO_SPAN, TRACING_OFF } from './tracing.ts';

interface Watched {
  readonly observer: Observer;
  readonly metrics: Metrics;
  readonly records: Fields[];
  readonly errors: string[];
}

function anObserver(options: Partial<ObserverOptions> = {}): Watched {
  const records: Fields[] = [];
  const errors: string[] = [];
  const metrics = new Metrics({ version: '1', process: false });
  metrics.setPolicies(loadedOf([ORDERS]));
  let nowMs = 1000;
  const observer = new Observer({
    metrics,
    log: { decision: (record) => records.push(record), error: (message) => errors.push(message) },
    tracing: TRACING_OFF,
    clock: {
      monotonicMs: () => {
        nowMs += 0.25;
        return nowMs;
      },
    },
    random: () => 0.5,
    ...options,
  });
  return { observer, metrics, records, errors };
}

async function text(metrics: Metrics): Promise<string> {
  let all = '';
  for await (const piece of metrics.scrape('text')) all += piece;
  return all;
}

const samplingPercent = (checked: Checked, logAllowsPercent: number): Checked =>
  ({ ...checked, policy: { logAllowsPercent } }) as Checked;

function watch(observer: Observer, reason: ReasonName, percent?: number): void {
  const attributes = anAttributes({});
  const checked = aChecked(reason, attributes);
  const observation = observer.begin(attributes.headers);
  observer.finish(observation, attributes, percent === undefined ? checked : samplingPercent(checked, percent));
}

describe('Observer', () => {
  it('counts, times and records a denial', async () => {
    const { observer, metrics, records } = anObserver();
    watch(observer, 'rate_limited');
    const scraped = await text(metrics);
    assert.match(
      scraped,
      /^postern_decisions_total\{policy="shop\/orders",phase="ratelimit",decision="deny",reason="rate_limited"\} 1$/m,
    );
    assert.match(scraped, /^postern_check_duration_seconds_sum\{decision="deny"\} 0.00025$/m);
    assert.deepEqual(
      records.map(({ reason, duration_ms }) => [reason, duration_ms]),
      [['rate_limited', 0.25]],
    );
  });

  it('records every fault, as one', () => {
    const faults: boolean[] = [];
    const { observer } = anObserver({ log: { decision: (_, isFault) => faults.push(isFault), error: () => {} } });
    watch(observer, 'issuer_unavailable');
    watch(observer, 'no_route');
    assert.deepEqual(faults, [true, false]);
  });

  it('records of allows only as many as the policy says', () => {
    const { observer, records } = anObserver();
    for (const percent of [undefined, 0, 50, 50.1, 100]) watch(observer, 'allowed', percent);
    assert.equal(records.length, 2);
  });

  it('records an allow that Audit would have denied', () => {
    const { observer, records } = anObserver();
    const attributes = anAttributes({});
    const findings = [{ reason: 'denied_by_rule', outcome: 'would-deny' }] as const;
    observer.finish(observer.begin(attributes.headers), attributes, aChecked('allowed', attributes, { findings }));
    assert.deepEqual(records.length, 1);
  });

  it('knows how many checks are in flight', () => {
    const { observer, metrics } = anObserver();
    const attributes = anAttributes({});
    const begun = [observer.begin(undefined), observer.begin(undefined)];
    assert.equal(metrics.inFlight, 2);
    for (const observation of begun) observer.finish(observation, attributes, aChecked('no_route', attributes));
    assert.equal(metrics.inFlight, 0);
  });

  it('never throws and never lets a check go uncounted when its own parts fail', () => {
    const fails = (): never => {
      throw new Error('telemetry is broken');
    };
    const errors: string[] = [];
    const { observer, metrics } = anObserver({
      tracing: { begin: fails, shutdown: fails },
      log: { decision: fails, error: (message) => errors.push(message) },
    });
    watch(observer, 'no_route');
    assert.deepEqual(errors, ['A span could not be begun', 'A check could not be recorded']);
    assert.equal(metrics.inFlight, 0);
  });

  it('hands the same span object to every check while tracing is off', () => {
    const { observer } = anObserver();
    assert.equal(observer.begin(headerFields([])).span, NO_SPAN);
    assert.equal(observer.begin(headerFields([['traceparent', 'x']])).span, NO_SPAN);
  });

  it('adds no series for 100,000 distinct paths, hosts, methods, subjects and policies that are not loaded', async () => {
    const { observer, metrics } = anObserver();
    const reasons: readonly ReasonName[] = ['allowed', 'no_route', 'not_allowed', 'malformed_path'];
    for (const reason of reasons) watch(observer, reason);
    const attributes = anAttributes({});
    const stranger = aChecked('policy_not_found', attributes, { policy: { ...ORDERS, name: 'stranger' } });
    observer.finish(observer.begin(undefined), attributes, stranger);
    const before = (await text(metrics)).split('\n').length;
    for (let i = 0; i < 100_000; i += 1) {
      const odd = anAttributes({ method: `M${i}`, host: `h${i}.example.org`, target: `/p${i}`, id: String(i) });
      const checked = aChecked(reasons[i % reasons.length] ?? 'allowed', odd);
      if (checked.evaluation !== undefined) {
        checked.evaluation.identity = { ...checked.evaluation.identity, subject: `s${i}` };
      }
      const observation = observer.begin(odd.headers);
      observer.finish(observation, odd, checked);
      const unloaded = { ...ORDERS, namespace: `ns${i}` };
      metrics.observeCheck({ ...stranger.decision, policy: unloaded }, 0, undefined);
    }
    assert.equal((await text(metrics)).split('\n').length, before);
  });
});
