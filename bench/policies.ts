import { generateKeyPairSync, hash } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import { encodeCheck } from '../test/door/client.ts';
import { BENCH_ID } from './bench-id.ts';

export const API_KEY = 'a-key-for-measuring-0123456789';

/** More than any run takes, in a window so long that next to nothing comes back meanwhile. */
export const LIMIT = 1_000_000_000;

const RULES = `
  authorization:
    rules:
      - {name: readers, allow: {roles: [reader], when: [{expression: "request.method == 'GET' && request.path.startsWith('/v1/')"}]}}
  rateLimits: [{name: many, stage: AfterAuthentication, key: [{expression: identity.id}], rates: [{requests: ${LIMIT}, window: 8784h}]}]
`;

const SHARED = `
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme}
spec: {groups: [partners], keys: [{name: k, sha256: ${hash('sha256', API_KEY, 'hex')}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIRole
metadata: {name: reader}
spec: {permissions: [{name: read, allPolicies: {}, methods: [GET], paths: ["/v1/**"]}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIRoleBinding
metadata: {name: readers}
spec: {roleRef: {name: reader}, subjects: [{consumerGroup: {name: partners}}, {claim: {issuer: "https://issuer.example.org", path: [role], value: reader}}]}
`;

export const policyFor = (index: number, authentication: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: p${index}}
spec:
  target: {hosts: [h${index}.example.org]}
  authentication: {methods: [${authentication}]}
${RULES}`;

export const KEYS = '{name: keys, apiKey: {}}';

export const apiKeyPolicies = (count: number): string =>
  Array.from({ length: count }, (_, index) => policyFor(index, KEYS)).join('---') + SHARED;

/** Makes the token some 750 characters long. */
const PADDING = 300;

/**
 * A policy that takes tokens of an issuer whose keys stand in it, and such a token.
 *
 * @param index   of its host; the roles that all share come with host 0
 * @param padding characters of a claim that nobody reads
 */
export async function jwtPolicies(
  index = 0,
  padding = PADDING,
): Promise<{ readonly yaml: string; readonly token: string }> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] });
  const token = await new SignJWT({ role: 'reader', scope: 'orders:read orders:write', org: 'x'.repeat(padding) })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })
    .setIssuer('https://issuer.example.org')
    .setAudience('orders')
    .setSubject('user-1')
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(privateKey);
  const method = `{name: sso, jwt: {issuer: "https://issuer.example.org", audiences: [orders], jwks: {inline: '${jwks}'}}}`;
  return { yaml: policyFor(index, method) + (index === 0 ? SHARED : ''), token };
}

/** Headers that Envoy and a browser put on every request. */
const COMMON = {
  ':authority': 'h0.example.org',
  ':method': 'GET',
  ':path': '/v1/orders/42',
  ':scheme': 'https',
  accept: 'application/json',
  'accept-encoding': 'gzip, br',
  'user-agent': 'client/1.0',
  'x-forwarded-proto': 'https',
  'x-request-id': '1cdef7a9-ad6d-4d1d-afdf-4a93a86c94a1',
};

/** A check as Envoy sends it; the load gives each that it sends an id of its own. */
export const message = (host: string, credential: Readonly<Record<string, string>>): Buffer =>
  encodeCheck({ id: BENCH_ID, host, path: '/v1/orders/42', headers: { ...COMMON, ...credential } });
