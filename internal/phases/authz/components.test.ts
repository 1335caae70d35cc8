import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { components } from './components.ts';

interface Looked {
  readonly groups: readonly (readonly string[])[];
  /** How often the edges of a node were asked for. */
  readonly looks: number;
}

async function groupsOf(graph: Readonly<Record<string, readonly string[]>>): Promise<Looked> {
  let looks = 0;
  const edgesOf = (node: string): readonly string[] => {
    looks += 1;
    return graph[node] ?? [];
  };
  const groups: string[][] = [];
  for await (const group of components(Object.keys(graph), edgesOf, () => undefined)) groups.push([...group].sort());
  return { groups, looks };
}

describe('components()', () => {
  it('gives what all reach each other as one group, and what a group reaches before it', async () => {
    const { groups } = await groupsOf({ a: ['b', 'd'], b: ['c'], c: ['b', 'e'], d: ['d', 'e'], e: [] });
    assert.deepEqual(groups, [['e'], ['b', 'c'], ['d'], ['a']]);
  });

  it('looks at each edge once, however many ways lead to it', async () => {
    const graph = Object.fromEntries(
      Array.from({ length: 800 }, (_, i) => [
        `r${i}`,
        Array.from({ length: Math.min(32, i) }, (_none, k) => `r${i - 1 - k}`),
      ]),
    );
    const edges = Object.values(graph).flat().length;
    const { groups, looks } = await groupsOf(graph);
    assert.deepEqual([groups.length, looks], [800, edges + 800]);
  });

  it('follows a chain of any length', async () => {
    const graph = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`r${i}`, [`r${i + 1}`]]));
    const { groups } = await groupsOf(graph);
    assert.deepEqual([groups.length, groups[0]], [20_001, ['r20000']]);
  });
});
