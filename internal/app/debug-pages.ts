import type { MemoryStore } from '../counters/memory-store.ts';
import { objectKey } from '../policy/object.ts';
import type { ObjectReport } from '../policy/store.ts';
import type { PolicySourceAdapter } from './source.ts';

export interface DebugState {
  /** Of the last build; what its source has to add goes before. */
  readonly reports: () => readonly ObjectReport[];
  readonly version: () => number | undefined;
  readonly source: PolicySourceAdapter;
  readonly counters: Pick<MemoryStore, 'size'>;
}

/** What `/debug/…` shows: what is loaded, and why something is not. */
export function debugPages({ reports, version, source, counters }: DebugState): ReadonlyMap<string, () => unknown> {
  return new Map<string, () => unknown>([
    [
      '/debug/policies',
      () => ({
        snapshot: version() ?? null,
        objects: (source.reports ?? reports)().map(
          ({ object, isAccepted, servesLastGood, servingGeneration, problems, hosts, heldBy, ...standing }) => ({
            kind: object.kind,
            name: objectKey(object.metadata),
            generation: object.metadata.generation,
            accepted: isAccepted,
            servesLastGood,
            servingGeneration: servingGeneration ?? null,
            shadowed: standing.isShadowed,
            lapsed: standing.isLapsed ?? false,
            hosts,
            ...(heldBy !== undefined && { heldBy }),
            problems: problems.map(({ reason, path, message, severity }) => ({ reason, path, message, severity })),
          }),
        ),
        sourceProblems: source.problems(),
      }),
    ],
    ['/debug/limits', () => ({ keys: counters.size })],
  ]);
}
