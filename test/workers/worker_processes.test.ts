// An agent of several processes: who answers, what comes of one that dies, hangs or is left alone.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { bundle } from '../cli/bundle.ts';
import { freePort } from '../components/free-port.ts';
import { until } from '../components/until.ts';
import { encodeCheck, OPEN_POLICY } from '../door/client.ts';
import { closeAll, DoorClient } from '../door/door-client.ts';
import { sendRaw } from '../envoy/harness-http1.ts';
import { askAlone, endAll, isAlive, type PoolProcess, signal, startPool } from './pool-process.ts';

after(async () => {
  await closeAll();
  await endAll();
});

const HOST = 'open.example.org';

const ask = (address: string, host = HOST, method = 'GET') => askAlone(address, { host, method });

/** A policy of a host for GET alone, or for whatever methods. */
const withMethods = (...methods: readonly string[]): string =>
  OPEN_POLICY.replace('{any: {}}', `{methods: [${methods.join(', ')}]}`);

async function askTimes(pool: PoolProcess, times: number, host?: string): Promise<readonly (number | 'none')[]> {
  const answers: (number | 'none')[] = [];
  for (let i = 0; i < times; i += 1) answers.push(await ask(pool.grpcAddress, host));
  return answers;
}

const answeredBy = (pool: PoolProcess): readonly unknown[] => [
  ...new Set(pool.said('decision').map(({ worker }) => worker)),
];

