import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { until } from '../../test/components/until.ts';
import { systemClock } from '../core/clock.ts';
import type { FromWorker } from './messages.ts';
import type { Batch } from './worker-feed.ts';
import { WorkerPool } from './worker-pool.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-programs-'));
const pools = new Set<World>();
// Each of them listens for the end of this process.
process.setMaxListeners(50);
const { execArgv } = process;
// Programs are begun with the arguments that this process was: a share of the tests is nothing of theirs.
process.execArgv = execArgv.filter((arg) => !arg.startsWith('--test'));
after(async () => {
  process.execArgv = execArgv;
  await Promise.all([...pools].map(({ pool }) => pool.end(0, 0)));
  rmSync(folder, { recursive: true, force: true });
});

/** A program that does with each message what `does` says; `index` is which worker it is. */
function program(name: string, does: string, drain = 'process.exit(0);'): string {
  const file = join(folder, `${name}.mjs`);
  const text = `
    const index = Number(process.argv[3]);
    const say = (message) => process.send(message);
    setInterval(() => say({ kind: 'alive', closed: 0, keys: index }), 20);
    process.on('disconnect', () => process.exit(0));
    process.on('message', (message, connection) => {
      if (message.kind === 'drain') { ${drain} }
      if (message.kind === 'connection') { connection?.end(String(index)); say({ kind: 'taken' }); }
      ${does}
    });`;
  writeFileSync(file, text);
  return file;
}

const LOADS = "if (message.kind === 'start') say({ kind: 'loaded' });";
const SERVES = `${LOADS} if (message.kind === 'build') say({ kind: 'served', number: message.number });`;

const batch = (number: number): Batch => ({ number, changes: [], secrets: [] });

class World {
  whole: Batch | undefined = undefined;
  served: number[] = [];
  ends: string[] = [];
  /** As the first worker ended. */
  servedBefore: readonly number[] | undefined = undefined;
  heard: FromWorker['kind'][] = [];
  readonly pool: WorkerPool;
  readonly started: Promise<void>;

  constructor(file: string, patienceMs = 10_000, lookMs = 50) {
    this.pool = new WorkerPool({
      program: file,
      count: 2,
      clock: systemClock,
      start: {
        options: {},
        otel: {},
        apiServer: undefined,
        labels: undefined,
        directory: folder,
        hasVerdicts: false,
      },
      whole: () => this.whole,
      onServed: (number) => this.served.push(number),
      onMessage: ({ kind }) => this.heard.push(kind),
      onLines: () => undefined,
      onEnd: ({ index }, { code, signal, why }) => {
        this.servedBefore ??= [...this.served];
        this.ends.push(`${index}: ${why ?? signal ?? code}`);
      },
      isServing: () => true,
      times: { lookMs, patienceMs },
    });
    pools.add(this);
    this.started = this.pool.start();
  }

  build(number: number): void {
    this.whole = { ...batch(number), records: new Map() };
    this.pool.build(batch(number), 0);
  }

  hears(kind: FromWorker['kind'], times: number): Promise<void> {
    return until(() => this.heard.filter((one) => one === kind).length >= times);
  }
}

