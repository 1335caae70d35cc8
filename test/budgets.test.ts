import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { packSpec, unpackSpec } from '../internal/kube/accepted-spec.ts';
import { weightOf } from '../internal/policy/namespace-budgets.ts';
import type { SourceObject } from '../internal/policy/object.ts';
import type { Build } from '../internal/policy/store.ts';
import { type Loaded, load } from './cases/run-case.ts';

const OPEN = { rules: [{ name: 'all', allow: { any: {} } }] };
/** Short to write; its pattern takes some 600 KB. */
const HEAVY = { rules: [{ name: 'all', allow: { when: [{ expression: "!request.path.matches('^x{900}$')" }] } }] };

interface Written {
  readonly namespace?: string;
  readonly generation?: number;
  /** What status tells that was accepted: the generation, and the rules. */
  readonly accepted?: readonly [number, object];
  readonly rules?: object;
}

function policy(name: string, written: Written = {}): SourceObject {
  const { namespace = 'shop', generation = 1, accepted, rules = OPEN } = written;
  const host = `${name}.${namespace}.test`;
  const made = (of: number, authorization: object): SourceObject => ({
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIPolicy',
    metadata: { name, namespace, uid: `${namespace}-${name}`, generation: of },
    spec: { target: { hosts: [host] }, authentication: { anonymous: {} }, authorization },
  });
  if (accepted === undefined) return made(generation, rules);
  return { ...made(generation, rules), status: { hosts: [host], accepted: packSpec(made(...accepted)) } };
}

async function started(objects: readonly SourceObject[], budget: { policies?: number; bytes?: number }) {
  const namespaceBudget = { policies: budget.policies ?? 100, bytes: budget.bytes ?? 1_000_000_000 };
  const agent = await load('', { namespaceBudget, recordedSpec: (object) => unpackSpec(object, 'postern') });
  for (const object of objects) agent.store.apply(object);
  await agent.apply('');
  return agent;
}

/** What is refused for its budget, and whether an older spec serves instead. */
const overBudget = ({ reports }: Build): Readonly<Record<string, boolean>> =>
  Object.fromEntries(
    reports
      .filter(({ problems }) => problems.some(({ reason }) => reason === 'QuotaExceeded'))
      .map(({ object, servesLastGood }) => [object.metadata.name, servesLastGood]),
  );

const reasonOf = async ({ check }: Loaded, host: string): Promise<string> => (await check({ host })).decision.reason;

