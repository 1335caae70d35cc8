// A real Envoy in front of an agent with workers.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import { until } from '../components/until.ts';
import { OPEN_POLICY } from '../door/client.ts';
import { envoyBinary, type Front, send, startFront } from '../envoy/harness.ts';
import { endAll, type PoolProcess, signal, startPool } from './pool-process.ts';

const found = await envoyBinary();
const READ_ONLY = OPEN_POLICY.replace('{any: {}}', '{methods: [GET]}').replace('[open.example.org]', '[localhost]');

describe('Envoy in front of workers', { skip: skipWithout(found) }, () => {
  let pool: PoolProcess;
  let front: Front;

  before(async () => {
    pool = await startPool(READ_ONLY);
    await pool.ready;
    front = await startFront('path' in found ? found.path : '', pool.grpcAddress);
  });
  after(async () => {
    await front?.stop();
    await endAll();
  });

  const ask = async (method: string): Promise<number | undefined> =>
    (await send(front.port, '/', ['Host: localhost'], method)).status;

  it('answers by their policy', async () => {
    await until(async () => (await ask('GET')) === 200);
    assert.deepEqual([await ask('GET'), await ask('DELETE'), await ask('GET')], [200, 403, 200]);
  });

  it('lets nothing pass that is denied while they are killed, and goes on behind it', async () => {
    const seen = new Set<number | undefined>();
    let isOver = false;
    const asking = Promise.all(
      [1, 2, 3, 4].map(async () => {
        while (!isOver) seen.add(await ask('DELETE'));
      }),
    );
    for (const pid of pool.workers()) {
      signal(pid, 'SIGKILL');
      await until(() => pool.workers().length === 2 && !pool.workers().includes(pid), 60_000);
    }
    await until(async () => (await ask('GET')) === 200, 60_000);
    isOver = true;
    await asking;
    assert.equal(seen.has(200), false);
  });
});