describe('serve --workers', () => {
  it('gives connections to its workers in turn, each of which says which it is; no other process has a door', async () => {
    const pool = await startPool(OPEN_POLICY);
    await pool.ready;
    assert.equal(await pool.readyz(), 'ok');
    assert.deepEqual(await askTimes(pool, 4, 'other.example.org'), [404, 404, 404, 404]);
    await until(() => pool.said('decision').length === 4);
    const counts = Map.groupBy(pool.said('decision'), ({ worker }) => worker);
    assert.deepEqual([...counts].map(([worker, lines]) => [worker, lines.length]).sort(), [
      [1, 2],
      [2, 2],
    ]);
    const ids = pool.said('decision').map((line) => line.decision_id);
    assert.equal(new Set(ids).size, 4);
    assert.equal(await pool.stop(), 0);
  });

  it('says each problem of a policy once', async () => {
    const pool = await startPool(`${OPEN_POLICY}  nonsense: true\n`);
    await pool.ready;
    await until(() => pool.lines.some(({ level }) => level === 'warn'));
    assert.deepEqual(await askTimes(pool, 4), [404, 404, 404, 404]);
    assert.equal(pool.lines.filter(({ level }) => level === 'warn').length, 1);
    await pool.stop();
  });

  it('has all workers serve a change', async () => {
    const pool = await startPool(OPEN_POLICY);
    await pool.ready;
    pool.write(withMethods('POST'));
    await until(async () => (await ask(pool.grpcAddress)) === 403 && (await ask(pool.grpcAddress)) === 403);
    assert.deepEqual(await askTimes(pool, 6), [403, 403, 403, 403, 403, 403]);
    await pool.stop();
  });

  it('replaces a worker that died, says how it ended, and lets nobody pass meanwhile whom it should not', async () => {
    const pool = await startPool(withMethods('POST'));
    await pool.ready;
    const [first = 0, second = 0] = pool.workers();
    const answers = new Set<number | 'none'>();
    let isOver = false;
    const asking = Promise.all(
      [1, 2, 3].map(async () => {
        while (!isOver) answers.add(await ask(pool.grpcAddress));
      }),
    );
    try {
      for (const pid of [first, second]) {
        signal(pid, 'SIGKILL');
        await until(() => pool.workers().length === 2 && !pool.workers().includes(pid));
      }
      const areBack = async () => (await ask(pool.grpcAddress)) === 403 && (await ask(pool.grpcAddress)) === 403;
      await until(areBack, 60_000);
    } finally {
      isOver = true;
      await asking;
    }
    assert.equal(answers.has(200), false);
    assert.deepEqual(
      pool.said('A worker ended; another one takes its place').map(({ worker, signal: how }) => [worker, how]),
      [
        [1, 'SIGKILL'],
        [2, 'SIGKILL'],
      ],
    );
    assert.equal(await pool.stop(), 0);
  });

  it('leads a worker that begins later to the last good spec, and to the hosts of whoever came first', async () => {
    const pool = await startPool(withMethods('GET'));
    await pool.ready;
    const later = OPEN_POLICY.replace('name: open', 'name: a, namespace: a').replace('{any: {}}', '{methods: [POST]}');
    pool.write(`${withMethods('GET')}  nonsense: true\n---${later}`);
    await until(() => pool.said('Policies reloaded').length === 1);
    await until(() => pool.lines.some(({ level }) => level === 'warn'));
    const [first = 0] = pool.workers();
    signal(first, 'SIGKILL');
    await until(() => pool.workers().length === 2 && !pool.workers().includes(first));
    const both = async (method: string) => [
      await ask(pool.grpcAddress, HOST, method),
      await ask(pool.grpcAddress, HOST, method),
    ];
    await until(async () => {
      await ask(pool.grpcAddress, 'other.example.org');
      return answeredBy(pool).length === 2;
    });
    assert.deepEqual(
      [await both('GET'), await both('POST')],
      [
        [200, 200],
        [403, 403],
      ],
    );
    await pool.stop();
  });

  it('gives no connection to a worker that hangs, once that shows', async () => {
    const pool = await startPool(OPEN_POLICY);
    await pool.ready;
    const [first = 0] = pool.workers();
    signal(first, 'SIGSTOP');
    // Looks come once a second, and three of them make it quiet: connections of before may have gone to it.
    await until(async () => {
      const answers = await Promise.race([askTimes(pool, 4), wait(500, undefined)]);
      return answers?.every((answer) => answer === 200) === true;
    }, 30_000);
    signal(first, 'SIGCONT');
    await pool.stop();
  });

  it('leaves no process behind when the main one is killed', async () => {
    const pool = await startPool(OPEN_POLICY);
    await pool.ready;
    const workers = pool.workers();
    assert.equal(workers.length, 2);
    await pool.kill();
    await until(() => !workers.some(isAlive));
  });

  it('drains once for Ctrl-C, which reaches all of them, and answers what is under way', async () => {
    const pool = await startPool(OPEN_POLICY, { 'drain-timeout': '10s' });
    await pool.ready;
    const workers = pool.workers();
    const client = new DoorClient(pool.grpcAddress);
    await client.check(encodeCheck({ host: HOST }));
    for (const pid of [...workers, pool.pid]) signal(pid, 'SIGINT');
    await until(() => pool.said('Postern drains').length === 1);
    client.close();
    await until(() => !isAlive(pool.pid));
    assert.equal(await pool.stop(), 0);
    assert.deepEqual(workers.filter(isAlive), []);
    assert.equal(pool.said('A worker ended; another one takes its place').length, 0);
  });

  it('ends all at once with a second signal, however long connections may take', async () => {
    const pool = await startPool(OPEN_POLICY, { 'drain-timeout': '1h', 'drain-delay': '10m' });
    await pool.ready;
    const workers = pool.workers();
    const open = connect(Number(pool.grpcAddress.split(':')[1]), '127.0.0.1').on('error', () => undefined);
    open.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    await until(() => open.bytesRead > 0);
    signal(pool.pid, 'SIGTERM');
    await until(() => pool.said('Postern drains').length === 1);
    assert.equal(await pool.stop(), 1);
    await until(() => !workers.some(isAlive));
    open.destroy();
  });

  it('listens on a socket file with the mode of any door, replaces one that was left behind, and takes it away', async () => {
    const probe = await startPool(OPEN_POLICY);
    const socket = join(probe.directory, 'postern.sock');
    const first = await startPool(OPEN_POLICY, { 'grpc-addr': `unix:${socket}` });
    await first.ready;
    assert.equal((statSync(socket).mode & 0o777).toString(8), '660');
    await first.kill();
    const second = await startPool(OPEN_POLICY, { 'grpc-addr': `unix:${socket}` });
    await second.ready;
    assert.deepEqual(await askTimes({ ...second, grpcAddress: `unix:${socket}` }, 3), [200, 200, 200]);
    await assert.rejects(startPool(OPEN_POLICY, { 'grpc-addr': `unix:${socket}` }), {
      message: `It ended: error: Cannot listen on "unix:${socket}" (--grpc-addr): something else listens there; stop it or choose another address\n`,
    });
    await second.stop();
    assert.equal(statSync(socket, { throwIfNoEntry: false }), undefined);
    await probe.stop();
  });

  it('says once what is wrong with its address or its certificate', async () => {
    const pool = await startPool(OPEN_POLICY);
    await assert.rejects(startPool(OPEN_POLICY, { 'grpc-addr': pool.grpcAddress }), {
      message: `It ended: error: Cannot listen on "${pool.grpcAddress}" (--grpc-addr): something else listens there; stop it or choose another address\n`,
    });
    const file = join(pool.directory, 'policies.yaml');
    await assert.rejects(startPool(OPEN_POLICY, { 'tls-cert': file, 'tls-key': file }), {
      message: `It ended: error: --tls-cert: "${file}" holds no certificate in PEM\n`,
    });
    await pool.stop();
  });

  it('answers over grpc-js and over HTTP as well', async () => {
    const http = { 'http-addr': '127.0.0.1:0' };
    const pool = await startPool(OPEN_POLICY, { transport: 'grpc-js', ...http });
    await pool.ready;
    assert.deepEqual(await askTimes(pool, 4), [200, 200, 200, 200]);
    const [{ http: address } = {}] = pool.said('Postern listens');
    const port = Number(String(address).split(':')[1]);
    const asked: (number | undefined)[] = [];
    for (const host of [HOST, 'other.example.org', HOST]) {
      const own = ['Method: GET', 'Uri: /', 'Proto: http', 'For: 192.0.2.7', `Host: ${host}`];
      const head = ['GET /check/traefik HTTP/1.1', 'Host: postern', ...own.map((field) => `X-Forwarded-${field}`)];
      asked.push((await sendRaw(port, head)).status);
    }
    assert.deepEqual(asked, [200, 404, 200]);
    assert.equal(await pool.stop(), 0);
  });

  it('counts a limit once, whichever worker is asked, and shows one page of metrics for all', async () => {
    const limit =
      '  rateLimits: [{name: all, stage: AfterAuthentication, key: [{expression: request.host}], rates: [{requests: 5, window: 1h}]}]';
    const pool = await startPool(`${OPEN_POLICY}${limit}\n`);
    await pool.ready;
    const answers = await askTimes(pool, 12);
    assert.deepEqual(answers, [...Array(5).fill(200), ...Array(7).fill(429)]);
    await until(() => answeredBy(pool).length === 2);
    const text = await pool.metrics();
    const sampleOf = (series: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${series} `))
          ?.slice(series.length),
      );
    assert.deepEqual(
      [
        sampleOf('postern_check_duration_seconds_count{decision="allow"}'),
        sampleOf('postern_check_duration_seconds_count{decision="deny"}'),
        sampleOf('postern_workers{state="serving"}'),
        sampleOf('postern_ratelimit_keys'),
        sampleOf('postern_ratelimit_max_keys'),
        // A part of the room is each worker's, and the keys of one policy lie with one.
        sampleOf('postern_ratelimit_fullest_ratio'),
        sampleOf('postern_ready'),
      ],
      [5, 7, 2, 1, 1_000_000, 1 / 500_000, 1],
    );
    await pool.stop();
  });

  it('tells of a policy as served only when a worker that hangs serves it as well', async () => {
    const debug = `127.0.0.1:${await freePort()}`;
    const pool = await startPool(OPEN_POLICY, { 'debug-addr': debug });
    await pool.ready;
    const generation = async (): Promise<number | undefined> => {
      const { objects } = (await (await fetch(`http://${debug}/debug/policies`)).json()) as {
        readonly objects: readonly { readonly servingGeneration: number }[];
      };
      return objects[0]?.servingGeneration;
    };
    const before = await generation();
    const [first = 0] = pool.workers();
    signal(first, 'SIGSTOP');
    pool.write(withMethods('POST'));
    await until(async () => (await Promise.race([ask(pool.grpcAddress), wait(500)])) === 403);
    assert.equal(await generation(), before);
    signal(first, 'SIGCONT');
    await until(async () => (await generation()) !== before);
    assert.deepEqual(await askTimes(pool, 4), [403, 403, 403, 403]);
    await pool.stop();
  });

  it('starts them from the bundle that is shipped', async () => {
    const out = mkdtempSync(join(tmpdir(), 'postern-bundle-'));
    const pool = await startPool(OPEN_POLICY, {}, await bundle(out));
    await pool.ready;
    assert.deepEqual(await askTimes(pool, 4), [200, 200, 200, 200]);
    assert.equal(await pool.stop(), 0);
    rmSync(out, { recursive: true, force: true });
  });
});
