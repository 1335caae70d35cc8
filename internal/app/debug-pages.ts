import type { MemoryStore } from '../counters/memory-store.ts';
import { objectKey } from '../policy/object.ts';
import type { ObjectReport } from '../policy/store.ts';
import type { PolicySourceAdapter } from './source.ts';

export interface DebugState {
  readonly reports: () => readonly ObjectReport[];
  readonly version: () => number | undefined;
  readonly source: PolicySourceAdapter;
  readonly counters: MemoryStore;
}

/** What `/debug/…` shows: what is loaded, and why something is not. */
export function debugPages({ reports, version, source, counters }: DebugState): ReadonlyMap<string, () => unknown> {
  return new Map<string, () => unknown>([
    [
      '/debug/policies',
      () => ({
        snapshot: version() ?? null,
        objects: reports().map(
          ({ object, isAccepted, servesLastGood, servingGeneration, problems, hosts, heldBy }) => ({
            kind: object.kind,
            name: objectKey(object.metadata),
            generation: object.metadata.generation,
            accepted: isAccepted,
            servesLastGood,
            servingGeneration: servingGeneration ?? null,
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
