import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SourceObject } from '../internal/policy/object.ts';
import { grant, HOST, named, recorded, restarted, said, specOf } from './restarted.ts';

const ALL = grant('all', { hosts: [HOST], namespaceSelector: {} });
const BANK = recorded({
  namespace: 'bank',
  spec: specOf(Array.from({ length: 32 }, (_, i) => [`/v1/orders/{id}/a${i}`, `/v1/orders/{id}/b${i}/{x}`]).flat()),
});

/** What a neighbour has beside those paths, who is in nobody's way. */
const beside = (count: number): readonly SourceObject[] =>
  Array.from({ length: count }, (_, i) => {
    const spec = specOf(Array.from({ length: 64 }, (_, k) => `/v1/orders/e${i}-${k}/x`));
    const object = recorded({ namespace: 'evil', spec });
    return { ...object, metadata: { ...object.metadata, name: `p${i}`, uid: `uid-evil-${i}` } };
  });

describe('a namespace that shares a grant with others', () => {
  it('goes on after a restart, however much a neighbour claims beside it', async () => {
    const agent = await restarted(ALL, ...beside(60), BANK);
    assert.deepEqual(
      [
        await said(agent, '/v1/orders/7/a3'),
        await said(agent, '/v1/orders/7/b3/x'),
        await said(agent, '/v1/orders/e1-1/x'),
      ],
      ['allowed bank', 'allowed bank', 'allowed evil'],
    );
  });

  for (const [host, paths] of [
    ['login.bank.test', ['/**']],
    ['login.bank.test', ['/pay/x']],
    ['*.bank.test', ['/{any}/x']],
    ['bank.example', ['/other']],
  ] as const)
    it(`is given no command that takes ${paths} of ${host} from those who are granted it, and else one`, async () => {
      const bank = grant('bank', { hosts: ['*.bank.test'], paths: ['/pay/**'], namespaceSelector: named('bank') });
      const agent = await restarted(bank, recorded({ namespace: 'evil', spec: specOf(paths, [host]) }));
      const [report] = agent.newest().reports.filter(({ object }) => object.metadata.namespace === 'evil');
      assert.deepEqual(
        report?.problems.map(({ reason, message }) => [reason, message.includes('kubectl')]),
        [['HostNotGranted', host === 'bank.example']],
      );
    });

  it('goes on when a grant changes that has nothing to do with it, however much a neighbour claims beside it', async () => {
    const agent = await restarted(ALL, ...beside(60), BANK);
    agent.store.apply(grant('other', { hosts: ['other.test'], namespaceSelector: {} }));
    await agent.apply('---');
    assert.equal(await said(agent, '/v1/orders/7/a3'), 'allowed bank');
  });
});
