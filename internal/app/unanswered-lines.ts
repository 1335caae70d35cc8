import { nearest } from '../core/nearest.ts';
import type { UnansweredClass } from '../kube/unanswered-classes.ts';

/**
 * What is said of each class that policies name and nobody has answered for: where the name is nearly this instance's own,
 * what was meant.
 *
 * @param own the class that this instance serves
 */
export function unansweredLine({ className, count, policies }: UnansweredClass, own: string): string {
  const more = count - policies.length;
  const which = more === 0 ? policies.join(', ') : `${policies.join(', ')} and ${more} more`;
  const who = count === 1 ? 'One policy names' : `${count} policies name`;
  const hint = nearest(className, [own]) === undefined ? '' : ' (did you mean that?)';
  return `${who} the class "${className}", for which no instance has written a status: ${which}. This one serves "${own}"${hint}; a policy's class cannot be changed: delete it and make it anew, or install a release with className=${className}`;
}
