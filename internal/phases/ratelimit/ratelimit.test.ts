import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inOneGo } from '../../core/breather.ts';
import { anEvaluation } from '../../core/evaluation.fixture.ts';
import type { Outcome } from '../../core/evaluation.ts';
import { ProblemList } from '../../core/problem.ts';
import { MemoryStore } from '../../counters/memory-store.ts';
import { PartsBudget } from '../../match/expression/dear-parts.ts';
import { type CompiledLimit, compileRateLimits, digest, ownedBy } from './compile.ts';
import type { CounterStore } from './counter-store.ts';
import { createRateLimitPorts, rateLimitStep } from './ratelimit.ts';
import { rateLimitsSpec } from './spec.ts';

const ISSUERS: ReadonlySet<string> = new Set(['https://sso.example.org']);

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
  const limits = inOneGo(
    compileRateLimits(
      specs,
      { ownerUid: 'u', namespace: 'shop', params: [], caseInsensitive: false, mode: 'Enforce', issuers: ISSUERS },
      problems,
    ),
  );
  assert.deepEqual(problems.problems, []);
  const step = rateLimitStep(limits, 'BeforeAuthentication', createRateLimitPorts(local, shared));
  assert.ok(step);
  let serial = 0;
  return async () => {
    serial += 1;
    return (await step(anEvaluation({ request: { id: String(serial) } })))?.reason;
  };
}

/** The same, by a promise. */
const later = (store: CounterStore): CounterStore => ({
  take: async (takes, moment) => store.take(takes, moment),
  giveBack: async (takes, taken) => store.giveBack(takes, taken),
});

function limitsOf(written: readonly object[], ownerUid = 'u'): CompiledLimit[] {
  const rates = [{ requests: 1, window: '1s' }];
  const specs = rateLimitsSpec.parse(written.map((one) => ({ stage: 'AfterAuthentication', rates, ...one })));
  const context = { ownerUid, namespace: 'shop', params: [], caseInsensitive: false, issuers: ISSUERS };
  return inOneGo(compileRateLimits(specs, { ...context, mode: 'Enforce' }, new ProblemList('spec.rateLimits')));
}

