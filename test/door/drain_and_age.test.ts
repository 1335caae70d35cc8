import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { closeAll, DoorClient, portOf, startDoor } from './door-client.ts';
import { checkFrames, type Frame, H2Client, requestHeaders } from './h2-client.ts';

after(closeAll);

const HELLO = Buffer.from('hello');
/** HealthCheckResponse with status 2. */
const NOT_SERVING = Buffer.of(8, 2);
const HIGHEST_STREAM = 0x7fff_ffff;
const lastStreamOf = (goaway: Frame | undefined): number | undefined => goaway?.payload.readUInt32BE(0);

/** A check that answers when it is told to. */
function aHeldCheck() {
  const arrived = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const check = async (bytes: Uint8Array): Promise<Uint8Array> => {
    arrived.resolve();
    await held.promise;
    return bytes;
  };
  return { check, arrived: arrived.promise, release: held.resolve };
}

describe('drain() of the gRPC door', () => {
  it('lets checks in flight finish, and takes no more connections', async () => {
    const { check, arrived, release } = aHeldCheck();
    const door = await startDoor({ check });
    const client = new DoorClient(door.address);
    const answer = client.check(HELLO);
    await arrived;
    const drained = door.drain(60_000);
    await assert.rejects(new DoorClient(door.address).check(HELLO), { code: status.UNAVAILABLE });
    release();
    assert.deepEqual(await answer, HELLO);
    client.close();
    await drained;
  });

  it('serves as before until its delay is over, but says NOT_SERVING', async () => {
    const door = await startDoor();
    door.setServing(true);
    const [connected, late] = [new DoorClient(door.address), new DoorClient(door.address)];
    assert.deepEqual(await connected.check(HELLO), HELLO);
    const drained = door.drain(60_000, 60_000);
    const health = late.send(Buffer.alloc(0), {}, { path: '/grpc.health.v1.Health/Check' });
    assert.deepEqual(await health.answer, NOT_SERVING);
    assert.deepEqual([await late.check(HELLO), await connected.check(HELLO)], [HELLO, HELLO]);
    connected.close();
    late.close();
    await drained;
  });

  it('takes no longer than its time, however long the delay', async () => {
    const door = await startDoor();
    const client = new DoorClient(door.address);
    assert.deepEqual(await client.check(HELLO), HELLO);
    await door.drain(20, 60_000);
    client.close();
  });

  it('evaluates what a connection still sends after the notice', async () => {
    const door = await startDoor();
    const raw = await H2Client.connect(portOf(door));
    raw.send(checkFrames(1, HELLO));
    assert.deepEqual(await raw.messageOf(1), HELLO);
    const drained = door.drain(60_000);
    assert.equal(lastStreamOf(await raw.ofType('GOAWAY')), HIGHEST_STREAM);
    raw.send(checkFrames(3, HELLO));
    assert.deepEqual(await raw.messageOf(3), HELLO);
    raw.destroy();
    await drained;
  });

  it('ends when its time is up, whatever is in flight', async () => {
    const { check, arrived } = aHeldCheck();
    const door = await startDoor({ check });
    const client = new DoorClient(door.address);
    const answer = assert.rejects(client.check(HELLO), { code: status.UNAVAILABLE });
    await arrived;
    await door.drain(20);
    await answer;
    client.close();
  });

  it('ends at once without connections, and twice the same', async () => {
    const door = await startDoor();
    assert.equal(door.drain(60_000), door.drain(0));
    await door.drain(60_000);
  });

  it('cuts off a connection that says nothing', async () => {
    const door = await startDoor();
    const raw = await H2Client.connect(portOf(door));
    await raw.settings();
    await door.drain(20);
    await raw.closed();
  });
});

describe('the age of a connection', () => {
  it('ends it with a notice first, so that no check on its way is lost', async () => {
    const door = await startDoor({ maxConnectionAgeMs: 30, connectionAgeGraceMs: 200 });
    const raw = await H2Client.connect(portOf(door));
    assert.equal(lastStreamOf(await raw.ofType('GOAWAY')), HIGHEST_STREAM);
    // This one is what was on its way: opened before its sender had read the notice.
    raw.send(checkFrames(1, HELLO));
    assert.deepEqual(await raw.messageOf(1), HELLO);
    assert.equal(lastStreamOf(await raw.ofType('GOAWAY')), 1);
    await raw.closed();
    await door.drain(1000);
  });

  it('lets the last calls finish, for as long as the grace lasts', async () => {
    const { check, arrived, release } = aHeldCheck();
    const door = await startDoor({ check, maxConnectionAgeMs: 30, connectionAgeGraceMs: 60_000 });
    const raw = await H2Client.connect(portOf(door));
    raw.send(checkFrames(1, HELLO));
    await arrived;
    assert.equal(lastStreamOf(await raw.ofType('GOAWAY')), HIGHEST_STREAM);
    release();
    assert.deepEqual(await raw.messageOf(1), HELLO);
    raw.destroy();
    await door.drain(1000);
  });

  it('cuts off a call that does not end in the grace', async () => {
    const door = await startDoor({ maxConnectionAgeMs: 30, connectionAgeGraceMs: 40 });
    const raw = await H2Client.connect(portOf(door));
    raw.send(requestHeaders(1));
    await raw.closed();
    await door.drain(1000);
  });

  for (const [random, factor] of [
    [0, 0.9],
    [0.999, 1.1],
  ] as const) {
    it(`is ${factor} of what is asked for where chance says ${random}`, async (t) => {
      const asked: number[] = [];
      const real = globalThis.setTimeout;
      t.mock.method(globalThis, 'setTimeout', ((run: () => void, ms: number) => {
        asked.push(ms);
        return real(run, ms);
      }) as typeof setTimeout);
      const door = await startDoor({ maxConnectionAgeMs: 1_000_000, random: () => random });
      const raw = await H2Client.connect(portOf(door));
      await raw.settings();
      assert.ok(asked.some((ms) => Math.abs(ms - factor * 1_000_000) < 1000));
      raw.destroy();
      await door.drain(1000);
    });
  }

  it('does not keep the process or the server waiting for connections that are gone', async () => {
    const door = await startDoor({ maxConnectionAgeMs: 60_000 });
    for (let i = 0; i < 20; i += 1) {
      const client = new DoorClient(door.address);
      assert.deepEqual(await client.check(HELLO), HELLO);
      client.close();
    }
    await door.drain(60_000);
  });
});
