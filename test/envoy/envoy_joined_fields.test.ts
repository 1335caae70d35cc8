import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import { envoyBinary, type Front, send, startFront, startTestAgent, type TestAgent } from './harness.ts';

/** Fields that Envoy joins whatever form it sends, and one that it keeps apart where it sends lines. */
const FIELDS = [
  'access-control-request-method',
  'content-type',
  'grpc-timeout',
  'origin',
  'referer',
  'x-client-trace-id',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
  'x-role',
];
const POLICIES = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api}
spec:
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization:
    rules:
    - {name: all, allow: {any: {}}}
${FIELDS.map((name) => `    - {name: not-${name}, deny: {when: [{expression: "request.headers['${name}'] == 'evil'"}]}}`).join('\n')}
`;

const found = await envoyBinary();

for (const rawHeaders of [false, true]) {
  describe(`a deny on a header behind an Envoy that sends ${rawHeaders ? 'header_map' : 'headers'}`, {
    skip: skipWithout(found),
  }, () => {
    let agent: TestAgent;
    let front: Front;
    before(async () => {
      agent = await startTestAgent(POLICIES);
      await agent.ready;
      front = await startFront('path' in found ? found.path : '', agent.grpcAddress, { rawHeaders });
    });
    after(async () => {
      await front?.stop();
      await agent?.stop();
    });

    for (const name of FIELDS) {
      it(`is not evaded by sending ${name} twice`, async () => {
        const status = async (...values: string[]): Promise<number> =>
          (
            await send(
              front.port,
              '/',
              values.map((value) => `${name}: ${value}`),
            )
          ).status;
        assert.deepEqual(
          [await status('good'), await status('evil'), await status('evil', 'good'), await status('good', 'evil')],
          [200, 403, 403, 403],
        );
      });
    }
  });
}
