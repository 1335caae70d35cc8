import type { Breathe } from '../core/breather.ts';
import { compareAge, type SourceObject } from './object.ts';

/** So many are sorted in one go. */
const RUN = 256;

/** Older first, then by namespace and name, then by kind. A million objects keep no check waiting while they are sorted. */
export async function sortedByAge(
  objects: readonly SourceObject[],
  breathe: Breathe,
): Promise<readonly SourceObject[]> {
  let runs: SourceObject[][] = [];
  for (let from = 0; from < objects.length; from += RUN) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    runs.push(objects.slice(from, from + RUN).sort(compare));
  }
  while (runs.length > 1) {
    const merged: SourceObject[][] = [];
    for (let index = 0; index < runs.length; index += 2)
      merged.push(await merge(runs[index] ?? [], runs[index + 1] ?? [], breathe));
    runs = merged;
  }
  return runs[0] ?? [];
}

function compare(a: SourceObject, b: SourceObject): number {
  return compareAge(a.metadata, b.metadata) || (a.kind < b.kind ? -1 : Number(a.kind > b.kind));
}

async function merge(
  left: readonly SourceObject[],
  right: readonly SourceObject[],
  breathe: Breathe,
): Promise<SourceObject[]> {
  const merged: SourceObject[] = [];
  let [ofLeft, ofRight] = [0, 0];
  while (merged.length < left.length + right.length) {
    if (merged.length % RUN === 0) {
      const pause = breathe();
      if (pause !== undefined) await pause;
    }
    const [a, b] = [left[ofLeft], right[ofRight]];
    if (b === undefined || (a !== undefined && compare(a, b) <= 0)) {
      if (a !== undefined) merged.push(a);
      ofLeft += 1;
    } else {
      merged.push(b);
      ofRight += 1;
    }
  }
  return merged;
}
