import type { Instance } from '../cases/run-case.ts';
import { documents, grantOf, namespaceOf, policyOf, type TenantAttack } from './tenant-attack.ts';

const NAMESPACES = documents(
  namespaceOf('bank', '{team: bank}'),
  namespaceOf('evil', '{team: evil}'),
  namespaceOf('platform', '{team: platform}'),
);
const to = (team: string): string => `namespaceSelector: {matchLabels: {team: ${team}}}`;
const BANK = grantOf('bank', `{hosts: [api.example.org], paths: ["/bank/**"], ${to('bank')}}`);
const EVIL = grantOf('evil', `{hosts: [api.example.org], paths: ["/evil/**"], ${to('evil')}}`);
const PLATFORM = grantOf('platform', `{hosts: ["*.example.org"], ${to('platform')}}`);
const EVIL_WIDE = grantOf('evil', `{hosts: ["*.example.org"], ${to('evil')}}`);
const SHARED = grantOf('shared', `{hosts: ["*.example.org"], namespaceSelector: {}}`);

/** Refuses whom it does not know: an attack that succeeds lets them in. */
const CLOSED = '[{name: nobody, allow: {groups: [nobody]}}]';
const bank = (target: string, rest = ''): string => policyOf('bank', { target, rules: CLOSED, rest });
const BANK_POLICY = bank('{hosts: [api.example.org], paths: ["/bank/**"]}');
const evil = (target: string, rest = ''): string => policyOf('evil', { target, rest });

const REQUIRED: Instance = { hostGrants: 'required', hasNamespaces: true };
const FIRST_COME: Instance = { hostGrants: 'first-come' };
const REFUSED = ['bank', 'not_allowed'] as const;
const at = (path: string, host = 'api.example.org') => ({ host, path });

type Attack = Omit<TenantAttack, 'instance' | 'before'> & Partial<Pick<TenantAttack, 'instance' | 'before'>>;

const granted = (attack: Attack): TenantAttack => ({
  instance: REQUIRED,
  ...attack,
  before: documents(NAMESPACES, attack.before ?? documents(BANK, EVIL, BANK_POLICY)),
});

const EVERY_TARGET: readonly (readonly [string, string])[] = [
  ['the same host and path', '{hosts: [api.example.org], paths: ["/bank/**"]}'],
  ['a path below', '{hosts: [api.example.org], paths: ["/bank/accounts/{id}"]}'],
  ['all of the host', '{hosts: [api.example.org]}'],
  ['a wildcard above the host', '{hosts: ["*.example.org"]}'],
  ['its path beside one of its own', '{hosts: [api.example.org], paths: ["/evil/**", "/bank/{x}/{y}"]}'],
  ['a parameter that covers it', '{hosts: [api.example.org], paths: ["/{all}/**"]}'],
  ['it in other letters', '{hosts: [api.example.org], paths: ["/BANK/**"], pathOptions: {caseInsensitive: true}}'],
  ['it with encoded letters', '{hosts: [api.example.org], paths: ["/%62ank/**"]}'],
];

/** With grants: what is granted to somebody else is nobody's to take. */
const CLAIMS = EVERY_TARGET.map(([what, target]) =>
  granted({ name: `claims ${what}`, applies: evil(target), request: at('/bank/accounts/7'), decided: REFUSED }),
);

const SPELLINGS: readonly (readonly [string, string, readonly [string, string]])[] = [
  ['other letters', '/BANK/x', ['none', 'no_route']],
  ['an empty segment', '//bank/x', ['none', 'malformed_path']],
  ['an encoded slash', '/a/..%2fbank/x', ['none', 'malformed_path']],
  ['an encoded slash for data', '/bank%2fx', ['none', 'malformed_path']],
  ['a parameter of the path', '/bank;x/y', ['none', 'malformed_path']],
  ['a trailing slash', '/bank/', REFUSED],
  ['encoded letters', '/%62ank/x', REFUSED],
  ['dots', '/x/../bank/y', ['none', 'malformed_path']],
];

/** One that is granted all of the rest, with every leniency, and a client that spells another's path unlike it. */
const EVASIONS = SPELLINGS.map(([what, path, decided]) =>
  granted({
    name: `is granted the rest of the host and gets a path of another's by ${what}`,
    before: documents(BANK, EVIL_WIDE, bank('{hosts: [api.example.org], paths: ["/bank/**"]}')),
    applies: evil('{hosts: ["*.example.org"], pathOptions: {caseInsensitive: true}}'),
    request: at(path),
    decided,
  }),
);

