import type { Problem } from '../core/problem.ts';
import { isClusterScoped } from '../policy/resource/kinds.ts';
import type { ObjectReport } from '../policy/store.ts';
import { unservedText } from '../policy/unserved.ts';
import { packSpec } from './accepted-spec.ts';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

const MAX_MESSAGE = 4096;

/** Problems as one message: field path, then what to write; the first ones where there are many. */
export function messageOf(problems: readonly Problem[]): string {
  const lines = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const shown = lines.slice(0, 8).join('; ');
  return (lines.length > 8 ? `${shown}; and ${lines.length - 8} more` : shown).slice(0, MAX_MESSAGE);
}

interface Plain {
  readonly type: string;
  readonly isTrue: boolean;
  readonly reason: string;
  readonly message: string;
}

function standingOf(report: ObjectReport, awaited: string | undefined): string {
  const { isAccepted, isShadowed, servingGeneration, object } = report;
  if (awaited !== undefined) return awaited;
  if (isAccepted) return isShadowed ? 'Older policies govern all of its hosts and paths: it is never asked' : '';
  const until = report.isLapsed === true ? untilGivenBack(report) : 'a spec of it is accepted';
  if (servingGeneration === undefined) return sentence(`${unservedText(report)} until ${until}`);
  if (servingGeneration === object.metadata.generation) return 'It serves as it was accepted, until it can be again';
  return `Generation ${servingGeneration} serves until generation ${object.metadata.generation} is mended`;
}

const untilGivenBack = (report: ObjectReport): string =>
  isDisputed(report) ? 'only one namespace is recorded to have held it' : 'it is granted again';

/** Nothing of it lost its grant: two namespaces are recorded to have held it. */
const isDisputed = ({ problems }: ObjectReport): boolean =>
  problems.some(({ reason }) => reason === 'HostConflict') &&
  problems.every(({ reason }) => reason !== 'HostNotGranted');

const sentence = (clause: string): string => clause.charAt(0).toUpperCase() + clause.slice(1);

/** References are those of the spec that serves, while the condition stands under the newest generation. */
function ofServing({ servesLastGood, servingGeneration }: ObjectReport, message: string): string {
  if (!servesLastGood) return message;
  const whose = `Of generation ${servingGeneration}, which serves`;
  return (message === '' ? whose : `${whose}: ${message}`).slice(0, MAX_MESSAGE);
}

function programmedReason(report: ObjectReport, isAwaited: boolean): string {
  const { isAccepted, isShadowed, isLapsed, servesLastGood } = report;
  if (isAwaited) return 'Pending';
  if (isAccepted) return isShadowed ? 'TargetConflict' : 'Programmed';
  if (isLapsed === true) return isDisputed(report) ? 'HostConflict' : 'HostNotGranted';
  return servesLastGood ? 'LastGoodServes' : 'NeverAccepted';
}

/**
 * The conditions of one object after a build.
 *
 * @param awaited who does not serve an accepted policy yet; undefined where all replicas do
 */
export function conditionsOf(
  report: ObjectReport,
  previous: readonly Condition[],
  nowIso: string,
  awaited?: string,
): readonly Condition[] {
  const { object, isAccepted, problems } = report;
  const errors = problems.filter((problem) => problem.severity === 'error');
  const references = problems.filter((problem) => problem.severity === 'reference');
  const incompatible = problems.filter((problem) => problem.reason === 'BodyNotForwarded');
  const warnings = problems.filter((problem) => problem.severity === 'warning' && !incompatible.includes(problem));
  const plain: Plain[] = [
    { type: 'Accepted', isTrue: isAccepted, reason: errors[0]?.reason ?? 'Accepted', message: messageOf(errors) },
    {
      type: 'ResolvedRefs',
      isTrue: references.length === 0,
      reason: references[0]?.reason ?? 'ResolvedRefs',
      message: ofServing(report, messageOf(references)),
    },
  ];
  if (object.kind === 'APIPolicy') {
    const isTrue = isAccepted && !report.isShadowed && awaited === undefined;
    const reason = programmedReason(report, awaited !== undefined);
    plain.push({ type: 'Programmed', isTrue, reason, message: standingOf(report, awaited) });
  }
  // Only said where something reads what the data plane may keep back.
  if (incompatible.length > 0) {
    const message = messageOf(incompatible);
    plain.push({ type: 'DataPlaneCompatible', isTrue: false, reason: 'BodyNotForwarded', message });
  }
  if (warnings.length > 0)
    plain.push({
      type: 'Warning',
      isTrue: true,
      reason: warnings[0]?.reason ?? 'Warning',
      message: messageOf(warnings),
    });
  return plain.map(({ type, isTrue, reason, message }) => {
    const status = isTrue ? 'True' : 'False';
    const before = previous.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : nowIso;
    return {
      type,
      status,
      reason,
      message,
      observedGeneration: object.metadata.generation,
      lastTransitionTime,
    };
  });
}

/**
 * The status of a policy: its conditions, the hosts it holds, and the last spec that was accepted.
 *
 * @param previous what was last to be written, which a watch may not have shown yet; else the object's status. An older
 *   accepted spec may never take the place of a newer one: it could allow more.
 */
export function policyStatus(report: ObjectReport, conditions: readonly Condition[], previous: unknown): object {
  const { object, isAccepted, hosts } = report;
  // One that cannot be packed takes the older one away: better none, which denies.
  const accepted = isAccepted ? packSpec(object, report.given ?? []) : (previous as Accepting | undefined)?.accepted;
  return { conditions, ...(hosts.length > 0 && { hosts: [...hosts] }), ...(accepted !== undefined && { accepted }) };
}

interface Accepting {
  readonly accepted?: object;
}

/**
 * The status of a shared kind: one entry for the class of this instance. A kind of the cluster has a last good spec too.
 *
 * @param previous the entry that was last to be written, else the one of the object's status
 */
export function instanceStatus(
  { object, isAccepted }: ObjectReport,
  { className, conditions, previous }: InstanceEntry & { readonly previous: unknown },
): object {
  if (!isClusterScoped(object.kind)) return { instances: [{ className, conditions }] };
  const accepted = isAccepted ? packSpec(object) : (previous as Accepting | undefined)?.accepted;
  return { instances: [{ className, conditions, ...(accepted !== undefined && { accepted }) }] };
}

interface InstanceEntry {
  readonly className: string;
  readonly conditions: readonly Condition[];
}

/**
 * Whether two statuses say the same, whatever the order of their members, and since whenever: two releases of one class
 * would write their times against each other for ever.
 */
export function saysSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'lastTransitionTime')
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}
