import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { requireComponent } from '../components/cache.ts';
import { envoyBinary, type Front, send, startFront, startTestAgent, type TestAgent } from './harness.ts';

const POLICIES = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api}
spec:
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization:
    rules:
      - {name: public, allow: {paths: ["/public/**", "/"]}}
      - {name: no-admin, deny: {paths: ["/admin/**"]}}
`;

/** Spellings that some upstream takes for /admin: none may reach it, whatever Envoy makes of them first. */
const SPELLINGS = [
  '/admin',
  '/admin/',
  '/admin/people',
  '/ADMIN',
  '/%61dmin',
  '/admin%2fpeople',
  '/%2fadmin',
  '//admin',
  '///admin',
  '/./admin',
  '/public/../admin',
  '/public/%2e%2e/admin',
  '/public/..%2fadmin',
  '/public/..%5cadmin',
  '/public%2f..%2fadmin',
  '/public/%2E%2e%2Fadmin',
  '/public/..;/admin',
  '/public/%2e%2e;/admin',
  '/public/%2e%2e;x/admin',
  '/admin;a=b',
  '/admin;x=y/z',
  '/;/admin',
  '/public/%252e%252e/admin',
  '/public/..%c0%afadmin',
  '/public%ef%bc%8f..%ef%bc%8fadmin',
  '/public/%u002e%u002e/admin',
  '/admin%00',
  '/admin%23/public',
  '/admin?x=/public',
  '/admin?/public',
  '/public/.%2e/admin',
  '/a/b/../../admin',
  '/public\\..\\admin',
  '/admin#/public',
  '/%2561dmin',
  '/admin%20',
  '/admin.',
  'admin',
  '*',
];

const HEADERS = [
  'X-Forwarded-Uri: /public',
  'X-Original-URL: /public',
  'X-Rewrite-Url: /public',
  'X-Forwarded-Prefix: /public',
  'x-envoy-original-path: /public',
  'X-HTTP-Method-Override: GET',
];

for (const paths of ['off', 'on', 'strict'] as const) {
  describe(`Envoy with path normalisation ${paths}`, async () => {
    const found = await envoyBinary();
    let agent: TestAgent;
    let front: Front;
    before(async () => {
      if (!('path' in found)) return;
      agent = await startTestAgent(POLICIES);
      await agent.ready;
      front = await startFront(found.path, agent.grpcAddress, { paths });
    });
    after(async () => {
      await front?.stop();
      await agent?.stop();
    });

    it('lets public paths through', async (t) => {
      if (requireComponent(found, t) === undefined) return;
      for (const path of ['/public/x', '/public/', '/', '/public/a%20b', '/public/caf%C3%A9'])
        assert.equal((await send(front.port, path)).status, 200, path);
    });

    for (const spelling of SPELLINGS) {
      it(`never lets ${spelling} through`, async (t) => {
        if (requireComponent(found, t) === undefined) return;
        const reached = front.upstream.count();
        const { status } = await send(front.port, spelling);
        assert.ok(status >= 400 && status < 500, `it answered ${status}`);
        assert.equal(front.upstream.count(), reached);
      });
    }

    for (const header of HEADERS) {
      it(`is not moved by ${header}`, async (t) => {
        if (requireComponent(found, t) === undefined) return;
        assert.equal((await send(front.port, '/admin', [header])).status, 403);
      });
    }

    it('refuses authorities that name no one host', async (t) => {
      if (requireComponent(found, t) === undefined) return;
      const statuses = async (...hosts: string[]): Promise<number> =>
        (await send(front.port, '/public/x', hosts)).status;
      assert.equal(await statuses('Host: API.example.org.:80'), 200);
      assert.equal(await statuses('Host: api.example.org', 'Host: evil.test'), 400);
      assert.equal(await statuses('Host: '), 400);
      assert.equal(await statuses('Host: evil.test'), 404);
      assert.equal((await send(front.port, 'http://evil.test/public/x')).status, 404);
    });
  });
}
