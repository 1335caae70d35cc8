// What an override may not read: words of those whom it holds, who would escape it by choosing others.
import type { ProblemList } from '../../core/problem.ts';
import type { Expression } from '../../match/expression/expression.ts';

const CLAIMS = 'read identity.kind, identity.issuer or identity.claims';
const OF_REQUEST = 'read what the request or its caller says';

const ATTRIBUTES: Readonly<Record<string, string>> = {
  context: `context extensions are written by owners of routes: ${OF_REQUEST}`,
  metadata: `metadata is written by filters that owners of routes may set: ${OF_REQUEST}`,
  'identity.roles': `roles are of a namespace, which binds its own: ${CLAIMS}`,
  'identity.groups': `a namespace says who is in a group: ${CLAIMS}`,
  'identity.method': `methods are named by each policy: ${CLAIMS}`,
};

export function checkReads({ attributes }: Expression, problems: ProblemList): void {
  for (const [name, why] of Object.entries(ATTRIBUTES))
    if (attributes.has(name)) problems.error('Invalid', `An override cannot read ${name}: ${why}`);
}
