import type { CompiledNamespace } from './namespace-objects.ts';
import type { ObjectReport } from './store.ts';

/** Of the live objects that a snapshot was built from: one that came since then has not been judged. */
export function* liveReports(compiled: Iterable<CompiledNamespace>): Iterable<ObjectReport> {
  for (const { problems: byObject } of compiled) {
    for (const [object, problems] of byObject) {
      yield {
        object,
        isAccepted: !problems.some((problem) => problem.severity === 'error'),
        servesLastGood: false,
        servingGeneration: undefined,
        isShadowed: false,
        problems,
        hosts: [],
      };
    }
  }
}