/** A step whose checks are told apart by id, each with what it was told and its end still to come. */
function stepsOf(limit: object | readonly object[], store: CounterStore, shared = store) {
  const problems = new ProblemList('spec.rateLimits');
  const specs = rateLimitsSpec.parse(
    [limit].flat().map((one) => ({ name: 'x', stage: 'AfterAuthentication', ...one })),
  );
  const limits = inOneGo(
    compileRateLimits(
      specs,
      { ownerUid: 'u', namespace: 'shop', params: [], caseInsensitive: false, mode: 'Enforce', issuers: ISSUERS },
      problems,
    ),
  );
  const step = rateLimitStep(limits, 'AfterAuthentication', createRateLimitPorts(store, shared));
  assert.ok(step);
  return {
    async run(id: string) {
      const evaluation = anEvaluation({ request: { id } });
      const reason = (await step(evaluation))?.reason;
      return {
        reason,
        fields: evaluation.answerHeaders?.map(({ value }) => value),
        end(outcome: Outcome) {
          for (const settlement of evaluation.settlements ?? []) settlement(outcome);
        },
      };
    },
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

  for (const [where, local, spare] of [
    ['another process has its counters', later(storeOf(0)), storeOf(1)],
    ['they cannot be asked, and it counts here', storeOf(1, 'throws'), storeOf(0)],
    ['they do not answer, and it counts here', storeOf(1, 'rejects'), storeOf(0)],
  ] as const) {
    it(`tells what a limit in Audit would refuse where ${where}`, async () => {
      const limits = limitsOf([{ name: 'tried', mode: 'Audit' }, { name: 'held' }]);
      const step = rateLimitStep(
        limits,
        'AfterAuthentication',
        createRateLimitPorts({ ...local, spare }, later(storeOf(1))),
      );
      const evaluation = anEvaluation({ request: { id: '1' } });
      assert.equal(await step?.(evaluation), undefined);
      assert.deepEqual(
        evaluation.findings?.map(({ outcome, reason, rule }) => ({ outcome, reason, rule })),
        [{ outcome: 'would-deny', reason: 'rate_limited', rule: 'tried' }],
      );
    });
  }

  it('gives all limits of one owner one tag, which an edit keeps and a baseline does not share', () => {
    const tagsOf = (written: readonly object[], uid: string): number[] =>
      limitsOf(written, uid).map((limit) => limit.tag);
    const [first = -1, ...others] = tagsOf([{ name: 'a' }, { name: 'b', stage: 'BeforeAuthentication' }], 'uid-1');
    assert.deepEqual(others, [first]);
    assert.deepEqual(tagsOf([{ name: 'c', rates: [{ requests: 9, window: '1h' }] }], 'uid-1'), [first]);
    assert.ok(Number.isInteger(first) && first >= 0 && first < 2 ** 32);
    const [limit] = limitsOf([{ name: 'a' }], 'uid-1');
    assert.ok(limit);
    const ofBaseline = ownedBy({ ownerUid: 'uid-1/platform', namespace: 'shop' }, limit);
    assert.notEqual(ofBaseline.tag, first);
    // Owners spread: none of four workers has more than twice its share of a thousand.
    const shares = [0, 0, 0, 0];
    for (let i = 0; i < 1000; i += 1) {
      const share = (tagsOf([{ name: 'a' }], `${i}-7d1f-4a8e`)[0] ?? 0) % 4;
      shares[share] = (shares[share] ?? 0) + 1;
    }
    assert.ok(Math.max(...shares) < 500 && Math.min(...shares) > 125, String(shares));
  });

  it('takes a retried check once, and tells it what is left as it told the first', async () => {
    const store = new MemoryStore({ maxKeys: 10, onEvict: () => undefined });
    const step = stepsOf({ rates: [{ requests: 2, window: '1h', algorithm: 'FixedWindow' }] }, store);
    const first = await step.run('1');
    const retried = await step.run('1');
    assert.deepEqual(
      [first.reason, retried.reason, retried.fields],
      [undefined, undefined, ['"x";r=1;t=3600', '"x";q=2;w=3600']],
    );
    assert.deepEqual(first.fields, retried.fields);
    assert.deepEqual([(await step.run('2')).reason, (await step.run('3')).reason], [undefined, 'rate_limited']);
  });

  it('lets no retry pass on a take that was given back', async () => {
    const store = new MemoryStore({ maxKeys: 10, onEvict: () => undefined });
    const step = stepsOf(
      { countDenied: false, rates: [{ requests: 1, window: '1h', algorithm: 'FixedWindow' }] },
      store,
    );
    for (let i = 0; i < 3; i += 1) {
      const late = await step.run('1');
      assert.equal(late.reason, undefined);
      late.end('fault');
    }
    (await step.run('1')).end('allow');
    assert.equal((await step.run('2')).reason, 'rate_limited');
  });

  it('gives nothing back while a retry of the same check still goes on', async () => {
    const store = new MemoryStore({ maxKeys: 10, onEvict: () => undefined });
    const step = stepsOf(
      { countDenied: false, rates: [{ requests: 1, window: '1h', algorithm: 'FixedWindow' }] },
      store,
    );
    const first = await step.run('1');
    const retried = await step.run('1');
    first.end('fault');
    assert.equal((await step.run('2')).reason, 'rate_limited');
    retried.end('deny');
    assert.equal((await step.run('3')).reason, undefined);
  });

  it('takes once for a retry that comes while the store has not answered the first', async () => {
    const inner = new MemoryStore({ maxKeys: 10, onEvict: () => undefined });
    const slow: CounterStore = {
      take: async (takes, moment) => inner.take(takes, moment),
      giveBack: (takes, taken) => inner.giveBack(takes, taken),
    };
    const step = stepsOf({ rates: [{ requests: 1, window: '1h', algorithm: 'FixedWindow' }] }, slow);
    const both = await Promise.all([step.run('1'), step.run('1')]);
    assert.deepEqual(
      both.map(({ reason }) => reason),
      [undefined, undefined],
    );
    assert.equal((await step.run('2')).reason, 'rate_limited');
  });

  for (const fault of ['throws', 'rejects', 'forgets', 'forgets later'] as const) {
    it(`answers a retried check as the first one when the store ${fault} in between`, async () => {
      const broken = storeOf(0, fault);
      let store = storeOf(1);
      const step = stepsOf(
        { rates: [{ requests: 1, window: '1h' }] },
        { take: (takes, moment) => store.take(takes, moment), giveBack: () => undefined },
      );
      assert.equal((await step.run('1')).reason, undefined);
      assert.equal((await step.run('2')).reason, 'rate_limited');
      store = broken;
      assert.equal((await step.run('1')).reason, undefined);
      assert.equal((await step.run('2')).reason, 'rate_limited');
    });
  }

  it('takes a cost that is an unsigned integer', async () => {
    const step = stepsOf({ cost: { expression: '2u' }, rates: [{ requests: 3, window: '1h' }] }, storeOf(9));
    const { reason } = await step.run('1');
    assert.equal(reason, undefined);
  });

  const DAY = { requests: 2, window: '24h', algorithm: 'FixedWindow' };
  const BOTH = [
    { name: 'here', store: 'Local', onFault: 'Deny' },
    { name: 'shared', onFault: 'Allow' },
  ].map((limit) => ({ stage: 'AfterAuthentication', rates: [DAY], ...limit }));
  const memory = (): MemoryStore => new MemoryStore({ maxKeys: 10, onEvict: () => undefined });
  it('counts a Local limit here also beside a Shared one', async () => {
    const [local, shared] = [memory(), memory()];
    const step = stepsOf(BOTH, local, shared);
    const first = await step.run('1');
    assert.deepEqual(
      [first.reason, first.fields, local.size, shared.size],
      [undefined, ['"here";r=1;t=86400, "shared";r=1;t=86400', '"here";q=2;w=86400, "shared";q=2;w=86400'], 1, 1],
    );
    assert.deepEqual((await step.run('1')).fields, first.fields);
  });

  for (const [how, wrap] of [
    ['at once', (store: CounterStore) => store],
    ['later', later],
  ] as const) {
    it(`takes nothing here when the shared store refuses ${how}`, async () => {
      const [local, shared] = [memory(), memory()];
      const used = stepsOf(BOTH.slice(1), memory(), shared);
      await used.run('1');
      await used.run('2');
      const step = stepsOf(BOTH, wrap(local), wrap(shared));
      const refused = await step.run('3');
      assert.deepEqual([refused.reason, refused.fields?.[0]], ['rate_limited', '"shared";r=0;t=86400']);
      assert.equal((await stepsOf(BOTH.slice(0, 1), local).run('4')).fields?.[0], '"here";r=1;t=86400');
    });

    it(`takes nothing of the shared store when a Local limit refuses ${how}`, async () => {
      const [local, shared] = [memory(), memory()];
      const used = stepsOf(BOTH.slice(0, 1), local);
      await used.run('1');
      await used.run('2');
      const refused = await stepsOf(BOTH, wrap(local), wrap(shared)).run('3');
      assert.deepEqual([refused.reason, refused.fields?.[0], shared.size], ['rate_limited', '"here";r=0;t=86400', 0]);
    });

    it(`gives back to both stores ${how} what was not used`, async () => {
      const [local, shared] = [memory(), memory()];
      const step = stepsOf(
        BOTH.map((limit) => ({ ...limit, countDenied: false })),
        wrap(local),
        wrap(shared),
      );
      (await step.run('1')).end('deny');
      await new Promise(setImmediate);
      assert.equal((await step.run('2')).fields?.[0], '"here";r=1;t=86400, "shared";r=1;t=86400');
    });
  }

  for (const fault of ['throws', 'rejects', 'forgets', 'forgets later'] as const) {
    it(`applies onFault of a Shared limit to no Local one when the store ${fault}`, async () => {
      const step = stepsOf(BOTH, memory(), storeOf(0, fault));
      const reasons: unknown[] = [];
      for (const id of ['1', '2', '3']) reasons.push((await step.run(id)).reason);
      assert.deepEqual(reasons, [undefined, undefined, 'rate_limited']);
    });
  }

  it('keeps the answer, and the process, where giving back rejects', async () => {
    const store = memory();
    const step = stepsOf([{ ...BOTH[1], countDenied: false }], store, {
      take: (takes, moment) => store.take(takes, moment),
      giveBack: () => Promise.reject(new Error('down')),
    });
    (await step.run('1')).end('deny');
    await new Promise(setImmediate);
    assert.equal((await step.run('2')).fields?.[0], '"shared";r=0;t=86400');
  });

  it('keeps a Local limit away from the shared store', async () => {
    const step = stepOf({ store: 'Local' }, storeOf(0, 'throws'));
    assert.deepEqual([await step(), await step()], [undefined, 'rate_limited']);
  });
});

