import type { ProblemList } from '../core/problem.ts';
import { foldName, isOfProxies, OVERRIDE_HEADERS } from './own-headers.ts';

const OVERRIDES: ReadonlySet<string> = new Set(OVERRIDE_HEADERS);

/** Says it where a policy may not set the header. */
export function checkUpstreamHeader(name: string, problems: ProblemList): void {
  if (OVERRIDES.has(foldName(name)))
    problems.error(
      'Invalid',
      `Upstreams take "${name}" for another method or path than was decided on: set another name; response.keepHeaders keeps the client's own`,
    );
  else if (isOfProxies(name)) problems.error('Invalid', `"${name}" is not a policy's to set: use a name of your own`);
}
