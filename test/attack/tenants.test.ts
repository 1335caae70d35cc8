import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countTenantAttacks, inVain, TOPICS, tryTenant } from './try-tenant.ts';

for (const [topic, attacks] of Object.entries(TOPICS)) {
  describe(`a namespace attacks another’s ${topic}`, () => {
    for (const attack of attacks) {
      it(`in vain: it ${attack.name}`, async () => {
        assert.deepEqual(await tryTenant(attack), inVain(attack));
      });
    }
  });
}

it('countTenantAttacks() counts one that succeeds, and one that cannot be tried', async () => {
  const [attack] = TOPICS['hosts and paths'] ?? [];
  assert.ok(attack);
  const open = { ...attack, name: 'is open', decided: ['evil', 'allowed'] as const };
  const broken = { ...attack, name: 'is broken', applies: 'kind: Nothing' };
  assert.deepEqual(await countTenantAttacks({ hosts: [attack, open, broken] }), {
    attacks: 3,
    succeeded: [
      { topic: 'hosts', name: 'is open' },
      { topic: 'hosts', name: 'is broken' },
    ],
  });
});