describe('compileRateLimits()', () => {
  const problemsOf = (limit: object, issuers = ISSUERS): string[] => {
    const problems = new ProblemList('spec.rateLimits');
    const specs = rateLimitsSpec.parse([
      { name: 'x', stage: 'AfterAuthentication', rates: [{ requests: 1, window: '1s' }], ...limit },
    ]);
    inOneGo(
      compileRateLimits(
        specs,
        { ownerUid: 'u', namespace: 'shop', params: [], caseInsensitive: false, mode: 'Enforce', issuers },
        problems,
      ),
    );
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

  it('refuses a cost of an identity that is not known yet', () => {
    assert.deepEqual(
      problemsOf({ stage: 'BeforeAuthentication', cost: { expression: "identity.kind == 'jwt' ? 1 : 9" } }),
      [
        'spec.rateLimits[0].cost.expression: "identity.kind" is not known at stage BeforeAuthentication: use stage AfterAuthentication',
      ],
    );
  });

  it('counts the time zones of calendars among those that the policy may name', () => {
    const problems = new ProblemList('spec.rateLimits');
    const calendar = (i: number): object => ({ unit: 'Day', timeZone: `Etc/GMT+${(i % 12) + 1}` });
    const specs = rateLimitsSpec.parse(
      Array.from({ length: 13 }, (_, i) => ({
        name: `x${i}`,
        stage: 'AfterAuthentication',
        rates: [{ requests: 1, calendar: calendar(i) }],
      })),
    );
    const budget = new PartsBudget();
    for (const zone of ['Europe/Berlin', 'Asia/Tokyo', 'Asia/Delhi', 'UTC', '-01:00']) budget.takeZone(zone);
    inOneGo(
      compileRateLimits(
        specs,
        {
          ownerUid: 'u',
          namespace: 'shop',
          params: [],
          caseInsensitive: false,
          mode: 'Enforce',
          issuers: ISSUERS,
          budget,
        },
        problems,
      ),
    );
    const [first] = problems.problems;
    assert.equal(first?.path, 'spec.rateLimits[11].rates[0].calendar.timeZone');
    assert.match(first?.message ?? '', /more than 16 time zones: name fewer/);
  });

  it('warns of a limit on failures that a guesser need only send less to skip', () => {
    const of = (...key: object[]): string[] => problemsOf({ stage: 'AuthenticationFailure', key });
    const warning = (index: number, name: string): string =>
      `spec.rateLimits[0].key[${index}].expression: Where this is null the limit is skipped, and a client may leave out what ${name} holds: set missing: Deny, or count by client.network`;
    assert.deepEqual(of({ expression: "request.headers['x-user']" }), [warning(0, 'request.headers')]);
    assert.deepEqual(of({ expression: 'client.network' }, { expression: "request.query['u']", missing: 'Skip' }), [
      warning(1, 'request.query'),
    ]);
    for (const expression of ['client.network', 'source.principal', 'request.host', "'all'"])
      assert.deepEqual(of({ expression }), []);
    assert.deepEqual(of({ expression: "request.path == '/login' ? client.network : null" }), []);
    assert.deepEqual(of({ expression: "request.headers['x-user']", missing: 'Deny' }), []);
  });

  it('warns of a key by a subject that callers of two issuers may share', () => {
    const of = (key: readonly string[], issuers: readonly string[]): string[] =>
      problemsOf({ key: key.map((expression) => ({ expression, missing: 'Skip' })) }, new Set(issuers));
    const two = ['postern.dev/shop', 'https://sso.example.org'];
    assert.deepEqual(of(['identity.subject'], two), [
      'spec.rateLimits[0].key[0].expression: identity.subject is unique only within its issuer, and callers of this policy have several: use identity.id',
    ]);
    assert.deepEqual(of(['identity.issuer', 'identity.subject'], two), []);
    assert.deepEqual(of(['identity.id'], two), []);
    assert.deepEqual(of(['identity.subject'], two.slice(1)), []);
  });

  it('gives limits in the order of their names, whatever the one they were written in', () => {
    const limit = { stage: 'AfterAuthentication', rates: [{ requests: 1, window: '1s' }] };
    const compiled = inOneGo(
      compileRateLimits(
        rateLimitsSpec.parse([
          { ...limit, name: 'b' },
          { ...limit, name: 'a' },
        ]),
        { ownerUid: 'u', namespace: 'shop', params: [], mode: 'Enforce', caseInsensitive: false, issuers: ISSUERS },
        new ProblemList(),
      ),
    );
    assert.deepEqual(
      compiled.map(({ name }) => name),
      ['a', 'b'],
    );
  });

  it('names a counter by owner, limit, algorithm and window alone, as it is stored', () => {
    const prefixes = (mode: 'Enforce' | 'Audit'): string[] =>
      inOneGo(
        compileRateLimits(
          rateLimitsSpec.parse([
            {
              name: 'x',
              stage: 'AfterAuthentication',
              rates: [
                { requests: 1, window: '1m' },
                { requests: 1, calendar: { unit: 'Day' } },
              ],
            },
          ]),
          { ownerUid: 'u', namespace: 'shop', params: [], mode, caseInsensitive: false, issuers: ISSUERS },
          new ProblemList(),
        ),
      ).flatMap(({ rates }) => rates.map(({ prefix }) => prefix));
    assert.deepEqual(prefixes('Enforce'), [
      digest(['u', 'x', 'GCRA', '60000']),
      digest(['u', 'x', 'Calendar', 'Day/UTC']),
    ]);
    assert.equal(prefixes('Enforce')[0], 'jNuivt6exqftrM9uLoxKx8');
    assert.equal(prefixes('Audit')[0], digest(['u', 'x', 'GCRA', '60000', 'Audit']));
  });

  it('keeps the counts of a limit whose number changes, and of no other', () => {
    const prefix = (limit: object, ownerUid = 'u'): string | undefined =>
      inOneGo(
        compileRateLimits(
          rateLimitsSpec.parse([
            { name: 'x', stage: 'AfterAuthentication', rates: [{ requests: 1, window: '1s' }], ...limit },
          ]),
          { ownerUid, namespace: 'shop', params: [], caseInsensitive: false, mode: 'Enforce', issuers: ISSUERS },
          new ProblemList(),
        ),
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
