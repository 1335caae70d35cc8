import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type RunningChild, startChild } from '../../internal/envoy/child.ts';
import { type EchoUpstream, startEchoUpstream } from '../../internal/envoy/echo-upstream.ts';
import { skipWithout } from '../components/cache.ts';
import { freePort } from '../components/free-port.ts';
import { until } from '../components/until.ts';
import { type Answer, envoyBinary, send, startTestAgent, type TestAgent } from '../envoy/harness.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');
const KEY = 'x-api-key: pk_dev_partner_9c1f2e77a0b44d5f';
const found = await envoyBinary();

describe('docs/envoy.md', { skip: skipWithout(found) }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-docs-'));
  let agent: TestAgent;
  let upstream: EchoUpstream;
  let envoy: RunningChild;
  let port: number;

  before(async () => {
    agent = await startTestAgent(readFileSync(join(ROOT, 'policies/orders.yaml'), 'utf8'), { bodies: 'forwarded' });
    await agent.ready;
    upstream = await startEchoUpstream();
    port = await freePort();
    const yaml = /```yaml\n(.*?)```/s.exec(page('envoy.md'))?.[1] ?? '';
    const config = join(folder, 'envoy.yaml');
    const placed = [
      ['port_value: 8000', `port_value: ${port}`],
      ['port_value: 9191', `port_value: ${agent.grpcAddress.split(':').at(-1)}`],
      ['port_value: 8080', `port_value: ${upstream.port}`],
      ['StdoutAccessLog', 'StderrAccessLog'],
      ['loggers.stdout', 'loggers.stderr'],
    ] as const;
    writeFileSync(
      config,
      placed.reduce((text, [from, to]) => {
        assert.ok(text.includes(from), from);
        return text.replace(from, to);
      }, yaml),
    );
    const path = 'path' in found ? found.path : '';
    const quiet = ['--concurrency', '1', '--log-level', 'warning', '--disable-hot-restart'];
    envoy = startChild(path, ['-c', config, ...quiet, '--file-flush-interval-msec', '10']);
    for (let tries = 0; tries < 200; tries += 1) {
      if (
        await ask().then(
          () => true,
          () => false,
        )
      )
        return;
      await wait(50);
    }
    throw new Error(`Envoy does not serve: ${envoy.said()}`);
  });
  after(async () => {
    await envoy?.stop();
    await upstream?.close();
    await agent?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (target = '/v1/orders/7', headers: readonly string[] = []): Promise<Answer> =>
    send(port, target, ['Host: localhost', ...headers]);

  it('shows an Envoy that lets a partner in and nobody else', async () => {
    assert.equal((await ask('/v1/orders/7', [KEY])).status, 200);
    const refused = await ask();
    assert.equal(refused.status, 401);
    assert.match(refused.headers['x-postern-decision-id'] ?? '', /^[0-9a-f]{32}$/);
  });

  it('shows an Envoy whose access log names the decision of every answer', async () => {
    const answers = [await ask('/v1/orders/7', [KEY]), await ask()];
    const ids = answers.map(({ headers }) => headers['x-postern-decision-id'] ?? assert.fail());
    await until(() => ids.every((id) => envoy.said().includes(id)));
    const lines = envoy
      .said()
      .split('\n')
      .filter((line) => ids.some((id) => line.includes(id)));
    assert.deepEqual(
      lines
        .map((line) => JSON.parse(line))
        .map(({ method, status, decision_id, policy, reason }) => ({ method, status, decision_id, policy, reason })),
      [
        { method: 'GET', status: 200, decision_id: ids[0], policy: 'default/orders', reason: 'allowed' },
        { method: 'GET', status: 401, decision_id: ids[1], policy: 'default/orders', reason: 'credential_missing' },
      ],
    );
  });

  it('shows an Envoy that cleans paths up before Postern is asked', async () => {
    assert.equal((await ask('//v1/x/../orders/7', [KEY])).status, 200);
    assert.equal((await ask('/v1/orders%2f7', [KEY])).status, 400);
  });
});
