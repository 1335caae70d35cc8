import type { Profiler } from 'node:inspector';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A function and the share of the time that was spent in itself, of what was inlined into it too. */
export interface Sample {
  /** Its name and, from the root of the repository, its file and line. */
  readonly where: string;
  /** 0 to 1. */
  readonly share: number;
}

const ROOT = resolve(import.meta.dirname, '..');

/** Functions of a CPU profile by their own share of its samples, the dearest first. */
export function selfTimes({ nodes, samples = [] }: Profiler.Profile): readonly Sample[] {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const counts = new Map<string, number>();
  for (const id of samples) {
    const where = places.get(id) ?? '';
    counts.set(where, (counts.get(where) ?? 0) + 1);
  }
  return [...counts]
    .map(([where, count]) => ({ where, share: count / samples.length }))
    .sort((a, b) => b.share - a.share);
}

function placeOf({ functionName, url, lineNumber }: Profiler.Profile['nodes'][number]['callFrame']): string {
  const name = functionName || '(anonymous)';
  if (url === '') return name;
  const path = url.startsWith('file:') ? relative(ROOT, fileURLToPath(url)) : url;
  // Modules may lie elsewhere, behind a link.
  const file = path.replace(/^.*?(?=node_modules\/)/, '');
  return `${name} ${file}:${lineNumber + 1}`;
}
