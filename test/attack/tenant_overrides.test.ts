import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from '../cases/run-case.ts';
import { ESCAPES, type Escape, PLATFORM } from './tenant-baselines.ts';

/** What the last of these requests comes to. */
async function reasonOf({ objects, request, recorded, times = 1, instance = {} }: Escape, platform: string) {
  const loaded = await load(`${objects}---${platform}`, {
    ...instance,
    recordedSpec: ({ kind }) => (kind === 'APIPolicy' ? recorded : undefined),
  });
  let checked = await loaded.check(request);
  for (let i = 1; i < times; i += 1) checked = await loaded.check(request);
  return checked.decision;
}

const FREE = '\napiVersion: v1\nkind: Namespace\nmetadata: {name: evil}\n';

describe('overrides hold a namespace that would escape them', () => {
  for (const attack of ESCAPES) {
    it(`to ${attack.what}`, async () => {
      assert.equal((await reasonOf(attack, PLATFORM)).reason, attack.becomes);
      const free = await reasonOf(attack, FREE);
      assert.equal(free.outcome === 'allow', attack.passesFree ?? true, `where nothing holds it: ${free.reason}`);
    });
  }

  it('and one that relabels itself is held by what selects its name, or all', async () => {
    const named = PLATFORM.replace(
      'namespaceSelector: {}',
      'namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: evil}}',
    ).replace('{team: evil}', '{kubernetes.io/metadata.name: harmless}');
    for (const platform of [PLATFORM.replace('team: evil', 'team: other'), named])
      for (const attack of ESCAPES.slice(0, 3)) assert.equal((await reasonOf(attack, platform)).reason, attack.becomes);
  });

  it('and that deletes its policy, or its Namespace, has nothing that passes', async () => {
    const [attack] = ESCAPES;
    assert.ok(attack);
    const loaded = await load(`${attack.objects}---${PLATFORM.replace('{}', '{matchLabels: {team: evil}}')}`, {
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
