import { type Breathe, breather, inSlices } from '../core/breather.ts';
import type { Clock } from '../core/clock.ts';
import { identityOf } from '../files/parse-file.ts';
import { messageOf } from '../kube/conditions.ts';
import type { ObjectReport } from '../policy/store.ts';
import { standingText } from '../policy/unserved.ts';
import type { Log } from '../telemetry/log.ts';

/** Lines of one namespace for one build; who has more sees the rest in their status. */
const MOST_LINES = 20;

/**
 * Tells the log of objects of a cluster that are not accepted: a line when one comes or is another, and one when the
 * newest version of a policy serves. Warnings are left to the status: many policies may share one.
 */
export class UnacceptedLines {
  readonly #log: Log;
  readonly #breathe: Breathe;
  #reports: readonly ObjectReport[] = [];
  /** By kind, namespace and name. */
  readonly #said = new Map<string, string>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#breathe = breather(clock);
  }

  /** Looks beside the checks; what a newer build has found comes in its stead. */
  async tell(reports: readonly ObjectReport[]): Promise<void> {
    this.#reports = reports;
    const { lines, accepted } = await inSlices(linesOf(reports), this.#breathe);
    if (this.#reports !== reports) return;
    const said = new SaidOfNamespaces();
    for (const [object, { line, namespace }] of lines) {
      if (this.#said.get(object) === line) continue;
      await this.#breathe();
      if (this.#reports !== reports) break;
      this.#said.set(object, line);
      if (said.mayHave(namespace)) this.#log.warn(line);
    }
    for (const line of said.rest()) this.#log.warn(line);
    if (this.#reports !== reports) return;
    for (const object of this.#said.keys()) {
      if (lines.has(object)) continue;
      this.#said.delete(object);
      if (accepted.has(object)) this.#log.info('The newest version of a policy serves now', { policy: object });
    }
  }
}

/** How many lines each namespace had, and would have had. */
class SaidOfNamespaces {
  readonly #counts = new Map<string, number>();

  mayHave(namespace: string): boolean {
    const count = (this.#counts.get(namespace) ?? 0) + 1;
    this.#counts.set(namespace, count);
    return count <= MOST_LINES;
  }

  *rest(): Iterable<string> {
    for (const [namespace, count] of this.#counts) {
      if (count <= MOST_LINES) continue;
      const where = namespace === '' ? 'the cluster' : `namespace ${namespace}`;
      const command = namespace === '' ? 'kubectl get hgrant,abase' : `kubectl get postern -n ${namespace}`;
      yield `${count - MOST_LINES} more objects of ${where} are not accepted: ${command} shows them`;
    }
  }
}

interface Lines {
  readonly lines: ReadonlyMap<string, { readonly line: string; readonly namespace: string }>;
  readonly accepted: ReadonlySet<string>;
}

function* linesOf(reports: readonly ObjectReport[]): Generator<undefined, Lines> {
  const lines = new Map<string, { readonly line: string; readonly namespace: string }>();
  const accepted = new Set<string>();
  for (const report of reports) {
    const { namespace } = report.object.metadata;
    if (!report.isAccepted) lines.set(identityOf(report), { line: lineOf(report), namespace });
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
