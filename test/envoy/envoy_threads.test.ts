// A real Envoy of four worker threads, each with its own connections to the native door, which go away under load.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Agent, request } from 'undici';
import { skipWithout } from '../components/cache.ts';
import { until } from '../components/until.ts';
import { startCuttingRelay } from './cutting-relay.ts';
import { envoyBinary, type Front, startFront, startTestAgent, type TestAgent } from './harness.ts';

const WORKERS = 4;
const LIMIT = 1_000_000;
const AT_ONCE = 48;
const CONNECTIONS_LOST = 24;
const hosts = ['aged', 'cut'] as const;

/** Envoy asks no more than three checks of a cluster again at a time, unless it is told otherwise. */
const MANY_RETRIES = { circuit_breakers: { thresholds: [{ max_retries: 1024 }] } };

const POLICIES = hosts
  .map(
    (host) => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: ${host}}
spec:
  target: {hosts: [${host}.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
  rateLimits: [{name: all, stage: AfterAuthentication, key: [{expression: "'all'"}], rates: [{requests: ${LIMIT}, window: 8784h}]}]
`,
  )
  .join('---');

const found = await envoyBinary();
const path = 'path' in found ? found.path : '';

describe('an Envoy of several workers', { skip: skipWithout(found), timeout: 120_000 }, () => {
  let agent: TestAgent;

  before(async () => {
    agent = await startTestAgent(POLICIES, { 'max-connection-age': '1s', transport: 'native' });
    await agent.ready;
  });
  after(() => agent?.stop());

  const retrying = (target: string): Promise<Front> =>
    startFront(path, target, { concurrency: WORKERS, retries: 5, timeoutMs: 20_000, agentFields: MANY_RETRIES });

  it('loses no request, and takes each from its limit once, while its connections end by age', async (t) => {
    const front = await retrying(agent.grpcAddress);
    t.after(() => front.stop());
    const destroyed = async (): Promise<number> => front.envoy.stat('cluster.agent.upstream_cx_destroy');
    const load = startLoad(front, 'aged.example.org');
    await until(async () => (await destroyed()) >= CONNECTIONS_LOST, 60_000);
    const statuses = await load.stop();
    const { sent } = load;
    assert.deepEqual(statuses, new Map([[200, sent()]]));
    assert.deepEqual([front.upstream.count(), await taken(front, 'aged.example.org')], [sent(), sent()]);
    // Each of the threads had one of its own, and more than one after the other.
    assert.ok((await front.envoy.stat('cluster.agent.upstream_cx_total')) > WORKERS);
    t.diagnostic(`${sent()} requests; ${await destroyed()} connections ended`);
  });

  it('loses no request, and takes each from its limit once, while its connections are cut and checks asked again', async (t) => {
    const relay = await startCuttingRelay(Number(agent.grpcAddress.split(':').at(-1)));
    t.after(() => relay.stop());
    const front = await retrying(`127.0.0.1:${relay.port}`);
    t.after(() => front.stop());
    const retries = (): Promise<number> => front.envoy.stat('cluster.agent.upstream_rq_retry');
    const load = startLoad(front, 'cut.example.org');
    let cut = 0;
    await until(async () => {
      // Not while the last cut is still being made up for: a check is asked again only so often.
      cut += relay.cut();
      const before = load.done();
      await until(() => load.done() > before + 5 * AT_ONCE);
      return cut >= CONNECTIONS_LOST && (await retries()) > 0;
    }, 60_000);
    const statuses = await load.stop();
    const { sent } = load;
    assert.deepEqual(statuses, new Map([[200, sent()]]));
    assert.deepEqual([front.upstream.count(), await taken(front, 'cut.example.org')], [sent(), sent()]);
    t.diagnostic(`${sent()} requests; ${cut} connections cut; ${await retries()} checks asked again`);
  });
});

interface Load {
  readonly sent: () => number;
  readonly done: () => number;
  /** Resolves when everything is answered: how often each status came. */
  stop(): Promise<ReadonlyMap<number, number>>;
}

/** Requests over as many connections, each behind the last one's answer. */
function startLoad({ port }: Front, host: string): Load {
  const dispatcher = new Agent({ connections: AT_ONCE, pipelining: 1 });
  const statuses = new Map<number, number>();
  let isOver = false;
  let sent = 0;
  let done = 0;
  const one = async (): Promise<void> => {
    while (!isOver) {
      sent += 1;
      const { statusCode, body } = await request(`http://127.0.0.1:${port}/`, { dispatcher, headers: { host } });
      await body.dump();
      done += 1;
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    }
  };
  const all = Promise.all(Array.from({ length: AT_ONCE }, one));
  // Whoever waits for it hears of what fails; until then nobody does.
  all.catch(() => undefined);
  return {
    sent: () => sent,
    done: () => done,
    async stop() {
      isOver = true;
      await all;
      await dispatcher.close();
      return statuses;
    },
  };
}

/** What was taken from the limit before this request, which says what it leaves. */
async function taken({ port }: Front, host: string): Promise<number> {
  const { headers, body } = await request(`http://127.0.0.1:${port}/`, { headers: { host } });
  await body.dump();
  const left = Number(/;r=(\d+)/.exec(String(headers.ratelimit))?.[1]);
  return LIMIT - left - 1;
}
