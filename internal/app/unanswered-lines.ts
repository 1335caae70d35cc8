import { nearest } from '../core/nearest.ts';
import type { UnansweredClass } from '../kube/unanswered-classes.ts';

export interface Answering {
  /** The class that this instance serves. */
  readonly className: string;
  /** Where it looks for policies; empty: everywhere. */
  readonly namespaces: readonly string[];
}

/**
 * What is said of each class that policies name and nobody has answered for: where the name is nearly this instance's own,
 * what was meant; else which values of the chart have them served.
 */
export function unansweredLine(found: UnansweredClass, own: Answering): string {
  const { className, count, isAtLeast, policies, isServed } = found;
  const more = count - policies.length;
  const which = more === 0 ? policies.join(', ') : `${policies.join(', ')} and ${more} more`;
  const many = count === 1 ? 'one policy names' : `${count} policies name`;
  const who = isAtLeast ? `At least ${many}` : `${many.charAt(0).toUpperCase()}${many.slice(1)}`;
  const hint = nearest(className, [own.className]) === undefined ? '' : ' (did you mean that?)';
  const why = isServed ? 'whose instance has written no status there' : 'for which no instance has written a status';
  return `${who} the class "${className}", ${why}: ${which}. This one serves "${own.className}"${hint}; a policy's class cannot be changed: delete it and make it anew, or ${mend(found, own)}`;
}

function mend({ className, policies, count, isAtLeast, isForPods, isServed }: UnansweredClass, own: Answering): string {
  const isAll = policies.length === count && !isAtLeast;
  const names = [...new Set(policies.map((policy) => policy.slice(0, policy.indexOf('/'))))];
  const places = isAll
    ? `${names.length === 1 ? 'the namespace' : 'the namespaces'} ${names.join(', ')}`
    : 'their namespaces';
  const list = isForPods ? 'sidecar.namespaces' : 'namespaces';
  const adding = `add ${places} to "${list}" of the release that serves the class`;
  if (isServed) return `${adding} (and where it has options.policySelector, label the policies so)`;
  const values = isForPods ? `sidecar.enabled=true and sidecar.className=${className}` : `className=${className}`;
  // Policies of namespaces that this instance does not watch may have a status that nobody sees here.
  return `install a release with ${values}${own.namespaces.length === 0 ? '' : `; where there is one, ${adding}`}`;
}
