import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SourceObject } from './object.ts';
import { type ObjectBudget, ObjectBudgets } from './object-budget.ts';
import { weigh } from './object-weight.ts';

const NOW = (): undefined => undefined;

const objectOf = (kind: string, name: string, spec: unknown = {}): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'shop', uid: name, generation: 1 },
  spec,
});

/** Names of what is refused. */
async function over(objects: readonly SourceObject[], { objects: count = 100, bytes = 1e9 }: Partial<ObjectBudget>) {
  const found = await new ObjectBudgets({ objects: count, bytes }).over(objects, NOW);
  return [...found.keys()].map(({ metadata }) => metadata.name);
}

const numbered = (count: number, make: (i: number) => unknown, kind = 'APIRole'): SourceObject[] =>
  Array.from({ length: count }, (_, i) => objectOf(kind, `n${10_000 + i}`, make(i)));

const weightOf = (objects: readonly SourceObject[]): number =>
  objects.reduce((sum, object) => sum + weigh(object).bytes, 0);

/** What is kept fits, and one more would not. */
function assertFull(taking: (count: number) => number, { kept, bytes }: { kept: number; bytes: number }): void {
  assert.ok(kept > 0 && taking(kept) <= bytes && taking(kept + 1) > bytes, `${kept} are kept`);
}

describe('ObjectBudgets', () => {
  it('refuses the newest of all kinds together, whatever the order they came in', async () => {
    const objects = [objectOf('APIRole', 'c'), objectOf('APIConsumer', 'a'), objectOf('APIRoleBinding', 'b')];
    for (const order of [objects, objects.toReversed()]) assert.deepEqual(await over(order, { objects: 2 }), ['c']);
    assert.deepEqual(await over(objects, { objects: 3 }), []);
  });

  it('refuses what is too large, and not what is newer and fits', async () => {
    const long = objectOf('APIConsumer', 'b', { groups: Array.from({ length: 64 }, () => 'x'.repeat(256)) });
    assert.deepEqual(await over([objectOf('APIRole', 'a'), long, objectOf('APIRole', 'c')], { bytes: 10_000 }), ['b']);
  });

  it('says what an object takes, of how much, what becomes of it, and what to do', async () => {
    const budget = { objects: 1, bytes: 1_048_576 };
    const large = objectOf('APIRole', 'b', { permissions: ['x'.repeat(400_000)] });
    const messages = async (objects: readonly SourceObject[]): Promise<readonly string[]> =>
      [...(await new ObjectBudgets(budget).over(objects, NOW)).values()].map(({ message }) => message);
    assert.deepEqual(await messages([objectOf('APIRole', 'a'), objectOf('APIRoleBinding', 'b')]), [
      'The namespace may have 1 consumers, roles and bindings together (--namespace-objects), and older ones are as many: delete some of them, or ask the platform for more. Until then it binds nobody, and everybody holds its role where a deny asks',
    ]);
    assert.deepEqual(await messages([large]), [
      'This takes 1564 KiB, and with older consumers, roles and bindings that is more than the 1024 KiB of the namespace (--namespace-object-bytes): delete some of them, or ask the platform for more. Until then it grants nothing, and its holders may hold any role where a deny asks',
    ]);
  });

  it('counts what roles inherit by how many there are: a set of each has a bit for every name that one inherits', async () => {
    const inherits = (i: number): object => ({
      inherits: Array.from({ length: 32 }, (_, k) => ({ name: `r${i}-${k}` })),
    });
    const bytes = 64 * 1024 * 1024;
    const roles = numbered(5000, inherits);
    const refused = await over(roles, { objects: 10_000, bytes });
    // Each has two sets, and 32 names.
    const taking = (count: number): number => weightOf(roles.slice(0, count)) + (count * (count * 32) * 2) / 8;
    assertFull(taking, { kept: 5000 - refused.length, bytes });
    assert.deepEqual(
      await over(
        numbered(5000, () => ({})),
        { objects: 10_000, bytes },
      ),
      [],
    );
  });

  it('counts the roles that each consumer may hold, once for all who bind them', async () => {
    const bytes = 8 * 1024 * 1024;
    const binding = (role: (i: number) => string) =>
      numbered(2000, (i) => ({ roleRef: { name: role(i) }, subjects: [] }), 'APIRoleBinding');
    const consumers = Array.from({ length: 5000 }, (_, i) => objectOf('APIConsumer', `m${10_000 + i}`));
    // Those bound to one role take no more than what they are.
    assert.deepEqual(await over([...consumers, ...binding(() => 'r')], { objects: 10_000, bytes: 2 * bytes }), []);
    const bindings = binding((i) => `r${i}`);
    const refused = await over([...consumers, ...bindings], { objects: 10_000, bytes });
    const taking = (count: number): number =>
      weightOf([...consumers, ...bindings.slice(0, count)]) + (5000 * count * 2) / 8;
    assertFull(taking, { kept: 2000 - refused.length, bytes });
  });

  it('does not fall over a spec that is nested too deeply to be written', async () => {
    const spec: { inner?: object } = {};
    let end = spec;
    for (let depth = 0; depth < 100_000; depth += 1) {
      const inner = {};
      end.inner = inner;
      end = inner;
    }
    assert.deepEqual(await over([objectOf('APIRole', 'a', spec), objectOf('APIRole', 'b')], { objects: 1 }), ['b']);
  });
});
