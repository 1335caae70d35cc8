import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conditionsOf, policyStatus } from '../internal/kube/conditions.ts';
import type { SourceObject } from '../internal/policy/object.ts';
import { grant, HOST, named, recorded, restarted, restartedBy, said, specOf } from './restarted.ts';

describe('an instance that was restarted, with grants', () => {
  const both = grant('both', { hosts: [HOST], namespaceSelector: named('shop', 'web') });

  it('has a host, where its grant was withdrawn meanwhile, denied and not passed on to who is granted it too', async () => {
    const agent = await restarted(
      grant('web', { hosts: [HOST], namespaceSelector: named('web') }),
      recorded({ namespace: 'shop', spec: specOf(['/**']) }),
      { ...recorded({ namespace: 'web', spec: specOf(['/a/**']) }), status: {} },
    );
    assert.deepEqual([await said(agent, '/a/x'), await said(agent, '/b')], ['no_route', 'no_route']);
  });

  it('denies what was held, by the paths that were accepted and not by those that were asked for meanwhile', async () => {
    const agent = await restarted(
      grant('web', { hosts: [HOST], namespaceSelector: named('web') }),
      recorded({ namespace: 'shop', spec: specOf(['/**']), generation: 2, accepted: specOf(['/a/**']) }),
      { ...recorded({ namespace: 'web', spec: specOf(['/**']) }), status: {} },
    );
    assert.deepEqual([await said(agent, '/a/x'), await said(agent, '/b')], ['no_route', 'allowed web']);
  });

  it('gives who was recorded first what it held, whoever is older', async () => {
    const agent = await restarted(
      both,
      { ...recorded({ namespace: 'shop', spec: specOf(['/a/**']), age: '2026-01-01T00:00:00Z' }), status: {} },
      recorded({ namespace: 'web', spec: specOf(['/a/**']) }),
    );
    assert.equal(await said(agent, '/a/x'), 'allowed web');
  });

  it('takes paths that were added meanwhile for a new claim', async () => {
    const agent = await restarted(
      both,
      recorded({
        namespace: 'shop',
        spec: specOf(['/**']),
        generation: 2,
        accepted: specOf(['/a/**']),
        age: '2026-01-01T00:00:00Z',
      }),
      recorded({ namespace: 'web', spec: specOf(['/b/**']) }),
    );
    assert.deepEqual([await said(agent, '/a/x'), await said(agent, '/b/x')], ['allowed shop', 'allowed web']);
  });

  it('believes no status that comes later of a policy that never held what it tells of', async () => {
    const agent = await restarted(
      grant('web', { hosts: [HOST], namespaceSelector: named('web') }),
      recorded({ namespace: 'web', spec: specOf(['/**']) }),
    );
    agent.store.apply(recorded({ namespace: 'evil', spec: specOf(['/a/**']) }));
    await agent.apply('---');
    assert.equal(await said(agent, '/a/x'), 'allowed web');
  });

  it('goes on denying by the status that it wrote itself, restart after restart, and serves again once it is granted', async () => {
    const web = grant('web', { hosts: [HOST], namespaceSelector: named('web') });
    let shop = recorded({ namespace: 'shop', spec: specOf(['/a/**']) });
    for (let restart = 0; restart < 3; restart += 1) {
      const agent = await restarted(web, shop);
      assert.equal(await said(agent, '/a/x'), 'no_route');
      const report = agent.newest().reports.find(({ object }) => object.kind === 'APIPolicy');
      assert.ok(report);
      const conditions = conditionsOf(report, [], '2026-11-24T12:00:00Z');
      assert.deepEqual(
        conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
        ['Accepted False HostNotGranted', 'ResolvedRefs True ResolvedRefs', 'Programmed False HostNotGranted'],
      );
      assert.equal(conditions.at(-1)?.message, `What it claims of "${HOST}" is refused until it is granted again`);
      shop = { ...shop, status: policyStatus(report, conditions, shop.status) };
    }
    const agent = await restarted(grant('shop', { hosts: [HOST], namespaceSelector: named('shop') }), shop);
    assert.equal(await said(agent, '/a/x'), 'allowed shop');
  });

  it('serves no last good spec of what is not granted any more', async () => {
    const broken = { ...specOf(['/**']), authorization: { rules: [{ name: 'x', allow: {} }] } };
    const agent = await restarted(
      grant('other', { hosts: ['other.test'], namespaceSelector: {} }),
      recorded({ namespace: 'shop', spec: broken, generation: 2, accepted: specOf(['/**']) }),
    );
    assert.equal(await said(agent, '/x'), 'no_route');
  });
});

