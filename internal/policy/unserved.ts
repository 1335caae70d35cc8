import { member } from '../core/member.ts';
import type { ObjectReport } from './store.ts';
import { THIS_WORKLOAD } from './workload.ts';

/** More hosts, or baselines, than this are counted. */
const MAX_SHOWN = 3;

/** What serves where the newest spec of a policy does not: a clause. */
export const standingText = (report: ObjectReport): string =>
  report.servesLastGood ? `generation ${report.servingGeneration} goes on serving` : unservedText(report);

type Unserved = Pick<
  ObjectReport,
  'object' | 'hosts' | 'shadowedHosts' | 'problems' | 'isLapsed' | 'isMisread' | 'heldBy'
>;

/** What becomes of the requests that a policy is meant for while no spec of it was ever accepted: a clause. */
export function unservedText(report: Unserved): string {
  const { spec } = report.object;
  const { hosts: held, shadowedHosts = [], problems, isLapsed = false, isMisread = false, heldBy = [] } = report;
  // Only those that it keeps: a host that another namespace holds, or an older policy, is answered by that one.
  const hosts = held.filter((host) => !shadowedHosts.includes(host));
  const passes = heldBy.length === 0 ? 'passes unchecked' : `passes where the overrides of ${shown(heldBy)} let it`;
  const asRead = isMisread ? `${passes} as far as its target can be read, and is refused beyond that` : passes;
  const fate = member(spec, 'mode') === 'Audit' && !isLapsed ? asRead : 'is refused';
  if (hosts.includes(THIS_WORKLOAD)) return `what it claims of the requests to this Pod ${fate}`;
  if (hosts.length > 0) return `what it claims of ${shown(hosts)} ${fate}`;
  if (held.length > 0) return 'it governs nothing beside older policies';
  const target = member(spec, 'target');
  const isOfHere = problems.every(({ reason }) => reason !== 'TargetNotSupported');
  if (isOfHere && member(target, 'workloadSelector') !== undefined)
    return `what comes to the Pods that it selects ${fate}`;
  const hasRoutes = member(target, 'routes') !== undefined;
  return hasRoutes ? `what comes by its routes ${fate}` : 'it governs nothing';
}

function shown(names: readonly string[]): string {
  const first = names.slice(0, MAX_SHOWN).map((name) => `"${name}"`);
  const more = names.length - first.length;
  return more === 0 ? first.join(', ') : `${first.join(', ')} and ${more} more`;
}
