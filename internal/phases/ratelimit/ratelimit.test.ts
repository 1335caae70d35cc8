import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anEvaluation } from '../../core/evaluation.fixture.ts';
import { ProblemList } from '../../core/problem.ts';
import { compileRateLimits } from './compile.ts';
import type { CounterStore } from './counter-store.ts';
import { createRateLimitPorts, rateLimitStep } from './ratelimit.ts';
import { rateLimitsSpec } from './spec.ts';

/** Counts to a number, and is down where told so. */
function storeOf(most: number, fault?: 'throws' | 'rejects' | 'forgets' | 'forgets later'): CounterStore {
  let taken = 0;
  return {
    take(takes) {
      if (fault === 'throws') throw new Error('down');
      if (fault === 'rejects') return Promise.reject(new Error('down'));
      if (fault === 'forgets') return [];
      if (fault === 'forgets later') return Promise.resolve([]);
      const isWithin = taken < most;
      if (isWithin) taken += 1;
      return takes.map(() => ({ isWithin, remaining: most - taken, waitMs: 1000 }));
    },
    giveBack() {
      taken -= 1;
    },
  };
}

function stepOf(limit: object, shared: CounterStore, local = storeOf(1)) {
  const problems = new ProblemList('spec.rateLimits');
  const specs = rateLimitsSpec.parse([
    { name: 'x', stage: 'BeforeAuthentication', rates: [{ requests: 1, window: '1s' }], ...limit },
  ]);
  const limits = compileRateLimits(specs, { ownerUid: 'u', params: [], mode: 'Enforce' }, problems);
  assert.deepEqual(problems.problems, []);
  const step = rateLimitStep(limits, 'BeforeAuthentication', createRateLimitPorts(local, shared));
  assert.ok(step);
  let serial = 0;
  return async () => {
    serial += 1;
    return (await step(anEvaluation({ request: { id: String(serial) } })))?.reason;
  };
}

describe('rateLimitStep()', () => {
  for (const fault of ['throws', 'rejects', 'forgets', 'forgets later'] as const) {
    it(`does what onFault says when the store ${fault}`, async () => {
      const deny = stepOf({ onFault: 'Deny' }, storeOf(0, fault));
      assert.equal(await deny(), 'limit_store_unavailable');
      const allow = stepOf({ onFault: 'Allow' }, storeOf(0, fault));
      assert.equal(await allow(), undefined);
      const local = stepOf({}, storeOf(0, fault));
      assert.deepEqual([await local(), await local()], [undefined, 'rate_limited']);
    });
  }

  it('goes on when the counters of a limit in Audit cannot be had later', async () => {
    const step = stepOf({ mode: 'Audit' }, storeOf(1), storeOf(0, 'rejects'));
    assert.equal(await step(), undefined);
  });

  it('keeps a Local limit away from the shared store', async () => {
    const step = stepOf({ store: 'Local' }, storeOf(0, 'throws'));
    assert.deepEqual([await step(), await step()], [undefined, 'rate_limited']);
  });
});

describe('compileRateLimits()', () => {
  const problemsOf = (limit: object): string[] => {
    const problems = new ProblemList('spec.rateLimits');
    const specs = rateLimitsSpec.parse([
      { name: 'x', stage: 'AfterAuthentication', rates: [{ requests: 1, window: '1s' }], ...limit },
    ]);
    compileRateLimits(specs, { ownerUid: 'u', params: [], mode: 'Enforce' }, problems);
    return problems.problems.map(({ path, message }) => `${path}: ${message}`);
  };

  it('says what an author got wrong, and what to write', () => {
    assert.match(
      problemsOf({ rates: [{ requests: 1, calendar: { unit: 'Day', timeZone: 'Mars' } }] })[0] ?? '',
      /no time zone "Mars"/,
    );
    assert.match(
      problemsOf({ stage: 'BeforeAuthentication', key: [{ expression: 'identity.id' }] })[0] ?? '',
      /not known at stage BeforeAuthentication: use client\.network/,
    );
    assert.match(
      problemsOf({ key: [{ expression: 'identity.groups' }] })[0] ?? '',
      /key\[0\]\.expression: .*list\(string\)/,
    );
  });

  it('keeps the counts of a limit whose number changes, and of no other', () => {
    const prefix = (limit: object, ownerUid = 'u'): string | undefined =>
      compileRateLimits(
        rateLimitsSpec.parse([
          { name: 'x', stage: 'AfterAuthentication', rates: [{ requests: 1, window: '1s' }], ...limit },
        ]),
        { ownerUid, params: [], mode: 'Enforce' },
        new ProblemList(),
      )[0]?.rates[0]?.prefix;
    const own = prefix({});
    assert.equal(prefix({ rates: [{ requests: 99, window: '1s' }] }), own);
    for (const other of [
      prefix({ name: 'y' }),
      prefix({ rates: [{ requests: 1, window: '2s' }] }),
      prefix({ rates: [{ requests: 1, window: '1s', algorithm: 'FixedWindow' }] }),
      prefix({ mode: 'Audit' }),
      prefix({}, 'v'),
    ])
      assert.notEqual(other, own);
  });
});
