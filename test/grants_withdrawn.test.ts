import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conditionsOf, policyStatus } from '../internal/kube/conditions.ts';
import type { SourceObject } from '../internal/policy/object.ts';
import type { Loaded } from './cases/run-case.ts';
import { grant, HOST, named, recorded, restarted, said, specOf } from './restarted.ts';

const OLD = '2025-01-01T00:00:00Z';
const WIDE = '*.example.org';
const to = (who: string, hosts: readonly string[], paths: readonly string[] = ['/**']): SourceObject =>
  grant(who, { hosts, paths, namespaceSelector: named(who) });
/** Held all of the domain by a grant that is gone. */
const shop = recorded({ namespace: 'shop', spec: specOf(['/**'], [WIDE]) });
const bank = recorded({ namespace: 'bank', spec: specOf(['/bank/**']) });
/** Was there before everybody, and is granted now what the shop held. */
const web = { ...recorded({ namespace: 'web', spec: specOf(['/**'], [WIDE]), age: OLD }), status: {} };
const GRANTS = [to('web', [WIDE]), to('bank', [HOST], ['/bank/**'])];

async function builds(agent: Loaded, check: (build: string) => Promise<void>): Promise<void> {
  for (const build of ['first', 'second']) {
    await check(`in the ${build} build`);
    await agent.apply('---');
  }
}

describe('a wide grant that was withdrawn while no replica ran', () => {
  it('leaves its part denied, whoever is older and granted it now, and what overlaps it to who holds and is granted that', async () => {
    const agent = await restarted(...GRANTS, shop, bank, web);
    await builds(agent, async (build) => {
      assert.equal(await said(agent, '/bank/x'), 'allowed bank', build);
      for (const [path, host] of [
        ['/x', HOST],
        ['/bank/x', 'other.example.org'],
        ['/x', 'other.example.org'],
      ] as const)
        assert.equal(await said(agent, path, host), 'no_route', `${host}${path} ${build}`);
    });
  });

  it('leaves it denied restart after restart, by the statuses that are written then', async () => {
    let objects = [shop, bank, web];
    for (let restart = 0; restart < 3; restart += 1) {
      const agent = await restarted(...GRANTS, ...objects);
      assert.deepEqual([await said(agent, '/bank/x'), await said(agent, '/x')], ['allowed bank', 'no_route']);
      objects = objects.map((object) => {
        const report = agent.newest().reports.find((one) => one.object.metadata.uid === object.metadata.uid);
        assert.ok(report);
        const conditions = conditionsOf(report, [], '2026-11-24T12:00:00Z');
        return { ...object, status: policyStatus(report, conditions, object.status) };
      });
    }
  });

  it('goes on to nobody by what its neighbour gives up, until the policy that held it is gone', async () => {
    const agent = await restarted(...GRANTS, shop, bank, web);
    agent.store.delete('APIPolicy', { namespace: 'bank', name: 'p' });
    await agent.apply('---');
    await builds(agent, async (build) => assert.equal(await said(agent, '/bank/x'), 'no_route', build));
    agent.store.delete('APIPolicy', { namespace: 'shop', name: 'p' });
    await agent.apply('---');
    assert.equal(await said(agent, '/x'), 'allowed web');
  });

  it('leaves a more specific grant to who is given it, held before or not', async () => {
    const fresh = { ...recorded({ namespace: 'pay', spec: specOf(['/pay/**']) }), status: {} };
    const agent = await restarted(...GRANTS, to('pay', [HOST], ['/pay/**']), shop, bank, web, fresh);
    await builds(agent, async (build) => {
      assert.deepEqual(
        [await said(agent, '/pay/x'), await said(agent, '/bank/x')],
        ['allowed pay', 'allowed bank'],
        build,
      );
      assert.equal(await said(agent, '/x'), 'no_route', build);
    });
  });

  it('leaves to several who share one grant what each of them held of it', async () => {
    const both = grant('both', { hosts: [WIDE], namespaceSelector: named('bank', 'web', 'pay') });
    const pay = recorded({ namespace: 'pay', spec: specOf(['/pay/{id}'], ['pay.example.org', HOST]) });
    const agent = await restarted(both, shop, bank, pay, web);
    await builds(agent, async (build) => {
      assert.equal(await said(agent, '/bank/x'), 'allowed bank', build);
      assert.equal(await said(agent, '/pay/x'), 'allowed pay', build);
      assert.equal(await said(agent, '/pay/x', 'pay.example.org'), 'allowed pay', build);
      assert.equal(await said(agent, '/pay/x/y'), 'no_route', build);
      assert.equal(await said(agent, '/bank/x', 'pay.example.org'), 'no_route', build);
    });
  });

  it('puts out nobody whose granted part is wider than it, or crosses it', async () => {
    for (const paths of [['/bank/a'], ['/{x}/a'], ['/bank/a', '/**'], ['/{x}/{y}']]) {
      const narrow = recorded({ namespace: 'shop', spec: specOf(paths), age: OLD });
      const agent = await restarted(...GRANTS, narrow, bank);
      await builds(agent, async (build) =>
        assert.equal(await said(agent, '/bank/a'), 'allowed bank', `${paths} ${build}`),
      );
    }
  });
});