const KEEP = '{encodedSlash: Keep, semicolon: Keep, caseInsensitive: true}';
const READINGS = (
  [
    ['/x;/../bank/y', 'malformed_path'],
    ['/x%2f..%2fbank', 'malformed_path'],
    ['/;/bank/y', 'malformed_path'],
    ['/bank;x/y', 'no_route'],
    ['/bank;/y', 'no_route'],
    ['/bank%2fy', 'no_route'],
  ] as const
).map(([path, reason]) =>
  granted({
    name: `keeps delimiters on a wildcard so that "${path}" is read as its own`,
    before: documents(BANK, EVIL_WIDE, BANK_POLICY),
    applies: evil(`{hosts: ["*.example.org"], pathOptions: ${KEEP}}`),
    request: at(path),
    decided: ['none', reason],
  }),
);

const OTHERS: readonly TenantAttack[] = [
  granted({
    name: 'claims a host below a wildcard that is granted to another',
    before: documents(PLATFORM, policyOf('platform', { target: '{hosts: ["*.example.org"]}', rules: CLOSED })),
    applies: evil('{hosts: [pay.example.org]}'),
    request: at('/x', 'pay.example.org'),
    decided: ['platform', 'not_allowed'],
  }),
  granted({
    name: 'claims more than it is granted and denies what others have of it',
    applies: evil('{hosts: [api.example.org], paths: ["/evil/**", "/bank/accounts/{id}"]}'),
    request: at('/bank/accounts/7'),
    decided: REFUSED,
  }),
  granted({
    name: 'is older by its name and claims a part of what another holds by a grant to both',
    before: documents(
      SHARED,
      policyOf('zbank', { target: '{hosts: [api.example.org]}', rules: CLOSED }),
      namespaceOf('zbank', '{}'),
    ),
    applies: evil('{hosts: [api.example.org], paths: ["/{any}/accounts"]}'),
    request: at('/x/accounts'),
    decided: ['zbank', 'not_allowed'],
  }),
  granted({
    name: 'waits with a claim until the grant of who holds it is withdrawn',
    before: documents(
      BANK,
      grantOf('both', `{hosts: [api.example.org], paths: ["/bank/**"], ${to('evil')}}`),
      BANK_POLICY,
    ),
    applies: evil('{hosts: [api.example.org], paths: ["/bank/**"]}'),
    after: { remove: ['HostGrant/bank'] },
    request: at('/bank/x'),
    decided: ['none', 'no_route'],
  }),
  granted({
    name: 'waits with a claim until its holder is relabelled, where unmatched hosts pass',
    instance: { ...REQUIRED, unmatched: 'allow' },
    before: documents(BANK, BANK_POLICY),
    applies: evil('{hosts: [api.example.org], paths: ["/bank/**"]}'),
    after: { apply: namespaceOf('bank', '{team: other}') },
    request: at('/bank/x'),
    decided: ['none', 'no_route'],
  }),
  granted({
    name: 'keeps by its last good spec what was taken from it',
    before: documents(BANK, EVIL_WIDE),
    applies: evil('{hosts: ["*.example.org"]}'),
    after: { apply: documents(grantOf('evil', `{hosts: [evil.test], ${to('evil')}}`), BANK_POLICY) },
    request: at('/bank/x'),
    decided: REFUSED,
  }),
  granted({
    name: 'asks anew, after its grant is gone, for hosts that it denies then',
    before: documents(BANK, EVIL, BANK_POLICY),
    applies: evil('{hosts: [api.example.org], paths: ["/evil/**"]}'),
    after: { remove: ['HostGrant/evil'], apply: evil('{hosts: [api.example.org], paths: ["/bank/x"]}') },
    request: at('/bank/x'),
    decided: REFUSED,
  }),
  granted({
    name: 'gives itself labels in a policy',
    applies: evil('{hosts: [api.example.org], paths: ["/bank/x"]}').replace(
      'namespace: evil',
      'namespace: evil, labels: {team: bank}',
    ),
    request: at('/bank/x'),
    decided: REFUSED,
  }),
  granted({
    name: 'reads paths of a shared host in another way, so that its neighbour is refused',
    applies: evil(`{hosts: [api.example.org], paths: ["/evil/**"], pathOptions: ${KEEP}}`),
    request: at('/bank/x'),
    decided: REFUSED,
  }),
  granted({
    name: 'takes everyday headers from the clients of its neighbour',
    before: documents(BANK, EVIL, policyOf('bank', { target: '{hosts: [api.example.org], paths: ["/bank/**"]}' })),
    applies: evil(
      '{hosts: [api.example.org], paths: ["/evil/**"]}',
      ', response: {upstreamHeaders: [{name: authorization, value: {expression: "\'x\'"}}, {name: cookie, value: {expression: "\'x\'"}}]}',
    ),
    request: { ...at('/bank/x'), headers: { authorization: 'Bearer t', cookie: 'a=b' } },
    decided: ['bank', 'allowed'],
    keeps: ['authorization', 'cookie'],
  }),
  ...['x-forwarded-for', 'x_forwarded_for', 'sec-websocket-key', 'grpc-timeout', 'x-real-ip', 'forwarded', 'via'].map(
    (name) =>
      granted({
        name: `takes ${name}, which proxies and browsers write, from the clients of its neighbour`,
        before: documents(BANK, EVIL, policyOf('bank', { target: '{hosts: [api.example.org], paths: ["/bank/**"]}' })),
        applies: evil(
          '{hosts: [api.example.org], paths: ["/evil/**"]}',
          `, response: {upstreamHeaders: [{name: ${name}, value: {expression: "'x'"}}]}`,
        ),
        request: {
          ...at('/bank/x'),
          headers: { 'x-forwarded-for': '192.0.2.7', 'sec-websocket-key': 'k', via: '1.1 a' },
        },
        decided: ['bank', 'allowed'],
        keeps: ['x-forwarded-for', 'sec-websocket-key', 'grpc-timeout', 'x-real-ip', 'forwarded', 'via'],
      }),
  ),
  ...[documents(BANK, EVIL), SHARED].map((grants, index) =>
    granted({
      name: `takes everyday headers from requests that a route of its neighbour leads to the shared host (${index})`,
      before: documents(grants, policyOf('bank', { target: '{routes: [{name: r}]}' })),
      applies: evil(
        '{hosts: [api.example.org], paths: ["/evil/**"]}',
        ', response: {upstreamHeaders: [{name: authorization, value: {expression: "\'x\'"}}]}',
      ),
      request: {
        ...at('/bank/x'),
        headers: { authorization: 'Bearer t' },
        routes: [{ kind: 'HTTPRoute', namespace: 'bank', name: 'r' }],
      },
      decided: ['bank', 'allowed'],
      keeps: ['authorization'],
    }),
  ),
  granted({
    name: 'lets a client pass for a caller of its neighbour by its own path',
    before: documents(
      BANK,
      EVIL,
      bank(
        '{hosts: [api.example.org], paths: ["/bank/**"]}',
        ', response: {upstreamHeaders: [{name: x-caller, value: {expression: identity.id}}]}',
      ),
    ),
    applies: evil('{hosts: [api.example.org], paths: ["/evil/**"]}'),
    request: { ...at('/evil/x'), headers: { 'x-caller': 'root' } },
    decided: ['evil', 'allowed'],
    loses: ['x-caller'],
  }),
  granted({
    name: 'puts a policy in Audit so that malformed paths pass of what another is granted and has not claimed',
    before: documents(BANK, EVIL),
    applies: policyOf('evil', { target: '{hosts: [api.example.org], paths: ["/evil/**"]}', mode: 'Audit' }),
    request: at('/bank//x'),
    decided: ['none', 'malformed_path'],
  }),
  granted({
    name: 'puts a policy in Audit on a shared host so that malformed paths pass',
    applies: policyOf('evil', { target: '{hosts: [api.example.org], paths: ["/evil/**"]}', mode: 'Audit' }),
    request: at('/bank/%2e%2e/x'),
    decided: ['none', 'malformed_path'],
  }),
  ...['/bank/x', '/bank//x', '/BANK/x'].map((path) =>
    granted({
      name: `has a route of its own name its policy for "${path}" of another`,
      applies: policyOf('evil', { target: '{routes: [{name: r}]}', mode: 'Audit' }),
      request: { ...at(path), routes: [{ kind: 'HTTPRoute', namespace: 'evil', name: 'r' }] },
      decided: ['none', path.includes('//') ? 'malformed_path' : 'host_conflict'],
    }),
  ),
  granted({
    name: 'names its policy in a route to a host that another is granted and has not claimed',
    instance: { ...REQUIRED, trustContextExtensions: true },
    before: documents(BANK, EVIL),
    applies: evil('{hosts: [api.example.org], paths: ["/evil/**"]}'),
    request: { ...at('/bank/x'), context: { 'postern.dev/policy': 'evil/p' } },
    decided: ['none', 'host_conflict'],
  }),
  ...[
    '{hosts: [api.example.org]}',
    '{hosts: ["*.example.org"]}',
    '{hosts: ["*.api.example.org", api.example.org]}',
  ].map(
    (target): TenantAttack => ({
      name: `first come: claims ${target} beside who holds it`,
      instance: FIRST_COME,
      before: bank('{hosts: [api.example.org], paths: ["/bank/**"]}'),
      applies: evil(target),
      request: at('/other'),
      decided: ['none', 'no_route'],
    }),
  ),
  {
    name: 'first come: claims a host below the wildcard of another',
    instance: FIRST_COME,
    before: bank('{hosts: ["*.example.org"]}'),
    applies: evil('{hosts: [deep.api.example.org]}'),
    request: at('/x', 'deep.api.example.org'),
    decided: REFUSED,
  },
];

export const TENANT_HOSTS: readonly TenantAttack[] = [...CLAIMS, ...EVASIONS, ...READINGS, ...OTHERS];
