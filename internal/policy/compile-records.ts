import { type Breathe, inSlices, type Steps } from '../core/breather.ts';
import type { Problem } from '../core/problem.ts';
import { thrownProblem } from './live-specs.ts';
import type { CompileOptions, PolicyRecord } from './policy-record.ts';

/** What was thrown at records while they were compiled. */
export type Thrown = ReadonlyMap<PolicyRecord, readonly Problem[]>;

/**
 * Compiles what is not compiled yet; what serves, and what did before this process began, goes before what is new.
 *
 * @param records older first
 * @returns what was thrown at a record, which then serves its last good spec or nothing
 */
export async function compileRecords(
  records: readonly PolicyRecord[],
  options: CompileOptions,
  breathe: Breathe,
): Promise<Thrown> {
  const thrown = new Map<PolicyRecord, readonly Problem[]>();
  const attempt = async (record: PolicyRecord, steps: Steps<void>): Promise<void> => {
    try {
      await inSlices(steps, breathe);
    } catch (error) {
      thrown.set(record, [thrownProblem(error)]);
    }
  };
  for (const record of records) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    record.hold(options.budgets);
  }
  for (const record of records) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    if (record.accepted === undefined) await attempt(record, record.recall(options));
  }
  for (const record of records) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    if (!thrown.has(record) && !record.isCompiledWith(options)) await attempt(record, record.compile(options));
  }
  return thrown;
}
