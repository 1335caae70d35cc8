// A real Envoy that asks two workers by TLS: what a limit lets pass while they are killed and while they drain.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import { until } from '../components/until.ts';
import { issue } from '../door/certificates.ts';
import { OPEN_POLICY } from '../door/client.ts';
import { envoyBinary, type Front, send, startFront } from '../envoy/harness.ts';
import { endAll, type PoolProcess, signal, startPool } from './pool-process.ts';

const found = await envoyBinary();
const folder = mkdtempSync(join(tmpdir(), 'postern-limit-'));
const MOST = 20;
const LIMITED = `${OPEN_POLICY.replace('[open.example.org]', '[localhost]')}
  rateLimits: [{name: all, stage: AfterAuthentication, onFault: Deny, key: [{expression: request.host}], rates: [{requests: ${MOST}, window: 1h}]}]
`;

/** Asks all the time, four at a time; every status that came, and how often. */
function load(front: Front): { readonly statuses: Map<number, number>; stop(): Promise<void> } {
  const statuses = new Map<number, number>();
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      const { status } = await send(front.port, '/', ['Host: localhost']);
      statuses.set(status ?? 0, (statuses.get(status ?? 0) ?? 0) + 1);
    }
  };
  const clients = [client(), client(), client(), client()];
  return {
    statuses,
    async stop() {
      isOver = true;
      await Promise.all(clients);
    },
  };
}

describe('Envoy in front of workers with a limit, by TLS', { skip: skipWithout(found) }, () => {
  const own = issue({ name: 'localhost' });
  const files = { 'tls-cert': join(folder, 'tls.crt'), 'tls-key': join(folder, 'tls.key') };
  let pool: PoolProcess;
  let front: Front;

  before(async () => {
    writeFileSync(files['tls-cert'], own.certificate);
    writeFileSync(files['tls-key'], own.privateKey);
    // Deadlines are not what this is about.
    pool = await startPool(LIMITED, { ...files, 'check-timeout': '30s', 'drain-timeout': '10s' });
    await pool.ready;
    front = await startFront('path' in found ? found.path : '', pool.grpcAddress, {
      agentTls: { ca: own.certificate, serverName: 'localhost' },
      timeoutMs: 20_000,
    });
  });
  after(async () => {
    await front?.stop();
    await endAll();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lets exactly as many pass as the limit says, anew once where the worker that counts was killed, none in a drain', async () => {
    const asking = load(front);
    const passed = (): number => asking.statuses.get(200) ?? 0;
    const refused = (): number => asking.statuses.get(429) ?? 0;
    await until(() => refused() > 50, 60_000);
    assert.equal(passed(), MOST);
    for (const pid of pool.workers()) {
      signal(pid, 'SIGKILL');
      await until(() => pool.workers().length === 2 && !pool.workers().includes(pid), 60_000);
      await until(async () => /^postern_workers\{state="serving"\} 2$/m.test(await pool.metrics()), 60_000);
      const before = refused();
      await until(() => refused() > before + 50, 60_000);
    }
    // One of both had the counter. What it had let pass without its answer coming out was taken all the same.
    assert.ok(passed() > MOST && passed() <= 2 * MOST, String(passed()));
    const atDrain = passed();
    const code = pool.stop();
    await until(() => pool.said('Postern drains').length === 1);
    assert.equal(await code, 0);
    await asking.stop();
    assert.equal(passed(), atDrain);
  });
});
