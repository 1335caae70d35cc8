import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SourceObject } from '../internal/policy/object.ts';
import { grant, HOST, named, recorded, restarted, said, specOf } from './restarted.ts';

const OLD = '2025-01-01T00:00:00Z';
const KEEP = { encodedSlash: 'Keep', semicolon: 'Keep' };
const own = (who: string): SourceObject =>
  grant(who, { hosts: [HOST], paths: [`/${who}/**`], namespaceSelector: named(who) });
/** Disjoint paths by a grant for each, and by one for all. */
const GRANTS = {
  'a grant for each': [own('bank'), own('evil')],
  'one grant for all': [grant('all', { hosts: [HOST], namespaceSelector: {} })],
} as const;
const reads = (namespace: string, pathOptions?: object, age?: string): SourceObject =>
  recorded({ namespace, spec: specOf([`/${namespace}/**`], [HOST], pathOptions), ...(age !== undefined && { age }) });

for (const [how, grants] of Object.entries(GRANTS)) {
  describe(`a team that shares a host with others by ${how}`, () => {
    it('puts out by no stricter pathOptions in a status, however old, a neighbour who keeps delimiters', async () => {
      for (const objects of [
        [reads('evil', undefined, OLD), reads('bank', KEEP)],
        [reads('bank', KEEP), reads('evil', undefined, OLD)],
      ]) {
        const agent = await restarted(...grants, ...objects);
        for (const build of ['first', 'second']) {
          assert.equal(await said(agent, '/bank/x;y'), 'allowed bank', build);
          assert.equal(await said(agent, '/bank/x%2fy'), 'allowed bank', build);
          assert.equal(await said(agent, '/evil/x;y'), 'malformed_path evil', build);
          await agent.apply('---');
        }
      }
    });

    it('has by no laxer pathOptions in a status the paths of its neighbour read otherwise', async () => {
      const lax = { ...KEEP, caseInsensitive: true };
      const agent = await restarted(...grants, reads('evil', lax, OLD), reads('bank'));
      for (const build of ['first', 'second']) {
        assert.equal(await said(agent, '/bank/x'), 'allowed bank', build);
        assert.equal(await said(agent, '/bank/x;y'), 'malformed_path bank', build);
        assert.equal(await said(agent, '/BANK/x'), 'no_route', build);
        for (const path of ['/evil/..%2fbank/x', '/evil;/../bank/x'])
          assert.equal(await said(agent, path), 'malformed_path');
        for (const path of ['/bank%2fx', '/evil%2fx', '/evil;x/../bank'])
          assert.notEqual((await said(agent, path)).split(' ')[0], 'allowed', path);
        await agent.apply('---');
      }
    });

    it('lets each of them change its options then, and has whoever comes besides agree with what both read', async () => {
      const agent = await restarted(...grants, own('web'), reads('evil', KEEP, OLD), reads('bank'));
      const bank = reads('bank', { semicolon: 'Keep' });
      agent.store.apply({ ...bank, metadata: { ...bank.metadata, generation: 2 } });
      for (const [namespace, options] of [
        ['web', KEEP],
        ['evil', KEEP],
      ] as const)
        agent.store.apply({ ...reads(namespace, options), status: {} });
      await agent.apply('---');
      assert.equal(await said(agent, '/bank/x;y'), 'allowed bank');
      assert.equal(await said(agent, '/bank/x%2fy'), 'malformed_path bank');
      assert.equal(await said(agent, '/evil/x%2fy'), 'allowed evil');
      assert.equal(await said(agent, '/web/x'), 'no_route');
      const web = reads('web', { semicolon: 'Keep' });
      agent.store.apply({ ...web, status: {}, metadata: { ...web.metadata, generation: 2 } });
      await agent.apply('---');
      assert.equal(await said(agent, '/web/x'), 'allowed web');
    });
  });
}

describe('a policy that may have nothing of a host', () => {
  it('has no say after a restart in how the paths of its neighbours are read, whose grant stayed', async () => {
    const agent = await restarted(own('bank'), reads('gone', undefined, OLD), reads('bank', KEEP));
    assert.equal(await said(agent, '/bank/x;y'), 'allowed bank');
    assert.equal(await said(agent, '/gone/x'), 'no_route');
  });

  it('leaves its host, the moment its grant is withdrawn, to whoever reads it otherwise', async () => {
    const agent = await restarted(own('evil'), reads('evil'));
    agent.store.delete('HostGrant', { namespace: '', name: 'evil' });
    agent.store.apply(own('bank'));
    agent.store.apply({ ...reads('bank', KEEP), status: {} });
    await agent.apply('---');
    assert.equal(await said(agent, '/bank/x;y'), 'allowed bank');
    assert.equal(await said(agent, '/evil/x'), 'no_route');
  });
});
