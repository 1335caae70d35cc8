import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REASONS, type ReasonName } from '../../internal/core/reasons.ts';
import { load } from '../cases/run-case.ts';
import { PLATFORM, TENANT_OVERRIDES } from './tenant-baselines.ts';
import { inVain, tryTenant } from './try-tenant.ts';

const FREE = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: evil}\n';

describe('overrides hold a namespace that would escape them', () => {
  for (const attack of TENANT_OVERRIDES) {
    it(`and nothing else holds one that ${attack.name}`, async () => {
      const [, reason] = (await tryTenant({ ...attack, before: FREE })).decided;
      assert.equal(REASONS[reason as ReasonName].kind, 'allow', reason);
    });
  }

  it('also one that relabels itself, by what selects its name, or all', async () => {
    const named = PLATFORM.replace(
      'namespaceSelector: {}',
      'namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: evil}}',
    ).replace('{team: evil}', '{kubernetes.io/metadata.name: harmless}');
    for (const before of [PLATFORM.replace('team: evil', 'team: other'), named])
      for (const attack of TENANT_OVERRIDES.slice(0, 3))
        assert.deepEqual(await tryTenant({ ...attack, before }), inVain(attack));
  });

  it('and one that deletes its policy, or its Namespace, has nothing that passes', async () => {
    const [attack] = TENANT_OVERRIDES;
    assert.ok(attack);
    const loaded = await load(`${attack.applies}---${PLATFORM.replace('{}', '{matchLabels: {team: evil}}')}`, {
      hasNamespaces: true,
    });
    const reason = async () => (await loaded.check(attack.request)).decision.reason;
    assert.equal(await reason(), 'denied_by_rule');
    loaded.store.delete('Namespace', { namespace: '', name: 'evil' });
    await loaded.apply('');
    assert.equal(await reason(), 'denied_by_rule');
    loaded.store.delete('APIPolicy', { namespace: 'evil', name: 'api' });
    await loaded.apply('');
    assert.equal(await reason(), 'no_route');
  });
});
