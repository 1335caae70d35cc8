import { member } from '../core/member.ts';
import type { Problem } from '../core/problem.ts';
import type { ObjectReport } from '../policy/store.ts';

/** The oldest policies of a namespace, with which all are compared: thousands must not hold up the statuses of others. */
const MAX_COMPARED = 100;

interface Selecting {
  readonly name: string;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly options: string;
}

/**
 * The reports, with a warning on every policy that reads paths otherwise than an older one which may select the same
 * Pods: the sidecar of such a Pod does not serve it. Which Pods there are nobody but they know.
 *
 * @param reports of a sidecar class; older policies first
 */
export function withSelectorConflicts(reports: readonly ObjectReport[]): readonly ObjectReport[] {
  const byNamespace = new Map<string, Selecting[]>();
  return reports.map((report) => {
    const { object, isAccepted, problems } = report;
    if (object.kind !== 'APIPolicy' || !isAccepted) return report;
    const older = byNamespace.get(object.metadata.namespace) ?? [];
    byNamespace.set(object.metadata.namespace, older);
    const selecting = readSelecting(report);
    const other = older.find(
      ({ labels, options }) => options !== selecting.options && mayBeOne(labels, selecting.labels),
    );
    if (older.length < MAX_COMPARED) older.push(selecting);
    return other === undefined ? report : { ...report, problems: [...problems, conflict(other.name)] };
  });
}

function readSelecting({ object: { metadata, spec } }: ObjectReport): Selecting {
  const target = member(spec, 'target');
  const given = member(target, 'pathOptions');
  const option = (name: string, byDefault: unknown): unknown => member(given, name) ?? byDefault;
  const options = [option('encodedSlash', 'Refuse'), option('semicolon', 'Refuse'), option('caseInsensitive', false)];
  const labels = member(member(target, 'workloadSelector'), 'matchLabels');
  return { name: metadata.name, labels: Object(labels) as Selecting['labels'], options: JSON.stringify(options) };
}

/** No label has to be two things at once. */
const mayBeOne = (a: Selecting['labels'], b: Selecting['labels']): boolean =>
  Object.entries(a).every(([name, value]) => !Object.hasOwn(b, name) || b[name] === value);

const conflict = (other: string): Problem => ({
  reason: 'PathOptionsConflict',
  path: 'spec.target.pathOptions',
  message: `A Pod that "${other}", the older policy, selects too is not served by this one: policies of one Pod agree on pathOptions`,
  severity: 'warning',
});
