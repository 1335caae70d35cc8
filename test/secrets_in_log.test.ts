import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decisionRecord } from '../internal/telemetry/decision-record.ts';
import { attributesOf, type CaseRequest, load } from './cases/run-case.ts';

const KEY = 'pk_live_9c1f2e77a0b44d5fSECRET';
const ODD_KEY = 'p k_live#/9c1f2e77a0b44d5fSECRET';
const loaded = await load(`
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  public: [{name: open, methods: [GET], paths: ["/open/**"]}]
  authentication:
    methods:
      - {name: keys, apiKey: {from: [{header: x-key}, {authorizationScheme: ApiKey}, {query: k}, {cookie: session}]}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: discreet, namespace: shop}
spec:
  target: {hosts: [discreet.test]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: never, deny: {any: {}}}]}
  auditLog:
    redact: [{header: {name: x-session}}, {header: {name: x-request-id}}, {header: {name: traceparent}}, {body: {pointer: /card}}]
`);

/** The line of a decision, in which a carrier's own value must not stand. */
async function lineOf(request: CaseRequest): Promise<string> {
  const attributes = attributesOf(request, loaded.clock);
  const checked = await loaded.check(request);
  return JSON.stringify(decisionRecord(checked, { attributes, traceId: undefined, durationMs: 1 }));
}

const HELD: Readonly<Record<string, CaseRequest>> = {
  'a header': { headers: { 'x-key': KEY } },
  'a scheme of Authorization': { headers: { authorization: `ApiKey ${KEY}` } },
  'a cookie': { headers: { cookie: `a=1; session=${KEY}` } },
  'a parameter': { path: `?k=${KEY}` },
  'a header sent twice': { headers: { 'x-key': [KEY, 'other'] } },
  'a header that Envoy joined': { headers: { 'x-key': `${KEY},other` }, joined: true },
  'two carriers at once': { headers: { 'x-key': 'another key', authorization: `ApiKey ${KEY}` } },
  'a parameter sent twice': { path: `?k=${KEY}&k=${KEY}` },
};

describe('the record of a decision', () => {
  for (const [held, request] of Object.entries(HELD)) {
    for (const [elsewhere, path] of [
      ['in the path', `/a/${KEY}`],
      ['in the path of a public route', `/open/${KEY}`],
      ['in a path that is malformed', `/a//${KEY}`],
      ['encoded in the path', `/a/${KEY.replace('_', '%5F')}`],
      ['encoded in a path that is malformed', `/a//${KEY.replace('_', '%5f')}`],
    ] as const) {
      it(`shows no key of ${held} that also stands ${elsewhere}`, async () => {
        const headers = { 'x-api-key': KEY, ...request.headers };
        // Where the path is malformed no policy is known: names tell what holds a secret.
        const given = path.includes('//') ? headers : (request.headers ?? {});
        const line = await lineOf({ ...request, headers: given, path: `${path}${request.path ?? ''}` });
        assert.ok(!line.includes('SECRET'), line);
      });
    }

    it(`shows no key of ${held} that is sent as x-request-id too`, async () => {
      const headers = { ...request.headers, 'x-request-id': KEY };
      const line = await lineOf({ ...request, headers, path: `/a${request.path ?? ''}` });
      assert.ok(!line.includes('SECRET'), line);
    });
  }

  for (const path of [
    `/a?${KEY}`,
    `/a&k=${KEY}`,
    `/a%3Fk=${KEY}`,
    `/a%3Fk=${KEY}%zz`,
    `/a;k=${KEY}`,
    `/a%26k=${KEY}`,
  ]) {
    it(`shows no key that stands where it should not: ${path.replace(KEY, '…')}`, async () => {
      const line = await lineOf({ path });
      assert.ok(!line.includes('SECRET'), line);
    });
  }

  it('shows no key of characters that a path encodes', async () => {
    for (const path of [`/a/${encodeURIComponent(ODD_KEY)}`, `/a/${encodeURI(ODD_KEY.replace('#', '%23'))}`]) {
      const line = await lineOf({ path, headers: { 'x-key': ODD_KEY } });
      assert.ok(!line.includes('SECRET'), line);
    }
  });

  it('shows the path to whoever has nothing to hide', async () => {
    const record = JSON.parse(await lineOf({ path: '/v1/a%20b?page=2', headers: { 'x-key': KEY } })) as object;
    const { path, query } = record as { path?: string; query?: string[] };
    assert.deepEqual([path, query], ['/v1/a%20b', ['page']]);
  });

  it("lets no client blot out who it was found to be by sending that in another policy's carrier", async () => {
    const line = await lineOf({ path: '/open/x', headers: { 'x-key': 'anonymous' } });
    assert.match(line, /"identity.kind":"anonymous"/);
  });
});

describe('the record of a decision by a policy with auditLog.redact', () => {
  const TRACE = '0af7651916cd43dd8448eb211c80319c';
  const headers = {
    'x-session': `${KEY}, other-session`,
    'x-request-id': 'id7',
    traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
  };

  it('shows no value of a header that it names, wherever else that stands', async () => {
    for (const path of [`/a/${KEY}`, `/other-session?${KEY}=1`]) {
      const line = await lineOf({ host: 'discreet.test', path, headers });
      assert.ok(!/SECRET|other-session/.test(line), line);
      assert.match(line, /"reason":"denied_by_rule"/);
    }
  });

  it('shows neither the id nor the trace that the request came with', async () => {
    const line = await lineOf({ host: 'discreet.test', headers });
    assert.match(line, /"trace_id":"\[redacted\]".*"x_request_id":"\[redacted\]"/);
    assert.ok(!line.includes('id7') && !line.includes(TRACE), line);
  });

  it('shows both where the policy names no header', async () => {
    const line = await lineOf({ headers });
    assert.ok(line.includes('"id7"') && line.includes(TRACE), line);
  });

  it('shows no body', async () => {
    const line = await lineOf({ host: 'discreet.test', method: 'POST', body: '{"card":"4111"}', bodyMark: 'false' });
    assert.ok(!line.includes('4111'), line);
  });
});
