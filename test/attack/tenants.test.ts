import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from '../cases/run-case.ts';
import type { TenantAttack } from './tenant-attack.ts';
import { TENANT_HOSTS } from './tenant-hosts.ts';

const TOPICS: Readonly<Record<string, readonly TenantAttack[]>> = { 'hosts and paths': TENANT_HOSTS };

async function tried({ instance, before, applies, after, request }: TenantAttack) {
  const agent = await load(before, instance);
  await agent.apply(applies);
  if (after?.apply !== undefined) await agent.apply(after.apply);
  if (after?.remove !== undefined) await agent.remove(after.remove);
  const { decision } = await agent.check(request);
  return {
    decided: [decision.policy?.namespace ?? 'none', decision.reason],
    removed: decision.edits.requestHeadersToRemove,
  };
}

for (const [topic, attacks] of Object.entries(TOPICS)) {
  describe(`a namespace attacks another’s ${topic}`, () => {
    for (const attack of attacks) {
      it(`in vain: it ${attack.name}`, async () => {
        const { decided, removed } = await tried(attack);
        assert.deepEqual(decided, attack.decided);
        for (const header of attack.keeps ?? []) assert.ok(!removed.includes(header), `${header} is taken away`);
        for (const header of attack.loses ?? []) assert.ok(removed.includes(header), `${header} gets through`);
      });
    }
  });
}