describe('WorkerPool', () => {
  it('tells of a batch as served when all workers serve it, not when one does', async () => {
    const oneWaits = `${LOADS} if (message.kind === 'build' && (index === 1 || message.number === 2))
      say({ kind: 'served', number: message.number });`;
    const world = new World(program('one-waits', oneWaits));
    world.build(1);
    await world.hears('served', 1);
    assert.deepEqual([world.served, world.pool.notReady], [[], '1 of 2 workers serve']);
    world.build(2);
    await until(() => world.served.length > 0);
    assert.deepEqual([...new Set(world.served)], [2]);
    assert.equal(world.pool.notReady, undefined);
  });

  it('replaces a worker that serves nothing new in time', async () => {
    const oneStops = `${LOADS} if (message.kind === 'build' && (index === 1 || message.number === 1))
      say({ kind: 'served', number: message.number });`;
    const world = new World(program('one-stops', oneStops), 3000);
    world.build(1);
    await until(() => world.served.includes(1));
    world.build(2);
    await until(() => world.ends.length > 0);
    assert.deepEqual(
      [world.ends[0], new Set(world.servedBefore)],
      ['2: it did not build in time what serves here', new Set([1])],
    );
  });

  it('replaces a worker that says nothing', async () => {
    const oneIsStill = `${SERVES} if (message.kind === 'build' && index === 1)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;
    const world = new World(program('one-is-still', oneIsStill), 3000);
    world.build(1);
    await until(() => world.ends.length > 0);
    assert.equal(world.ends[0], '1: it does not answer');
  });

  it('waits for ever with workers while there is nothing to serve', async () => {
    const world = new World(program('serves', SERVES), 2500);
    await world.hears('alive', 400);
    assert.deepEqual([world.ends, world.served], [[], []]);
  });

  it('has a connection wait for the first worker with doors, which need not serve yet', async () => {
    const slow = "if (message.kind === 'start') setTimeout(() => say({ kind: 'loaded' }), 200);";
    const { pool, ...world } = new World(program('slow', slow));
    const server = createServer({ pauseOnConnect: true }, (connection) => pool.give('grpc-addr', connection));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [said] = (await once(client, 'data')) as [Buffer];
    server.close();
    assert.match(said.toString(), /^[12]$/);
    assert.deepEqual([world.ends, pool.serving], [[], []]);
  });

  it('ends a worker that has no doors yet at once, however long a drain may take', async () => {
    const { pool, ends } = new World(program('never', '', ''), 60_000);
    await pool.end(3_600_000, 3_600_000);
    assert.deepEqual([pool.all, ends], [[], []]);
  });

  it('gives a worker that begins later all that serves, once', async () => {
    const dies = `${LOADS} if (message.kind === 'build') { say({ kind: 'served', number: message.number });
      if (message.number === 2 && index === 2) setTimeout(() => process.exit(7), 50); }`;
    const world = new World(program('dies', dies));
    world.build(1);
    await until(() => world.served.includes(1));
    world.build(2);
    await until(() => world.ends.length === 1);
    await until(() => world.pool.serving.length === 2);
    assert.deepEqual([world.ends, world.pool.serving.map(({ serves }) => serves)], [['2: 7'], [2, 2]]);
  });

  it('gives another worker the connections that were on their way to one that hangs, when that is ended', async () => {
    const oneHangs = `${LOADS} if (message.kind === 'start') globalThis.first = message.start.generation === 1 && index === 1;
      if (message.kind === 'build') { say({ kind: 'served', number: message.number });
        if (globalThis.first) setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 50); }`;
    const world = new World(program('one-hangs', oneHangs), 4000, 1000);
    world.build(1);
    await until(() => world.served.includes(1));
    await wait(100);
    const answers = await askThrough(world.pool, 10);
    assert.equal(world.ends[0], '1: it does not answer');
    // The first of them had left: it is closed with that worker.
    assert.deepEqual([answers.length, answers.filter((answer) => answer === 'closed').length <= 1], [10, true]);
  });

  it('closes a connection, and is not ready, where every worker hangs', async () => {
    const allHang = `${SERVES} if (message.kind === 'build')
      setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 50);`;
    const world = new World(program('all-hang', allHang), 60_000);
    world.build(1);
    await until(() => world.served.includes(1));
    await until(() => world.pool.notReady !== undefined);
    assert.equal(world.pool.notReady, 'no worker answers');
    assert.deepEqual([await askThrough(world.pool, 3), world.ends], [['closed', 'closed', 'closed'], []]);
  });

  it('gives no connection to a worker that could not build what another one serves, until it has', async () => {
    const oneFails = `${LOADS} if (message.kind === 'build') {
      const served = () => say({ kind: 'served', number: message.number });
      if (index === 2 || message.number === 1) served(); else { say({ kind: 'notBuilt' }); globalThis.later = served; } }
      if (message.kind === 'serving' && !message.isServing) globalThis.later?.();`;
    const world = new World(program('one-fails', oneFails));
    world.build(1);
    await until(() => world.served.includes(1));
    assert.deepEqual(await askThrough(world.pool, 4), ['1', '1', '2', '2']);
    world.build(2);
    await world.hears('notBuilt', 1);
    assert.deepEqual(await askThrough(world.pool, 4), ['2', '2', '2', '2']);
    world.pool.send({ kind: 'serving', isServing: false });
    await until(() => world.served.includes(2));
    assert.equal((await askThrough(world.pool, 1)).length, 1);
    assert.equal(
      world.pool.serving.some(({ isBehind }) => isBehind),
      false,
    );
  });

  it('counts connections that it gave since a worker last told of those that are closed', async () => {
    const world = new World(program('keeps', SERVES));
    world.build(1);
    await until(() => world.served.includes(1));
    await askThrough(world.pool, 4);
    // They go on saying that none of them is closed.
    const before = world.heard.length;
    await until(() => world.heard.slice(before).filter((kind) => kind === 'alive').length > 4);
    assert.deepEqual(
      world.pool.all.map(({ given }) => given.open),
      [2, 2],
    );
  });

  it('ends with the reason where no worker can begin, as one process would', async () => {
    const noneBegins = `if (message.kind === 'start')
      process.send({ kind: 'notBegun', why: 'no such place', code: 'ERR_POSTERN_LISTEN' }, () => process.exit(1));`;
    const world = new World(program('none-begins', noneBegins));
    await assert.rejects(world.started, {
      code: 'ERR_POSTERN_LISTEN',
      message: 'No worker could start: no such place',
    });
  });

  it('goes on where a worker was killed before it had begun', async () => {
    const oneIsKilled = `${LOADS} if (message.kind === 'start' && message.start.generation === 1) process.kill(process.pid, 'SIGKILL');`;
    const world = new World(program('one-is-killed', oneIsKilled));
    await world.started;
    await world.hears('loaded', 2);
  });
});

/** What those say who connect, one after the other: which worker they were given to. */
async function askThrough(pool: WorkerPool, times: number): Promise<readonly string[]> {
  const listener = createServer({ pauseOnConnect: true }, (connection) => pool.give('grpc-addr', connection));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const told: string[] = [];
  for (let i = 0; i < times; i += 1) {
    let said = '';
    const client = connect(port, '127.0.0.1').setEncoding('utf8');
    client.on('data', (text) => (said += text));
    client.on('error', () => undefined);
    client.on('close', () => told.push(said === '' ? 'closed' : said));
    await until(() => client.readyState !== 'opening');
  }
  await until(() => told.length === times, 20_000).finally(() => listener.close());
  return told.sort();
}
