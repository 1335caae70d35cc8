import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import {
  type Answer,
  envoyBinary,
  type Front,
  send,
  startEnvoyInFront,
  startTestAgent,
  type TestAgent,
} from './harness.ts';

const found = await envoyBinary();
const path = 'path' in found ? found.path : '';

describe('an Envoy that fails open', { skip: skipWithout(found) }, () => {
  let issuer: Server;
  let url = '';
  let agent: TestAgent;
  let front: Front;
  const sockets = new Set<Socket>();
  const tokenOf = (claims: object, kid = 'k'): string =>
    [{ alg: 'RS256', typ: 'JWT', kid }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .concat(Buffer.alloc(256, 1).toString('base64url'))
      .join('.');

  before(async () => {
    // It accepts and never answers.
    issuer = createServer((socket) => void sockets.add(socket));
    await once(issuer.listen(0, '127.0.0.1'), 'listening');
    const address = issuer.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    agent = await startTestAgent(`
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: tokens}
spec:
  target: {hosts: [api.example.org]}
  authentication:
    anonymous: {}
    methods:
      - {name: hangs, jwt: {issuer: "${url}", audiences: [a]}}
      - {name: gone, jwt: {issuer: "http://127.0.0.1:1", audiences: [a]}}
  authorization:
    rules:
      - {name: all, allow: {any: {}}}
      - {name: errs, deny: {paths: [/errs], when: [{expression: "int(request.headers['x-number']) > 3"}]}}
  response: {upstreamHeaders: [{name: x-echo, value: {expression: "request.query['echo']"}}]}
`);
    await agent.ready;
    front = await startEnvoyInFront({
      path,
      extAuthzPort: Number(agent.grpcAddress.split(':').at(-1)),
      failureModeAllow: true,
      // Longer than the agent's own patience by more than a busy machine takes.
      timeoutMs: 1500,
    });
    // The first check of a process takes longest; what is measured here is not that.
    await send(front.port, '/');
  });
  after(async () => {
    await front?.stop();
    await agent?.stop();
    for (const socket of sockets) socket.destroy();
    issuer?.close();
  });

  const errors = (): Promise<number> => front.envoy.stat('cluster.upstream.ext_authz.error');

  it('lets nobody through while the issuer of tokens hangs: the agent answers before Envoy gives up', async () => {
    const reached = front.upstream.count();
    const tokens = Array.from({ length: 40 }, (_, i) => tokenOf({ iss: url, aud: 'a', exp: 4e9, jti: i }));
    const ask = (token: string): Promise<Answer> => send(front.port, '/', [`Authorization: Bearer ${token}`]);
    const answers = await Promise.all(tokens.map(ask));
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, Number(headers['retry-after']) >= 1]),
      Array(40).fill([503, true]),
    );
    assert.deepEqual([front.upstream.count() - reached, await errors()], [0, 0]);
  });

  const provocations: Readonly<Record<string, readonly [target: string, headers: readonly string[], status: number]>> =
    {
      'an issuer that is gone': [
        '/',
        [`Authorization: Bearer ${tokenOf({ iss: 'http://127.0.0.1:1', aud: 'a', exp: 4e9 })}`],
        503,
      ],
      'an expression that errs': ['/errs', ['X-Number: many'], 403],
      'an answer that no header can hold': ['/?echo=a%0d%0ax-admin:%201', [], 403],
      'an answer that is too long': [`/?echo=${'a'.repeat(9000)}`, [], 403],
      'a path with two readings': ['/a%2fb', [], 400],
      'a query that cannot be read': ['/?a=%ff', [], 400],
      'two hosts': ['/', ['Host: api.example.org', 'Host: evil.test'], 400],
      'ninety headers of a long name': [
        '/errs',
        Array.from({ length: 90 }, (_, i) => `${'x'.repeat(200)}${i}: 1`),
        403,
      ],
    };
  for (const [what, [target, headers, status]] of Object.entries(provocations)) {
    it(`is left nothing to decide by ${what}`, async () => {
      const reached = front.upstream.count();
      const answer = await send(front.port, target, headers);
      assert.deepEqual([answer.status, front.upstream.count() - reached, await errors()], [status, 0, 0]);
    });
  }
});
