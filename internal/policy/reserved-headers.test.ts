import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from '../../test/cases/run-case.ts';

const policy = (name: string): string => `apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: p, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
  response: {upstreamHeaders: [{name: ${name}, value: {expression: "request.headers['x-u']"}}]}
`;

/** What is said of a policy that sets the header, and what becomes of a request that gives its value. */
async function setting(name: string) {
  const agent = await load(policy(name));
  const { decision } = await agent.check({ path: '/x', headers: { 'x-u': '/internal' } });
  const [report] = agent.newest().reports;
  return [decision.outcome, ...(report?.problems ?? []).map(({ path, message }) => `${path}: ${message}`)];
}

describe('response.upstreamHeaders', () => {
  for (const name of [
    'x-http-method-override',
    'x-http-method',
    'x_method_override',
    'x-original-url',
    'x_rewrite.url',
  ]) {
    it(`gives no client a way to name another method or path by ${name}`, async () => {
      assert.deepEqual(await setting(name), [
        'deny',
        `spec.response.upstreamHeaders[0].name: Upstreams take "${name}" for another method or path than was decided on: set another name; response.keepHeaders keeps the client's own`,
      ]);
    });
  }

  for (const name of [
    'x-forwarded-for',
    'x_forwarded_host',
    'forwarded',
    'via',
    'x-real-ip',
    'sec-fetch-site',
    'grpc-timeout',
    'x_envoy_retry_on',
    'content_length',
    'x-original-host',
    'expect',
    'proxy-connection',
    'trailers',
  ]) {
    it(`leaves ${name} to those that write it`, async () => {
      assert.deepEqual(await setting(name), [
        'deny',
        `spec.response.upstreamHeaders[0].name: "${name}" is not a policy's to set: use a name of your own`,
      ]);
    });
  }

  it('sets names of its own, also ones that begin alike', async () => {
    for (const name of ['x-caller', 'x-forward', 'second', 'viable', 'x-original-urls'])
      assert.deepEqual(await setting(name), ['allow']);
  });
});
