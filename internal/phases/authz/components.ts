import type { Breathe } from '../../core/breather.ts';

interface Visit<N> {
  readonly node: N;
  readonly order: number;
  /** Order of the earliest open visit that it reaches. */
  low: number;
  isOpen: boolean;
  /** Index of the edge that is looked at next. */
  edge: number;
}

/**
 * Groups of nodes that all reach each other: the strongly connected components of Tarjan (1972). What a group reaches
 * comes before it. Every node and edge is looked at once, without recursion, for a chain may be long.
 */
export async function* components<N>(
  nodes: Iterable<N>,
  edgesOf: (node: N) => readonly N[],
  breathe: Breathe,
): AsyncGenerator<readonly N[]> {
  const visits = new Map<N, Visit<N>>();
  const open: Visit<N>[] = [];
  const path: Visit<N>[] = [];
  const enter = (node: N): void => {
    const visit = { node, order: visits.size, low: visits.size, isOpen: true, edge: 0 };
    visits.set(node, visit);
    open.push(visit);
    path.push(visit);
  };
  for (const root of nodes) {
    if (!visits.has(root)) enter(root);
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const next = edgesOf(visit.node)[visit.edge];
      visit.edge += 1;
      if (next !== undefined) {
        const known = visits.get(next);
        if (known === undefined) enter(next);
        else if (known.isOpen) visit.low = Math.min(visit.low, known.order);
        continue;
      }
      await breathe();
      path.pop();
      const before = path.at(-1);
      if (before !== undefined) before.low = Math.min(before.low, visit.low);
      if (visit.low === visit.order) yield close(open, visit);
    }
  }
}

/** Takes the group that a visit began from those that are open. */
function close<N>(open: Visit<N>[], first: Visit<N>): readonly N[] {
  const group = open.splice(open.lastIndexOf(first));
  for (const visit of group) visit.isOpen = false;
  return group.map(({ node }) => node);
}
