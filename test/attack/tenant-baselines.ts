import type { CaseRequest, Instance } from '../cases/run-case.ts';
import type { TenantAttack } from './tenant-attack.ts';

/** The platform: who is unknown, reaches /admin, is a robot or asks a fourth time is refused. */
export const PLATFORM = `
apiVersion: v1
kind: Namespace
metadata: {name: evil, labels: {team: evil}}
---
apiVersion: postern.dev/v1alpha1
kind: APIBaseline
metadata: {name: platform}
spec:
  namespaceSelector: {}
  overrides:
    authorization:
      rules:
        - {name: admin, deny: {paths: ["/admin/**"]}}
        - {name: deletes, deny: {methods: [DELETE]}}
        - {name: robots, deny: {when: [{expression: "request.headers['user-agent'] == 'robot'"}]}}
        - {name: exports, deny: {when: [{expression: "request.path == '/export'"}]}}
        - {name: query, deny: {when: [{expression: "request.query.role == 'admin'"}]}}
        - {name: body, deny: {methods: [PUT], when: [{expression: "request.body.role == 'admin'"}]}}
        - {name: networks, deny: {paths: ["/inside"], cidrs: [203.0.113.0/24]}}
        - {name: strangers, deny: {paths: ["/known"], when: [{expression: "identity.issuer != 'https://sso.example.org'"}]}}
    rateLimits:
      - {name: counted, stage: BeforeAuthentication, key: [{expression: client.network}], rates: [{requests: 3, window: 1h, algorithm: FixedWindow}]}
    require: {authentication: {publicPathsWithin: ["/{a}/{b}/**", "/admin", "/inside", "/known", "/EXPORT"]}}
`;

