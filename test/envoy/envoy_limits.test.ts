import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import { type Answer, envoyBinary, type Front, send, startFront, startTestAgent, type TestAgent } from './harness.ts';
import { startLossyAgent } from './lossy-agent.ts';

const LIMIT = 100;
const CLIENTS = 400;
const ALGORITHMS = ['GCRA', 'SlidingWindow', 'FixedWindow'] as const;
const hostOf = (name: string): string => `${name.toLowerCase()}.example.org`;

const limited = (name: string, rateLimits: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: ${name.toLowerCase()}}
spec:
  target: {hosts: [${hostOf(name)}]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}, {name: closed, deny: {paths: [/closed]}}]}
  rateLimits: ${rateLimits}
---`;

const LIMITS = [
  ...ALGORITHMS.map((algorithm) =>
    limited(
      algorithm,
      `[{name: exact, stage: AfterAuthentication, key: [{expression: "'all'"}], rates: [{requests: ${LIMIT}, window: 1h, algorithm: ${algorithm}}]}]`,
    ),
  ),
  limited(
    'routes',
    '[{name: route, stage: BeforeAuthentication, key: [{expression: request.path}], rates: [{requests: 2, window: 1h}]}]',
  ),
  limited(
    'clients',
    '[{name: client, stage: BeforeAuthentication, key: [{expression: client.address}], rates: [{requests: 2, window: 1h}]}]',
  ),
  limited(
    'retries',
    `[{name: retried, stage: BeforeAuthentication, key: [{expression: "'all'"}], rates: [{requests: 10, window: 1h}]}]`,
  ),
  limited(
    'pairs',
    `[{name: few, stage: BeforeAuthentication, key: [{expression: "'all'"}], rates: [{requests: 2, window: 1h}]},
      {name: many, stage: BeforeAuthentication, key: [{expression: "'all'"}], rates: [{requests: 5, window: 1h}]}]`,
  ),
].join('');

const found = await envoyBinary();

describe('rate limits behind a real Envoy', { skip: skipWithout(found) }, () => {
  let agent: TestAgent;
  let front: Front;

  before(async () => {
    agent = await startTestAgent(LIMITS);
    await agent.ready;
    front = await startFront('path' in found ? found.path : '', agent.grpcAddress, { timeoutMs: 10_000 });
  });
  after(async () => {
    await front?.stop();
    await agent?.stop();
  });

  const remaining = ({ headers }: Answer): number => Number(/;r=(\d+)/.exec(headers.ratelimit ?? '')?.[1]);
  const ask = (name: string, target = '/', headers: readonly string[] = []): Promise<Answer> =>
    send(front.port, target, [`Host: ${hostOf(name)}`, ...headers]);

  for (const algorithm of ALGORITHMS) {
    it(`limit_exact: of ${CLIENTS} requests started together exactly ${LIMIT} reach the upstream (${algorithm})`, async () => {
      const before_ = front.upstream.count();
      const answers = await Promise.all(Array.from({ length: CLIENTS }, () => ask(algorithm)));
      assert.equal(front.upstream.count() - before_, LIMIT);
      assert.deepEqual(tally(answers), { 200: LIMIT, 429: CLIENTS - LIMIT });
    });

    it(`a refusal by ${algorithm} says when to come back, and which limit it was`, async () => {
      const { status, headers, body } = await ask(algorithm);
      const retryAfterS = Number(headers['retry-after']);
      assert.deepEqual(
        [status, headers['content-type'], headers['ratelimit-policy'], headers.ratelimit],
        [429, 'application/problem+json', `"exact";q=${LIMIT};w=3600`, `"exact";r=0;t=${retryAfterS}`],
      );
      // A sliding window forgets by sixteenths, rounded against the caller.
      assert.ok(retryAfterS >= 1 && retryAfterS <= 3600 + 3600 / 16, `Retry-After: ${retryAfterS}`);
      assert.equal((JSON.parse(body) as { status: number }).status, 429);
    });
  }

  it('tells a caller who passes what is left', async () => {
    const { headers } = await ask('routes', '/left');
    assert.deepEqual(
      [headers['ratelimit-policy'], headers.ratelimit?.replace(/t=\d+$/, 't=…'), headers['retry-after']],
      ['"route";q=2;w=3600', '"route";r=1;t=…', undefined],
    );
  });

  it('counts every spelling of a route in one place', async () => {
    const spellings = ['/a/b', '/%61/b', '/a/b?x=1', '/a/%62?y'];
    const statuses = [];
    for (const spelling of spellings) statuses.push((await ask('routes', spelling)).status);
    assert.deepEqual(statuses, [200, 200, 429, 429]);
  });

  it('takes all limits or none: who is refused by one uses up nothing of the other', async () => {
    const answers = [];
    for (let i = 0; i < 5; i += 1) answers.push(await ask('pairs'));
    assert.deepEqual(tally(answers), { 200: 2, 429: 3 });
    assert.match(answers[1]?.headers.ratelimit ?? '', /"many";r=3/);
    assert.match(answers[4]?.headers.ratelimit ?? '', /"many";r=3/);
  });

  it('takes once for a request whose check Envoy retries, and once for each of those that share an x-request-id', async (t) => {
    const lossy = await startLossyAgent(Number(agent.grpcAddress.split(':').at(-1)));
    t.after(() => lossy.stop());
    const behind = await startFront('path' in found ? found.path : '', `127.0.0.1:${lossy.port}`, { retries: 3 });
    t.after(() => behind.stop());
    const get = (): Promise<Answer> =>
      send(behind.port, '/', [`Host: ${hostOf('retries')}`, 'X-Request-Id: 9c3aef0c-7d3c-4f9b-8d8f-0123456789ab']);
    const first = await get();
    lossy.lose(1);
    const retried = await get();
    const third = await get();
    assert.deepEqual(
      [first, retried, third].map(({ status }) => status),
      [200, 200, 200],
    );
    assert.deepEqual([remaining(first), remaining(third)], [9, 7]);
    assert.deepEqual([lossy.checks(), behind.upstream.count()], [4, 3]);
  });

  it('counts a client by its connection, whatever address it claims', async () => {
    const claims = ['X-Forwarded-For: 203.0.113.', 'X-Real-IP: 203.0.113.', 'Forwarded: for=203.0.113.'];
    const answers = [];
    for (const [i, claim] of claims.entries()) answers.push(await ask('clients', '/', [`${claim}${i}`]));
    assert.deepEqual(tally(answers), { 200: 2, 429: 1 });
  });
});

const tally = (answers: readonly Answer[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};
