import type { Problem } from '../core/problem.ts';

/** Nothing was found in its way, but not all was looked at. */
export const unproven = (path: string, host: string, template: string): Problem => ({
  reason: 'HostConflict',
  path,
  message: `Other namespaces hold so much beside "${template}" of "${host}" that it was not compared with all of it, and what is not compared is not given: begin paths with literal segments of your own, and make several policies of one that has many`,
  severity: 'error',
});

/** It does not tell whose it is. */
export const conflict = (path: string, host: string, template: string): Problem => ({
  reason: 'HostConflict',
  path,
  message: `"${template}" of "${host}" overlaps what another namespace holds, or is recorded to have held: use hosts or paths of your own`,
  severity: 'error',
});