const HOST = 'evil.test';
const OPEN = 'authorization: {rules: [{name: all, allow: {any: {}}}]}';
const policy = (spec: string, name = 'api'): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: ${name}, namespace: evil}
spec: {${spec}}
`;
const target = (more = ''): string => `target: {hosts: [${HOST}]${more}}`;
const plain = (more = ''): string => policy(`${target()}, authentication: {anonymous: {}}, ${OPEN}${more}`);
const audited = (more = ''): string => policy(`mode: Audit, ${target()}${more}`);
const BROKEN = 'authorization: {rules: [{name: r, deny: {when: [{expression: "requst.x"}]}}]}';
const KEEP = ', pathOptions: {encodedSlash: Keep, semicolon: Keep}';
const keeping = (more = ''): string => policy(`${target(KEEP)}, authentication: {anonymous: {}}, ${OPEN}${more}`);
const consumer = `
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: robot, namespace: evil}
spec: {groups: [admins], keys: [{name: k, sha256: afacab3575137afa4e00d9cbcafcb14c9ae25f779d964eb0ea5b2c4eb5dfd163}]}
`;

interface More {
  readonly becomes?: string;
  /** Of whose policy the answer is. */
  readonly by?: 'evil' | 'none';
  /** What the agent keeps of the policy from before, where it does. */
  readonly recorded?: { readonly generation: number; readonly spec: unknown };
  /** Asked so often; the last answer counts. */
  readonly times?: number;
  readonly instance?: Instance;
}

function attempt(name: string, applies: string, request: CaseRequest, more: More = {}): TenantAttack {
  const { becomes = 'denied_by_rule', by = 'evil', recorded, times = 1, instance } = more;
  const asked = { host: HOST, ...request };
  return {
    name,
    instance: { ...instance, recordedSpec: ({ kind }) => (kind === 'APIPolicy' ? recorded : undefined) },
    before: PLATFORM,
    applies,
    asks: Array.from({ length: times - 1 }, () => asked),
    request: asked,
    decided: [by, becomes],
  };
}
/** What stands in for it is nobody's policy. */
const NEVER_ACCEPTED = { by: 'none' } as const;
const unknown = { becomes: 'authentication_required' } as const;
const counted = { times: 4, becomes: 'rate_limited' } as const;

/** What a namespace does to get past the overrides that hold it. Without them each of these requests passes. */
export const TENANT_OVERRIDES: readonly TenantAttack[] = [
  attempt('allows what is denied', plain(), { path: '/admin/x' }),
  attempt('puts the policy into Audit', audited(), { path: '/admin/x' }),
  attempt(
    'puts it into Audit and breaks it, so that it was never accepted',
    audited(`, ${BROKEN}`),
    { path: '/admin/x' },
    NEVER_ACCEPTED,
  ),
  attempt(
    'breaks it and names it by its route',
    audited(`, ${BROKEN}`).replace(target(), 'target: {routes: [{name: r}]}'),
    {
      path: '/admin/x',
      routes: [{ kind: 'HTTPRoute', namespace: 'evil', name: 'r' }],
    },
    NEVER_ACCEPTED,
  ),
  attempt('makes a public route of it', policy(`${target()}, public: [{name: p, methods: [GET], paths: ["/**"]}]`), {
    path: '/admin/x',
  }),
  attempt('lets anybody in', plain(), { path: '/private' }, unknown),
  attempt(
    'lets anybody in by a public route',
    policy(`${target()}, public: [{name: p, methods: [GET], paths: ["/**"]}]`),
    { path: '/private' },
    unknown,
  ),
  attempt('lets anybody in by Audit', audited(), { path: '/private' }, unknown),
  attempt(
    'lets anybody in by a wrong key in Audit',
    audited(', authentication: {methods: [{name: k, apiKey: {}}]}'),
    { path: '/private', headers: { 'x-api-key': 'wrong' } },
    unknown,
  ),
  attempt(
    'lets anybody in by a policy that never was accepted',
    audited(`, ${BROKEN}`),
    { path: '/private' },
    { ...unknown, ...NEVER_ACCEPTED },
  ),
  attempt('writes paths in capitals', plain(), { path: '/ADMIN/x' }),
  attempt('writes paths in capitals where an expression reads them', plain(), { path: '/EXPORT' }),
  attempt(
    'reads paths without regard to case',
    policy(`${target(', pathOptions: {caseInsensitive: true}')}, authentication: {anonymous: {}}, ${OPEN}`),
    { path: '/Admin/x' },
  ),
  attempt('keeps encoded slashes', keeping(), { path: '/admin%2fx/y' }),
  attempt('keeps semicolons', keeping(), { path: '/admin;v=1/x' }),
  attempt('opens a path by one of its readings', keeping(), { path: '/open%2fx' }, unknown),
  attempt('ends a path with a slash', plain(), { path: '/admin/' }),
  attempt(
    'sends what is malformed to a policy in Audit',
    audited(),
    { path: '//admin/x' },
    { becomes: 'malformed_path', by: 'none' },
  ),
  attempt(
    'sends it to one that was never accepted',
    audited(`, ${BROKEN}`),
    { path: '/x/../admin/x' },
    { becomes: 'malformed_path', by: 'none' },
  ),
  attempt(
    'keeps the header that asks for another method',
    plain(', response: {keepHeaders: [x-http-method-override]}').replace('anonymous', 'anonymous'),
    { method: 'DELETE', path: '/open/x' },
  ),
  attempt(
    'takes away what an override reads',
    plain(', response: {upstreamHeaders: [{name: user-agent, value: {expression: "\'browser\'"}}]}'),
    { path: '/open/x', headers: { 'user-agent': 'robot' } },
  ),
  attempt('has the client send it with blanks', plain(), { path: '/open/x', headers: { 'user-agent': ' robot ' } }),
  attempt(
    'has the client send it twice',
    plain(),
    { path: '/open/x', headers: { 'user-agent': ['robot', 'browser'] } },
    { becomes: 'expression_error' },
  ),
  attempt(
    'sends a query that upstreams part otherwise, in Audit',
    audited(),
    { path: '/open/x?a=1;role=admin' },
    { becomes: 'malformed_query' },
  ),
  attempt(
    'sends a parameter twice',
    plain(),
    { path: '/open/x?role=user&role=admin' },
    { becomes: 'expression_error' },
  ),
  attempt(
    'sends a body that repeats a member, in Audit',
    audited(),
    { method: 'PUT', path: '/open/x', body: '{"role":"u","role":"admin"}', bodyMark: 'false' },
    { becomes: 'malformed_body', instance: { bodies: 'forwarded' } },
  ),
  attempt(
    'sends the body where none is forwarded',
    plain(),
    { method: 'PUT', path: '/open/x' },
    { becomes: 'expression_error' },
  ),
  attempt(
    'hides the client',
    plain(),
    { path: '/inside', client: '10.0.0.1' },
    { instance: { clientAddress: 'unset' } },
  ),
  attempt(
    'gives callers a name by an API key',
    policy(`${target()}, authentication: {methods: [{name: k, apiKey: {}}]}, ${OPEN}`) + consumer,
    { path: '/known', headers: { 'x-api-key': 'acme-key' } },
  ),
  attempt(
    'calls a limit as the platform does',
    plain(
      ', rateLimits: [{name: counted, stage: BeforeAuthentication, rates: [{requests: 1000, window: 1h, algorithm: FixedWindow}]}]',
    ),
    { path: '/counted/x' },
    counted,
  ),
  attempt(
    'puts a limit of that name into Audit',
    plain(
      ', rateLimits: [{name: counted, mode: Audit, stage: BeforeAuthentication, rates: [{requests: 1000, window: 1h, algorithm: FixedWindow}]}]',
    ),
    { path: '/counted/x' },
    counted,
  ),
  attempt(
    'counts what is refused not',
    audited(
      ', rateLimits: [{name: a, stage: BeforeAuthentication, countDenied: false, cost: {expression: "0"}, rates: [{requests: 1000, window: 1h}]}]',
    ),
    { path: '/counted/x' },
    counted,
  ),
  attempt('puts it into Audit to escape a limit', audited(), { path: '/counted/x' }, counted),
  attempt(
    'breaks it to escape a limit',
    audited(`, ${BROKEN}`),
    { path: '/counted/x' },
    { ...counted, ...NEVER_ACCEPTED },
  ),
  attempt(
    'uses up what a check may cost before an override is asked',
    audited(
      ", authentication: {anonymous: {}}, rateLimits: [{name: a, stage: BeforeAuthentication, key: [{expression: \"request.headerValues['x-n'].all(a, request.headerValues['x-n'].all(b, request.headerValues['x-n'].all(c, a + b != c)))\"}], rates: [{requests: 1, window: 1h}]}]",
    ),
    { path: '/EXPORT', headers: { 'x-n': Array.from({ length: 200 }, (_, i) => `n${i}`) } },
    { becomes: 'expression_error' },
  ),
  attempt(
    'says by a context extension that it is TLS, or which policy governs',
    plain(),
    { path: '/admin/x', context: { 'postern.dev/policy': 'evil/api', 'postern.dev/transport': 'tls' } },
    { instance: { trustContextExtensions: true } },
  ),
  attempt(
    'forges the last good spec in the status',
    policy(`${target()}, ${BROKEN}`),
    { path: '/admin/x' },
    {
      recorded: { generation: 1, spec: { target: { hosts: [HOST] }, mode: 'Audit' } },
    },
  ),
  attempt(
    'forges one that lets all in',
    policy(`${target()}, ${BROKEN}`),
    { path: '/private' },
    {
      ...unknown,
      recorded: {
        generation: 1,
        spec: {
          target: { hosts: [HOST] },
          authentication: { anonymous: {} },
          authorization: { rules: [{ name: 'a', allow: { any: {} } }] },
        },
      },
    },
  ),
  attempt(
    'names the policy as the baseline',
    policy(
      `${target()}, authentication: {anonymous: {}}, authorization: {rules: [{name: admin, allow: {any: {}}}]}`,
      'platform',
    ),
    { path: '/admin/x' },
  ),
  attempt(
    'takes the host by a second policy in Audit that was never accepted',
    `${plain()}---${policy(`mode: Audit, target: {hosts: [${HOST}], paths: ["/admin/x"]}, ${BROKEN}`, 'other')}`,
    { path: '/admin/x' },
    NEVER_ACCEPTED,
  ),
];
