import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { problemDocument } from '../internal/extauthz/problem-document.ts';
import { decisionRecord } from '../internal/telemetry/decision-record.ts';
import { type CaseRequest, load } from './cases/run-case.ts';

const SECRET = 'hunter2';
const PART = Buffer.from(JSON.stringify({ iss: `https://${SECRET}.example.org`, sub: SECRET })).toString('base64url');
const OBJECTS = `apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: why, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  authentication:
    methods:
      - {name: keys, apiKey: {from: [{header: x-api-key}, {query: key}]}}
      - {name: sso, jwt: {issuer: "https://sso.example.org", audiences: [orders], jwks: {inline: '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"wE8Wyvf-SqUvFzE5qs56uXi9RP3_Luj8gzkePBHvLjs","kid":"k1"}]}'}}}
  authorization:
    rules:
      - {name: of-role, allow: {roles: [nobody], methods: [GET, POST]}}
      - {name: of-group, allow: {groups: [nobody], via: [keys]}}
      - {name: of-query, allow: {paths: ["/own/{id}"], when: [{expression: "request.query.a == request.params.id + 'x'"}]}}
      - {name: of-body, allow: {paths: [/body], when: [{expression: "int(request.body.n) > 1"}]}}
      - {name: of-name, allow: {paths: [/name], when: [{expression: "request.headers[string(request.query.a)] == 'x'"}]}}
      - {name: of-time, allow: {paths: [/time], when: [{expression: "timestamp(request.query.a) < request.time"}]}}
      - {name: never, deny: {paths: [/never], when: [{expression: "request.query.a != 'x'", message: it is never open}]}}
      - {name: of-cookie, deny: {paths: [/cookie], when: [{expression: "double(request.headers.cookie) > 1.0"}]}}
  rateLimits:
    - {name: keyed, stage: BeforeAuthentication, key: [{expression: "request.path == '/limit' ? string(int(request.query.a)) : 'x'"}], rates: [{requests: 1000, window: 1h}]}
    - {name: costly, stage: BeforeAuthentication, cost: {expression: "request.path == '/cost' ? size(request.query.a) * 1000 : 1"}, rates: [{requests: 1000, window: 1h}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme, namespace: shop}
spec: {keys: [{name: k, sha256: afacab3575137afa4e00d9cbcafcb14c9ae25f779d964eb0ea5b2c4eb5dfd163}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIRole
metadata: {name: nobody, namespace: shop}
spec: {}
`;

/** Every request holds the secret wherever it can; these differ in what refuses it. */
const REFUSED: Readonly<Record<string, CaseRequest>> = {
  'not_allowed by role, group and query': { path: `/own/${SECRET}?a=${SECRET}` },
  'not_allowed by method': { method: 'DELETE', path: `/own/${SECRET}?a=${SECRET}` },
  'expression_error of a body': { method: 'POST', path: '/body', body: `{"n": "${SECRET}"}`, bodyMark: 'false' },
  'expression_error of a header that the request names': { path: `/name?a=X-${SECRET}` },
  'expression_error of a time': { path: `/time?a=${SECRET}` },
  'denied_by_rule by message': { path: `/never?a=${SECRET}` },
  'expression_error of a deny': { path: `/cookie?a=${SECRET}`, headers: { cookie: `session=${SECRET}` } },
  "expression_error of a limit's key": { path: `/limit?a=${SECRET}` },
  "expression_error of a limit's cost": { path: `/cost?a=${SECRET}` },
  'credential_missing of nothing': { path: `/x?a=${SECRET}`, headers: { 'x-api-key': '' } },
  'credential_unknown of a key': { path: '/x', headers: { 'x-api-key': SECRET } },
  'ambiguous_credentials of two keys': { path: `/x?key=${SECRET}`, headers: { 'x-api-key': SECRET } },
  'credential_unknown of a token': { headers: { 'x-api-key': '', authorization: `Bearer ${PART}.${PART}.${PART}` } },
  'token_malformed of a word': { headers: { 'x-api-key': '', authorization: `Bearer ${SECRET}` } },
};

describe('the cause of a refusal', async () => {
  const loaded = await load(OBJECTS);
  for (const [name, request] of Object.entries(REFUSED)) {
    it(`${name} is told to operators, without what was sent, and not to clients`, async () => {
      const headers = { 'x-api-key': 'acme-key', 'x-other': SECRET, [`x-${SECRET}`]: SECRET, ...request.headers };
      const { decision, ...checked } = await loaded.check({ ...request, headers });
      assert.equal(decision.reason, name.split(' ', 1)[0]);
      const cause = decision.refusal?.cause ?? '';
      assert.ok(cause !== '' && cause.length <= 512, cause);
      for (const sent of [SECRET, 'acme-key', PART]) assert.ok(!cause.includes(sent), `${sent}: ${cause}`);
      const seen = { attributes: undefined, traceId: undefined, durationMs: 0 };
      assert.equal(decisionRecord({ decision, ...checked }, seen).cause, cause);
      assert.ok(!problemDocument(decision).includes(cause.slice(0, 12)), 'no client reads it');
    });
  }
});