describe('a budget of a namespace', () => {
  it('says how much a policy takes, of how much, and what to do', async () => {
    const agent = await started([policy('a', { rules: HEAVY })], { bytes: 300_000 });
    const [report] = agent.newest().reports;
    assert.deepEqual(report?.problems, [
      {
        reason: 'QuotaExceeded',
        path: 'spec',
        message:
          'This takes 0.46 MiB, and with the policies that serve or are older that is more than the 0.29 MiB of the namespace (--namespace-policy-bytes): repeat less in patterns, delete policies, or ask the platform for more',
        severity: 'error',
      },
    ]);
    assert.equal(report?.isAccepted, false);
  });

  it('counts what patterns come to, of which some characters may make thousands of parts', async () => {
    const bytes = 3 * weightOf(policy('a', { rules: HEAVY }).spec, 1000);
    const names = Array.from({ length: 20 }, (_, i) => `p${String(i).padStart(2, '0')}`);
    const agent = await started(
      names.map((name) => policy(name, { rules: HEAVY })),
      { bytes },
    );
    assert.deepEqual(Object.keys(overBudget(agent.newest())), names.slice(3));
  });

  it('is the same after a restart: what served goes before what is new, whatever its age', async () => {
    const objects = [
      policy('a', { generation: 2 }),
      policy('b', { accepted: [1, OPEN] }),
      policy('c', { accepted: [1, OPEN] }),
    ];
    for (const order of [objects, objects.toReversed()]) {
      const agent = await started(order, { policies: 2 });
      assert.deepEqual(overBudget(agent.newest()), { a: false });
      assert.equal(await reasonOf(agent, 'c.shop.test'), 'allowed');
      assert.equal(await reasonOf(agent, 'a.shop.test'), 'no_route');
    }
  });

  it('lets after a restart no update that is too much put out what served beside it', async () => {
    const bytes = weightOf(policy('a').spec) + weightOf(policy('b').spec) + 10_000;
    const agent = await started(
      [policy('a', { generation: 5, rules: HEAVY, accepted: [4, OPEN] }), policy('b', { accepted: [1, OPEN] })],
      { bytes },
    );
    assert.deepEqual(overBudget(agent.newest()), { a: true });
    for (const name of ['a', 'b']) assert.equal(await reasonOf(agent, `${name}.shop.test`), 'allowed');
  });

  it('holds for what a status tells, too: nobody forges a spec past it', async () => {
    const broken = { rules: [{ name: 'all', allow: { when: [{ expression: 'requst.method' }] } }] };
    const forged = (name: string) => policy(name, { generation: 9, rules: broken, accepted: [8, HEAVY] });
    const agent = await started([forged('a'), forged('b'), policy('p', { namespace: 'web' })], { bytes: 100_000 });
    for (const name of ['a', 'b']) assert.equal(await reasonOf(agent, `${name}.shop.test`), 'no_route');
    assert.equal(await reasonOf(agent, 'p.web.test'), 'allowed');
  });

  it('counts what a baseline gives a policy with it, also where it is only recorded: a restart answers the same', async () => {
    const limits = Array.from({ length: 8 }, (_, i) => ({
      name: `l${i}`,
      stage: 'BeforeAuthentication',
      key: [{ expression: `request.path + '${'x'.repeat(400)}'` }],
      rates: [{ requests: 1, window: '1h' }],
    }));
    const baseline = (generation: number, defaults: object): SourceObject => ({
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'APIBaseline',
      metadata: { name: 'platform', namespace: '', uid: 'b', generation },
      spec: { namespaceSelector: {}, defaults },
    });
    const bytes = weightOf(policy('a').spec) + 1000;
    const agent = await started([baseline(1, {}), policy('a')], { bytes });
    assert.deepEqual(overBudget(agent.newest()), {});
    agent.store.apply(baseline(2, { rateLimits: limits }));
    assert.deepEqual(overBudget(await agent.apply('')), { a: true });
    const { spec } = policy('a');
    const accepted = packSpec(policy('a'), []);
    const recorded = { ...policy('a'), status: { hosts: ['a.shop.test'], accepted } };
    const fresh = await started([baseline(2, { rateLimits: limits }), recorded], { bytes });
    assert.deepEqual(overBudget(fresh.newest()), { a: true });
    for (const each of [agent, fresh]) assert.equal(await reasonOf(each, 'a.shop.test'), 'allowed');
    const heavy = packSpec({ ...policy('a'), spec: { ...(spec as object), rateLimits: limits } }, []);
    const forged = { ...policy('a'), status: { hosts: ['a.shop.test'], accepted: heavy } };
    const refusing = await started([baseline(2, { rateLimits: limits }), forged], { bytes });
    assert.equal(await reasonOf(refusing, 'a.shop.test'), 'no_route');
    // What is too much with one default fits again with another.
    agent.store.apply(baseline(3, { auditLog: {} }));
    assert.deepEqual(overBudget(await agent.apply('')), {});
  });

  it('gives what is deleted to what waits, and keeps what serves where nothing is deleted', async () => {
    const agent = await started([policy('a'), policy('b'), policy('c')], { policies: 2 });
    for (let generation = 2; generation < 5; generation += 1) agent.store.apply(policy('c', { generation }));
    await agent.apply('');
    assert.deepEqual(overBudget(agent.newest()), { c: false });
    const build = await agent.remove(['APIPolicy/shop/a']);
    assert.deepEqual(overBudget(build), {});
    assert.equal(await reasonOf(agent, 'c.shop.test'), 'allowed');
  });
});
