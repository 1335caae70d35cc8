import { hash } from 'node:crypto';
import { send } from '../envoy/harness.ts';

/** Keys and tokens that the requests carry, and issuers of tokens that nobody can verify. */
export interface Credentials {
  readonly issuer: string;
  readonly goodToken: string;
  readonly poorToken: string;
  /** An issuer that takes requests and never answers one. */
  readonly hangingIssuer: string;
}

const KEY = 'a-key-of-the-dashboards-0123456789';
const NOBODY = 'http://127.0.0.1:9/nobody';
export const SCOPE = 'orders:read';
export const AUDIENCE = 'https://orders.example.org';

const policy = (name: string, spec: string): string =>
  `apiVersion: postern.dev/v1alpha1\nkind: APIPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {target: {hosts: [${name}.example.org]}, ${spec}}\n---\n`;
const jwt = (issuer: string): string =>
  `authentication: {methods: [{name: sso, jwt: {issuer: "${issuer}", audiences: ["${AUDIENCE}"]}}]}`;
const ALL = 'authorization: {rules: [{name: all, allow: {any: {}}}]}';
const KEYS = 'authentication: {methods: [{name: keys, apiKey: {}}]}';

/** Policies that can allow, and refuse in every phase; one is wrong, one in Audit. */
export const KEY_POLICIES: string = [
  policy(
    'keys',
    `${KEYS}, public: [{name: health, methods: [GET], paths: [/healthz]}], authorization: {rules: [
        {name: reads, allow: {methods: [GET]}}, {name: inner, deny: {paths: [/inner]}},
        {name: odd, deny: {paths: [/odd], when: [{expression: "int(request.headers['x-number']) > 1"}]}}]}`,
  ),
  policy(
    'limited',
    `authentication: {anonymous: {}}, ${ALL}, rateLimits: [{name: each, stage: BeforeAuthentication,
        key: [{expression: client.network}], rates: [{requests: 1, window: 1h}]}]`,
  ),
  policy(
    'trial',
    'mode: Audit, authentication: {anonymous: {}}, authorization: {rules: [{name: none, deny: {any: {}}}]}',
  ),
  policy('secure', `transport: {requireTLS: true}, ${KEYS}, ${ALL}`),
  policy('small', `authentication: {anonymous: {}}, ${ALL}, validation: {limits: {url: "8"}}`),
  policy('wrong', 'authorization: {rules: [{name: x, allow: {when: [{expression: "1 +"}]}}]}'),
  `apiVersion: postern.dev/v1alpha1\nkind: APIConsumer\nmetadata: {name: acme, namespace: shop}\nspec: {keys: [{name: k, sha256: ${hash('sha256', KEY, 'hex')}}]}\n`,
].join('');

/** Policies for tokens; the issuers of two of them fail. */
export const tokenPolicies = ({ issuer, hangingIssuer }: Credentials): string =>
  [
    policy('tokens', `${jwt(issuer)}, authorization: {rules: [{name: readers, allow: {scopes: ['${SCOPE}']}}]}`),
    policy('away', `${jwt(NOBODY)}, ${ALL}`),
    policy('hangs', `${jwt(hangingIssuer)}, ${ALL}`),
  ].join('');

const bearer = (token: string): string => `Authorization: Bearer ${token}`;

/** A token that claims an issuer and that nobody signed. */
function unsigned(issuer: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', kid: 'k' })}.${part({ iss: issuer, aud: AUDIENCE, exp: 4_000_000_000 })}.AAAA`;
}

/** A request: the reason that it ends with, the first label of its host, its path, method and headers. */
type Asked = readonly [reason: string, host: string, path: string, headers: readonly string[], method?: string];

const key = `x-api-key: ${KEY}`;
const KEY_REQUESTS: readonly Asked[] = [
  ['allowed', 'keys', '/v1', [key]],
  ['allowed', 'trial', '/', []],
  ['public', 'keys', '/healthz', []],
  ['malformed_path', 'keys', '/a%00b', [key]],
  ['malformed_query', 'keys', '/v1?a=%00', [key]],
  ['no_route', 'nobody', '/', []],
  ['tls_required', 'secure', '/', []],
  ['credential_missing', 'keys', '/v1', []],
  ['credential_unknown', 'keys', '/v1', ['x-api-key: wrong']],
  ['not_allowed', 'keys', '/v1', [key], 'DELETE'],
  ['denied_by_rule', 'keys', '/inner', [key]],
  ['expression_error', 'keys', '/odd', [key, 'x-number: many']],
  ['url_too_long', 'small', '/too-long', []],
  ['rate_limited', 'limited', '/', []],
  ['rate_limited', 'limited', '/', []],
];
const tokenRequests = ({ goodToken, poorToken, hangingIssuer }: Credentials): readonly Asked[] => [
  ['allowed', 'tokens', '/', [bearer(goodToken)]],
  ['token_malformed', 'tokens', '/', [bearer('a.b.c')]],
  ['token_invalid', 'tokens', '/', [bearer(`${goodToken.slice(0, -8)}AAAAAAAA`)]],
  ['insufficient_scope', 'tokens', '/', [bearer(poorToken)]],
  ['issuer_unavailable', 'away', '/', [bearer(unsigned(NOBODY))]],
  ['deadline', 'hangs', '/', [bearer(unsigned(hangingIssuer))]],
];

/** Requests with keys, and with tokens where there are any. */
const requestsOf = (credentials?: Credentials): readonly Asked[] =>
  credentials === undefined ? KEY_REQUESTS : [...KEY_REQUESTS, ...tokenRequests(credentials)];

/** Reasons that the traffic brings about, in the order of the alphabet. */
export const watchedReasons = (credentials: Credentials): readonly string[] =>
  [...new Set(requestsOf(credentials).map(([reason]) => reason))].sort();

/** Sends each of the requests once, through Envoy; those with tokens where some are given. */
export async function sendRound(port: number, credentials?: Credentials): Promise<void> {
  await Promise.all(
    requestsOf(credentials).map(([, host, path, headers, method]) =>
      send(port, path, [`Host: ${host}.example.org`, ...headers], method),
    ),
  );
}
