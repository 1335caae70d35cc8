import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SeenRequest } from '../../internal/envoy/echo-upstream.ts';
import { skipWithout } from '../components/cache.ts';
import {
  type Answer,
  envoyBinary,
  type Front,
  openHttp2,
  send,
  startFront,
  startTestAgent,
  type TestAgent,
} from './harness.ts';

const KEY = 'a-key-of-the-edits-0123456789';
const POLICIES = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: edits}
spec:
  target: {hosts: [api.example.org]}
  public: [{name: open, methods: [GET], paths: [/open/**]}]
  authentication:
    anonymous: {}
    methods: [{name: keys, apiKey: {from: [{header: x-api-key}, {authorizationScheme: ApiKey}, {query: api_key}, {cookie: key}]}}]
  authorization: {rules: [{name: all, allow: {any: {}}}, {name: closed, deny: {paths: [/closed]}}]}
  response:
    upstreamHeaders:
      - {name: x-auth-user, value: {expression: identity.subject}}
      - {name: x-via, value: {expression: "'postern'"}, action: Append}
      - {name: x-tenant, value: {expression: "'default'"}, action: AddIfAbsent}
      - {name: x-empty, value: {expression: "''"}}
      - {name: x_legacy_user, value: {expression: identity.subject}}
      - {name: x-kind, value: {expression: identity.kind}, action: AddIfAbsent}
      - {name: x-user-path, value: {expression: request.path}, action: Append}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: plain}
spec:
  target: {hosts: [api.example.org], paths: [/plain/**]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: limited}
spec:
  target: {hosts: [limited.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
  rateLimits: [{name: one, stage: BeforeAuthentication, key: [{expression: "'all'"}], rates: [{requests: 1, window: 1h}]}]
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme}
spec: {keys: [{name: k, sha256: ${hash('sha256', KEY, 'hex')}}]}
`;
/** Every spelling that some upstream folds to the variable HTTP_X_AUTH_USER. */
const SPOOFED = [
  'X-Auth-User',
  'x-auth-user',
  'X_Auth_User',
  'x_auth-user',
  'X.Auth.User',
  'x-auth_user',
  'X-AUTH.USER',
];
const ACCESS = ['reason', 'policy', 'decision_id'].map(
  (key) => `%DYNAMIC_METADATA(envoy.filters.http.ext_authz:${key})%`,
);

const found = await envoyBinary();

for (const rawHeaders of [false, true]) {
  describe(`a real Envoy that sends ${rawHeaders ? 'header_map' : 'headers'}`, { skip: skipWithout(found) }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-access-'));
    const accessFile = join(folder, 'access.log');
    let agent: TestAgent;
    let front: Front;
    before(async () => {
      agent = await startTestAgent(POLICIES);
      await agent.ready;
      front = await startFront('path' in found ? found.path : '', agent.grpcAddress, {
        rawHeaders,
        managerFields: { access_log: [accessLog(accessFile)] },
      });
    });
    after(async () => {
      await front?.stop();
      await agent?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    /** What the upstream saw of a request that was let through. */
    async function seen(target: string, headers: readonly string[] = []): Promise<SeenRequest> {
      const { status } = await send(front.port, target, headers);
      assert.equal(status, 200);
      return front.upstream.seen.at(-1) ?? assert.fail('nothing reached the upstream');
    }
    const lines = ({ rawHeaders: raw }: SeenRequest, pattern: RegExp): string[] =>
      raw.flatMap((name, i) => (i % 2 === 0 && pattern.test(name) ? [`${name}: ${raw[i + 1]}`] : []));
    const IDENTITY = /^x.auth.user$/i;

    for (const [who, target, headers, expected] of [
      ['a known caller', '/', [`X-Api-Key: ${KEY}`], ['x-auth-user: acme']],
      ['an anonymous one', '/', [], []],
      ['one on a public route', '/open/x', [`X-Api-Key: ${KEY}`], []],
    ] as const) {
      it(`says who is ${who}, whatever the client says in any spelling`, async () => {
        const spoofs = SPOOFED.map((name) => `${name}: admin`);
        for (const sent of [...spoofs.map((spoof) => [spoof]), spoofs, ['X-Auth-User: admin', 'X-Auth-User: root']])
          assert.deepEqual(lines(await seen(target, [...headers, ...sent]), IDENTITY), expected, sent.join());
      });
    }

    it('says nothing of a caller by a policy of the same host that sets no header, whatever the client says', async () => {
      const spoofs = [...SPOOFED, 'X_Legacy_User', 'X-Legacy-User'].map((name) => `${name}: admin`);
      for (const sent of [...spoofs.map((spoof) => [spoof]), spoofs])
        assert.deepEqual(lines(await seen('/plain/x', sent), /^x.(auth.user|legacy.user)$/i), [], sent.join());
    });

    it('sets, appends and adds as it was told, beside what the client sent', async () => {
      const plain = await seen('/');
      assert.deepEqual(
        [lines(plain, /^x-via$/i), lines(plain, /^x-tenant$/i), lines(plain, /^x-empty$/i)],
        [['x-via: postern'], ['x-tenant: default'], ['x-empty: ']],
      );
      const given = await seen('/', ['X-Via: proxy', 'X-Tenant: blue', 'X-Empty: full']);
      assert.equal(given.headers['x-via'], 'proxy,postern');
      assert.deepEqual([lines(given, /^x-tenant$/i), lines(given, /^x-empty$/i)], [['x-tenant: blue'], ['x-empty: ']]);
    });

    it('lets nothing that a client sends stand beside what tells of it, whatever the action', async () => {
      const { headers } = await seen('/a', ['X-Kind: jwt', 'X-User-Path: /b', `X-Api-Key: ${KEY}`]);
      assert.deepEqual([headers['x-kind'], headers['x-user-path']], ['apiKey', '/a']);
    });

    it('takes away the plain spelling of a name that the policy spells otherwise', async () => {
      const spoofs = ['X-Legacy-User: admin', 'X.Legacy.User: admin', 'X_Legacy_User: admin'];
      const known = await seen('/', [...spoofs, `X-Api-Key: ${KEY}`]);
      assert.deepEqual(lines(known, /^x.legacy.user$/i), ['x_legacy_user: acme']);
      assert.deepEqual(lines(await seen('/', spoofs), /^x.legacy.user$/i), []);
    });

    it('leaves commas in other cookies where they are', async () => {
      const { headers } = await seen('/', [`Cookie: prefs={"a":1,"admin":true}; key=${KEY}`]);
      assert.deepEqual([headers['x-auth-user'], headers.cookie], ['acme', 'prefs={"a":1,"admin":true}']);
    });

    it('takes away what upstreams take for another method or path', async () => {
      const sent = ['X-HTTP-Method-Override', 'X_HTTP_Method', 'X-Method.Override', 'X-Original-URL', 'X-Rewrite_Url'];
      const { rawHeaders: raw } = await seen(
        '/',
        sent.map((name) => `${name}: /closed`),
      );
      assert.deepEqual(
        raw.filter((text) => /override|x.http|original.url|rewrite|closed/i.test(text)),
        [],
      );
    });

    it('takes a credential out of each place it was sent in, and nothing else', async () => {
      const scheme = await seen('/', [`Authorization: APIKEY ${KEY}`]);
      assert.deepEqual([scheme.headers['x-auth-user'], scheme.headers.authorization], ['acme', undefined]);
      const other = await seen('/', ['Authorization: Basic YTpi', `X-Api-Key: ${KEY}`, 'X_Api_Key: other']);
      assert.deepEqual([other.headers.authorization, lines(other, /^x.api.key$/i)], ['Basic YTpi', []]);
      const cookie = await seen('/', [`Cookie: a=1; key=${KEY}; b="2"`]);
      assert.deepEqual([cookie.headers['x-auth-user'], cookie.headers.cookie], ['acme', 'a=1; b="2"']);
      assert.equal((await seen('/', [`Cookie: key=${KEY}`])).headers.cookie, undefined);
    });

    // Where Envoy takes one parameter out, it writes the others anew: sorted by name, each with "=".
    for (const [sent, expected] of [
      [`api_key=${KEY}`, ''],
      [`b=%26+b&api_key=${KEY}&c&d=2&d=1&%61=x%2Fy`, '?%61=x%2Fy&b=%26+b&c=&d=2&d=1'],
      [`%61pi_key=${KEY}&api_keys=1&a=api_key=2`, '?a=api_key=2&api_keys=1'],
    ] as const) {
      it(`sends the query ${sent.replace(KEY, '…')} on as ${expected || 'none'}`, async () => {
        const { url, headers } = await seen(`/q?${sent}`);
        assert.deepEqual([headers['x-auth-user'], url], ['acme', `/q${expected}`]);
      });
    }

    it('leaves a query without a credential as it is', async () => {
      for (const query of ['?b&a=%26+b&&c=&%61=1', '?', '?=', '?a==&b&api_ke']) {
        assert.equal((await seen(`/q${query}`)).url, `/q${query}`);
        assert.equal((await seen(`/q${query}`, [`X-Api-Key: ${KEY}`])).url, `/q${query}`);
      }
    });

    it('takes cookies and keys of HTTP/2 apart as those of HTTP/1.1', async (t) => {
      const client = await openHttp2(front.port);
      t.after(() => client.close());
      const { status } = await client.request({
        ':path': '/',
        cookie: ['a=1', `key=${KEY}`, 'b=2'],
        x_auth_user: 'admin',
      });
      const last = front.upstream.seen.at(-1);
      assert.deepEqual(
        [status, last?.headers['x-auth-user'], last?.headers.cookie, last?.headers.x_auth_user],
        [200, 'acme', 'a=1; b=2', undefined],
      );
    });

    it('gives allowed answers their headers as well, and refused ones nothing of the upstream', async () => {
      const ask = (): Promise<Answer> => send(front.port, '/', ['Host: limited.example.org']);
      const [allowed, refused] = [await ask(), await ask()];
      assert.deepEqual([allowed.status, refused.status], [200, 429]);
      for (const { fields } of [allowed, refused])
        assert.equal(fields.filter(([name]) => name === 'ratelimit-policy').length, 1);
      assert.deepEqual(
        refused.fields
          .map(([name]) => name)
          .filter((name) => !/^(date|server|connection)$/.test(name))
          .sort(),
        ['content-length', 'content-type', 'ratelimit', 'ratelimit-policy', 'retry-after', 'x-postern-decision-id'],
      );
    });

    it('names decision, policy and reason in the access log', async () => {
      const denied = await send(front.port, '/closed');
      await send(front.port, '/elsewhere', ['Host: unknown.test']);
      await send(front.port, '/open/x');
      await front.envoy.stop();
      const rows = readFileSync(accessFile, 'utf8').trim().split('\n').slice(-3);
      const id = denied.headers['x-postern-decision-id'] ?? '';
      assert.deepEqual(
        rows.map((row) => row.split(' ').slice(0, 2)),
        [
          ['denied_by_rule', 'default/edits'],
          ['no_route', 'none'],
          ['public', 'default/edits'],
        ],
      );
      assert.equal(rows[0]?.split(' ')[2], id);
    });
  });
}

const accessLog = (path: string): object => ({
  name: 'file',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
    path,
    log_format: { text_format_source: { inline_string: `${ACCESS.join(' ')}\n` } },
  },
});
