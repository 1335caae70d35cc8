import { baseline, grant, times, type WrongShape } from './wrong-shape.ts';

const ALL = { namespaceSelector: {} };
const overrides = (more: object): object => ({ ...ALL, overrides: more });
const deny = (criteria: unknown): object => overrides({ authorization: { rules: [{ name: 'a', deny: criteria }] } });
const limit = (more: object): object =>
  overrides({
    rateLimits: [{ name: 'a', stage: 'BeforeAuthentication', rates: [{ requests: 1, window: '1s' }], ...more }],
  });

const DENY = 'spec.overrides.authorization.rules[0].deny';
const LIMIT = 'spec.overrides.rateLimits[0]';
const EMPTY = (field: string, members: string): string =>
  `spec.${field}: Invalid value: at least one of ${members} must be set; or leave ${field.split('.').at(-1)} out`;

/** What is of the cluster: who may claim what, and what holds all. */
export const WRONG_CLUSTER_KINDS: readonly WrongShape[] = [
  grant('no hosts', { ...ALL, hosts: [] }, 'spec.hosts in body should have at least 1 items'),
  grant('no selector', { hosts: ['a.example.org'] }, 'spec.namespaceSelector: Required value'),
  grant(
    'a host with a port',
    { ...ALL, hosts: ['a.example.org:443'] },
    'spec.hosts[0]: Invalid value: "a.example.org:443": must be a lower-case host',
  ),
  grant(
    'a relative path',
    { ...ALL, hosts: ['a.example.org'], paths: ['v1'] },
    'spec.paths[0]: Invalid value: "v1": must begin with "/"',
  ),
  grant('no paths', { ...ALL, hosts: ['a.example.org'], paths: [] }, 'spec.paths in body should have at least 1 items'),
  grant(
    'labels that are none',
    { hosts: ['a.example.org'], namespaceSelector: { matchLabels: {} } },
    'spec.namespaceSelector.matchLabels in body should have at least 1 properties',
  ),
  baseline('no selector', { overrides: { require: { tls: {} } } }, 'spec.namespaceSelector: Required value'),
  baseline('nothing that it says', ALL, 'spec: Invalid value: at least one of defaults and overrides must be set'),
  baseline(
    'an operator without values',
    { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] }, overrides: { require: { tls: {} } } },
    'spec.namespaceSelector.matchExpressions[0]: Invalid value: values goes with the operators In and NotIn, and only with them',
  ),
  baseline(
    'a label of no form',
    { namespaceSelector: { matchLabels: { '-a': 'b' } }, overrides: { require: { tls: {} } } },
    'spec.namespaceSelector.matchLabels: Invalid value: every key must be the key of a label',
  ),
  baseline(
    'empty defaults',
    { ...ALL, defaults: {} },
    EMPTY('defaults', 'transport, authentication, validation, rateLimits, response, auditLog'),
  ),
  baseline('empty overrides', overrides({}), EMPTY('overrides', 'authorization, rateLimits, require')),
  baseline('empty requirements', overrides({ require: {} }), EMPTY('overrides.require', 'tls, authentication')),
  baseline('a deny of everything by nothing', deny({}), `${DENY}: Invalid value: at least one of any, methods`),
  baseline(
    'an allow among what only tightens',
    overrides({ authorization: { rules: [{ name: 'a', allow: { any: {} } }] } }),
    'spec.overrides.authorization.rules[0]: Invalid value: overrides only tighten: write deny; an allow belongs into the policy',
  ),
  baseline(
    'a deny by what those whom it holds choose',
    deny({ roles: ['reader'] }),
    `${DENY}: Invalid value: at least one of any, methods, paths, scopes, cidrs, when must be set; "everyone" is written any: {}, and roles, groups and via are not for overrides`,
  ),
  baseline(
    'no path that is open',
    overrides({ require: { authentication: { publicPathsWithin: [] } } }),
    'spec.overrides.require.authentication.publicPathsWithin in body should have at least 1 items',
  ),
  baseline(
    'rules of one name',
    overrides({ authorization: { rules: times(2, () => ({ name: 'a', deny: { any: {} } })) } }),
    'spec.overrides.authorization.rules[1]: Duplicate value: {"name":"a"}',
    { typed: '.spec.overrides.authorization.rules: duplicate entries for key [name="a"]' },
  ),
  baseline(
    'a guess that all share',
    limit({ stage: 'AuthenticationFailure' }),
    `${LIMIT}: Invalid value: AuthenticationFailure cannot share a counter`,
  ),
  baseline(
    'a rate of no window',
    limit({ rates: [{ requests: 1 }] }),
    `${LIMIT}.rates[0]: Invalid value: exactly one of window or calendar must be set`,
  ),
  baseline(
    'a precedence out of bounds',
    { ...overrides({ require: { tls: {} } }), precedence: 1_000_001 },
    'spec.precedence: Invalid value: 1000001',
  ),
];
