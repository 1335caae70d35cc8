import { type Breathe, breather, inSlices } from '../core/breather.ts';
import type { Clock } from '../core/clock.ts';
import { identityOf } from '../files/parse-file.ts';
import { messageOf } from '../kube/conditions.ts';
import type { ObjectReport } from '../policy/store.ts';
import { standingText } from '../policy/unserved.ts';
import type { Log } from '../telemetry/log.ts';

/**
 * Tells the log of objects of a cluster that are not accepted: a line when one comes or is another, and one when the
 * newest version of a policy serves. Warnings are left to the status: many policies may share one.
 */
export class UnacceptedLines {
  readonly #log: Log;
  readonly #breathe: Breathe;
  #reports: readonly ObjectReport[] = [];
  /** By kind, namespace and name. */
  #said: ReadonlyMap<string, string> = new Map();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#breathe = breather(clock);
  }

  /** Looks beside the checks; what a newer build has found comes in its stead. */
  async tell(reports: readonly ObjectReport[]): Promise<void> {
    this.#reports = reports;
    const { lines, accepted } = await inSlices(linesOf(reports), this.#breathe);
    if (this.#reports !== reports) return;
    const before = this.#said;
    this.#said = lines;
    for (const [object, line] of lines) if (before.get(object) !== line) this.#log.warn(line);
    for (const policy of before.keys())
      if (accepted.has(policy)) this.#log.info('The newest version of a policy serves now', { policy });
  }
}

interface Lines {
  readonly lines: ReadonlyMap<string, string>;
  readonly accepted: ReadonlySet<string>;
}

function* linesOf(reports: readonly ObjectReport[]): Generator<undefined, Lines> {
  const lines = new Map<string, string>();
  const accepted = new Set<string>();
  for (const report of reports) {
    if (!report.isAccepted) lines.set(identityOf(report), lineOf(report));
    else if (report.object.kind === 'APIPolicy') accepted.add(identityOf(report));
    yield;
  }
  return { lines, accepted };
}

function lineOf(report: ObjectReport): string {
  const { object, problems } = report;
  const errors = problems.filter(({ severity }) => severity === 'error');
  const why = messageOf(errors.map((problem) => ({ ...problem, message: problem.message.split('\n', 1)[0] ?? '' })));
  const line = `${identityOf(report)}: generation ${object.metadata.generation} is not accepted: ${why}`;
  return object.kind === 'APIPolicy' ? `${line}; ${standingText(report)}` : line;
}
