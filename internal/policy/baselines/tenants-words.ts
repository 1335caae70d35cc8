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

/** What a token says is proved by the keys that a policy names, inline even. */
const BY_POLICYS_KEYS = [
  'identity.issuer',
  'identity.subject',
  'identity.id',
  'identity.scopes',
  'identity.claims',
  'identity.consumer',
];

/** Says where a deny hangs on what the authors of policies can have said by tokens of their own. */
export function warnAboutProof({ attributes }: Expression, problems: ProblemList): void {
  const name = BY_POLICYS_KEYS.find((one) => attributes.has(one));
  if (name === undefined) return;
  problems.warn(
    'Invalid',
    `${name} is proved by keys that each policy names itself, so this holds clients of a namespace, and not its authors: deny by paths, methods or cidrs what has to hold for these too`,
  );
}
