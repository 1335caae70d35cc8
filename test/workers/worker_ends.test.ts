// What an agent of several processes leaves behind, and what it does as one process would.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ChannelCredentials } from '@grpc/grpc-js';
import { freePort } from '../components/free-port.ts';
import { until } from '../components/until.ts';
import { issue } from '../door/certificates.ts';
import { encodeCheck, OPEN_POLICY } from '../door/client.ts';
import { closeAll, DoorClient } from '../door/door-client.ts';
import { endAll, httpOf, isAlive, signal, startPool } from './pool-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-ends-'));
after(async () => {
  await closeAll();
  await endAll();
  rmSync(folder, { recursive: true, force: true });
});

const HOST = 'open.example.org';
const HEALTH = '/grpc.health.v1.Health/Check';

describe('serve --workers', () => {
  it('leaves no folder of sockets behind at a second signal, and takes away that of an instance that was killed', async () => {
    const tmp = join(folder, 't');
    mkdirSync(tmp);
    const flags = { 'drain-timeout': '1h', 'drain-delay': '10m' };
    const first = await startPool(OPEN_POLICY, flags, undefined, { TMPDIR: tmp });
    await first.ready;
    const left = readdirSync(tmp);
    const workers = first.workers();
    await first.kill();
    await until(() => !workers.some(isAlive));
    const second = await startPool(OPEN_POLICY, flags, undefined, { TMPDIR: tmp });
    await second.ready;
    const own = readdirSync(tmp);
    assert.deepEqual([left.length, own.length, left[0] === own[0]], [1, 1, false]);
    const client = new DoorClient(second.grpcAddress);
    await client.check(encodeCheck({ host: HOST }));
    signal(second.pid, 'SIGTERM');
    await until(() => second.said('Postern drains').length === 1);
    assert.equal(await second.stop(), 1);
    assert.deepEqual(readdirSync(tmp), []);
    client.close();
  });

  it('ends with what to do where no worker could ever listen: TMPDIR has a long path', async () => {
    const long = join(folder, 'd'.repeat(90));
    mkdirSync(long);
    await assert.rejects(startPool(OPEN_POLICY, {}, undefined, { TMPDIR: long }), {
      message:
        /^It ended: error: --workers needs a folder .* at most 107 bytes, not \d+\. .*with a short path, in TMPDIR\n$/,
    });
  });

  it('speaks TLS where it reflects, as one process does', async () => {
    const own = issue({ name: 'localhost' });
    const files = { 'tls-cert': join(folder, 'tls.crt'), 'tls-key': join(folder, 'tls.key') };
    writeFileSync(files['tls-cert'], own.certificate);
    writeFileSync(files['tls-key'], own.privateKey);
    const aux = `127.0.0.1:${await freePort()}`;
    const flags = { ...files, 'grpc-aux-addr': aux, 'grpc-reflection': 'true' };
    const pool = await startPool(OPEN_POLICY, flags);
    await pool.ready;
    const trusted = ChannelCredentials.createSsl(Buffer.from(own.certificate));
    const secure = new DoorClient(aux, trusted, { 'grpc.ssl_target_name_override': 'localhost' });
    const plain = new DoorClient(aux);
    await assert.rejects(plain.send(Buffer.alloc(0), {}, { path: HEALTH }).answer, { code: 14 });
    assert.deepEqual([...(await secure.send(Buffer.alloc(0), {}, { path: HEALTH }).answer)], [8, 1]);
    secure.close();
    plain.close();
    assert.equal(await pool.stop(), 0);
  });

  it('refuses no burst as overloaded because its limit is counted by another worker, even one that hangs', async () => {
    const limit =
      '  rateLimits: [{name: all, stage: AfterAuthentication, key: [{expression: request.host}], rates: [{requests: 1000000, window: 1h}]}]';
    const pool = await startPool(`${OPEN_POLICY}${limit}\n`, { 'grpc-max-streams': '1500', 'check-timeout': '30s' });
    await pool.ready;
    const clients = [new DoorClient(pool.grpcAddress), new DoorClient(pool.grpcAddress)];
    for (const client of clients) await client.check(encodeCheck({ host: HOST }));
    const pids = pool.workers();
    const answers = new Map<number | 'none', number>();
    for (const [index, client] of clients.entries()) {
      const other = pids[1 - index] ?? 0;
      signal(other, 'SIGSTOP');
      const burst = Array.from({ length: 1400 }, () => client.check(encodeCheck({ host: HOST })));
      for (const answer of await Promise.all(burst))
        answers.set(httpOf(answer), (answers.get(httpOf(answer)) ?? 0) + 1);
      signal(other, 'SIGCONT');
    }
    assert.deepEqual([...answers], [[200, 2800]]);
    for (const client of clients) client.close();
    await pool.stop();
  });
});
