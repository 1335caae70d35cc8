import assert from 'node:assert/strict';
import { it } from 'node:test';
import { scan } from './scan.ts';
import type { PlaceKind, Sensitivity, ThreatKind } from './threat.ts';

/** Rules of one kind that a value hits, in the order of their names. */
export function rulesHit(
  kind: ThreatKind,
  value: string,
  where: PlaceKind = 'query',
  sensitivity: Sensitivity = 1,
): readonly string[] {
  const options = { kinds: [kind], sensitivity, exclusions: [] };
  return scan(value, { in: where, name: 'a' }, options)
    .map(({ rule }) => rule)
    .sort();
}

/** One test for each attack, with the rule that tells of it among others, and one for each benign neighbour. */
export function table(
  kind: ThreatKind,
  attacks: readonly (readonly [rule: string, value: string])[],
  neighbours: readonly string[],
  where: PlaceKind = 'query',
): void {
  for (const [rule, value] of attacks)
    it(`${kind} tells of ${JSON.stringify(value)} by "${rule}"`, () => {
      const rules = rulesHit(kind, value, where);
      assert.ok(rules.includes(rule), `it has ${rules.join(', ') || 'nothing'}`);
    });
  for (const value of neighbours)
    it(`${kind} has nothing against ${JSON.stringify(value)}`, () => {
      assert.deepEqual(rulesHit(kind, value, where), []);
    });
}