describe('a namespace that forges a status', () => {
  const toAll = grant('all', { hosts: [HOST], namespaceSelector: {} });
  const OLD = '2025-01-01T00:00:00Z';
  const bank = recorded({ namespace: 'bank', spec: specOf(['/bank/**']) });
  const inAudit = (object: SourceObject): SourceObject => ({
    ...object,
    spec: { ...Object(object.spec), mode: 'Audit' },
  });
  const forgers: readonly (readonly [string, SourceObject])[] = [
    ['of its newest spec', recorded({ namespace: 'evil', spec: specOf(['/**']), age: OLD })],
    ['of a spec in Audit', inAudit(recorded({ namespace: 'evil', spec: specOf(['/**']), age: OLD }))],
    [
      'of a spec before this one',
      recorded({ namespace: 'evil', spec: { x: 1 }, generation: 2, accepted: specOf(['/**']), age: OLD }),
    ],
    [
      'of a spec that nobody can read',
      inAudit({ ...recorded({ namespace: 'evil', spec: { ...specOf(['/**']), x: 1 }, age: OLD }) }),
    ],
  ];

  for (const mode of ['required', 'first-come'] as const) {
    for (const [what, forger] of forgers) {
      it(`${what} gets by a restart nothing of a host that its neighbour is recorded to hold (${mode})`, async () => {
        for (const objects of [
          [bank, forger],
          [forger, bank],
        ]) {
          const agent = await restartedBy(mode, [...objects, toAll]);
          const refused = ['no_route', 'no_route'];
          const now = async () => [await said(agent, '/bank/x'), await said(agent, '/other')];
          const isIgnored = mode === 'required' && what === 'of a spec that nobody can read';
          assert.deepEqual(await now(), isIgnored ? ['allowed bank', 'no_route'] : refused);
          await agent.apply('---');
          assert.deepEqual(await now(), isIgnored ? ['allowed bank', 'no_route'] : refused, 'in the next build');
        }
      });
    }

    it(`has nothing by the next build either where its neighbour’s newest spec is wrong (${mode})`, async () => {
      const broken = recorded({ namespace: 'bank', spec: { x: 1 }, generation: 2, accepted: specOf(['/bank/**']) });
      const agent = await restartedBy(mode, [
        { ...broken, spec: { ...specOf(['/bank/**']), x: 1 } },
        recorded({ namespace: 'evil', spec: specOf(['/**']), age: OLD }),
        toAll,
      ]);
      assert.equal(await said(agent, '/bank/x'), 'no_route');
      await agent.apply('---');
      assert.equal(await said(agent, '/bank/x'), 'no_route');
    });

    it(`is told, as its neighbour is, and both stay refused by the statuses that are written then (${mode})`, async () => {
      let objects = [bank, recorded({ namespace: 'evil', spec: specOf(['/**']), age: OLD })];
      for (let restart = 0; restart < 2; restart += 1) {
        const agent = await restartedBy(mode, [...objects, toAll]);
        assert.equal(await said(agent, '/bank/x'), 'no_route');
        objects = objects.map((object) => {
          const report = agent.newest().reports.find((one) => one.object.metadata.uid === object.metadata.uid);
          assert.ok(report);
          const conditions = conditionsOf(report, [], '2026-11-24T12:00:00Z');
          assert.deepEqual(
            conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
            ['Accepted False HostConflict', 'ResolvedRefs True ResolvedRefs', 'Programmed False HostConflict'],
          );
          return { ...object, status: policyStatus(report, conditions, object.status) };
        });
      }
      const agent = await restartedBy(mode, [...objects, toAll]);
      agent.store.delete('APIPolicy', { namespace: 'evil', name: 'p' });
      await agent.apply('---');
      assert.equal(await said(agent, '/bank/x'), 'allowed bank', 'once the forger is gone');
    });

    it(`while the agent runs takes nothing, and stops no change of its neighbour (${mode})`, async () => {
      const agent = await restartedBy(mode, [bank, toAll]);
      for (const namespace of ['evil', 'evil2'])
        agent.store.apply(recorded({ namespace, spec: specOf(['/**']), age: OLD }));
      await agent.apply('---');
      assert.equal(await said(agent, '/bank/x'), 'allowed bank');
      agent.store.apply({
        ...bank,
        metadata: { ...bank.metadata, generation: 2 },
        spec: { ...specOf(['/bank/**']), mode: 'Enforce' },
      });
      await agent.apply('---');
      assert.deepEqual(
        agent
          .newest()
          .reports.filter(({ isAccepted }) => isAccepted)
          .map(({ object }) => `${object.kind} ${object.metadata.generation}`),
        ['APIPolicy 2', 'HostGrant 1'],
      );
    });
  }

  const mine = (path: string, who: string, hosts = [HOST]): SourceObject =>
    grant(who, { hosts, paths: [path], namespaceSelector: named(who) });

  it('has nothing denied of what its neighbour is granted, whatever it was never granted itself', async () => {
    for (const [hosts, paths] of [
      [[HOST], ['/bank/**']],
      [[HOST], ['/bank/{x}', '/bank/a/b']],
      [[HOST], ['/{x}/**']],
      [
        ['*.example.org', 'pay.example.org'],
        ['/bank/**', '/**'],
      ],
    ] as const) {
      const agent = await restarted(
        mine('/bank/**', 'bank', ['*.example.org']),
        mine('/evil/**', 'evil'),
        bank,
        recorded({ namespace: 'evil', spec: specOf(paths, hosts), age: OLD }),
      );
      for (const build of ['first', 'second']) {
        assert.equal(await said(agent, '/bank/x'), 'allowed bank', `${paths} in the ${build} build`);
        assert.equal(await said(agent, '/bank/a/b'), 'allowed bank', `${paths} in the ${build} build`);
        await agent.apply('---');
      }
    }
  });
});
