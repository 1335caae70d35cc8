import type { OptionName, OptionValues } from './options.ts';
import type { GivenOptions } from './sources.ts';

/** What is about hosts and routes, which the policies of a sidecar class do not claim. */
const OF_HOSTS = ['host-grants', 'route-metadata', 'trust-context-extensions'] as const satisfies readonly OptionName[];

/** What does not go with a sidecar class, or with the other part in one. */
export function refuseForSidecars(values: OptionValues, given: GivenOptions, problems: string[]): void {
  const origin = (name: OptionName): string => given.get(name)?.origin ?? `--${name}`;
  const isAgent = given.has('workload-labels');
  const isClass = values['sidecar-class'] === true;
  if (!isAgent && !isClass) return;
  if (isAgent && isClass) {
    const parts = 'an instance is one sidecar, or the one that judges the policies of all';
    problems.push(`${origin('workload-labels')} and ${origin('sidecar-class')} exclude each other: ${parts}`);
  }
  if (isAgent && values.namespace?.length !== 1)
    problems.push(`${origin('workload-labels')} needs one --namespace: that of its Pod`);
  if (isClass && (values.workers ?? 1) > 1)
    problems.push(`${origin('workers')} has no effect with ${origin('sidecar-class')}, which answers no checks`);
  for (const name of OF_HOSTS)
    if (given.has(name)) problems.push(`${origin(name)} has no effect in a sidecar class, whose policies select Pods`);
}
