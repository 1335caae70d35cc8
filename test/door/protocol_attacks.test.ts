// What a peer can send that no Envoy would (facts of B.9: rapid reset, CONTINUATION flood, oversized and broken frames).
// After each the door answers others, and what the attack could make it do is bounded.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { REASONS } from '../../internal/core/reasons.ts';
import { type CheckBytes, createCheckBytes } from '../../internal/extauthz/check.ts';
import { aDecision, decodeResponse, encodeRequest } from '../../internal/extauthz/wire.fixture.ts';
import { NO_SPAN } from '../../internal/telemetry/tracing.ts';
import { closeAll, DoorClient, portOf, startDoor } from './door-client.ts';
import {
  checkFields,
  checkFrames,
  END_HEADERS,
  END_STREAM,
  FRAME_TYPES,
  field,
  frame,
  H2Client,
  requestHeaders,
  uint32,
} from './h2-client.ts';

after(closeAll);

const HELLO = Buffer.from('hello');
const checked = { decision: aDecision('allowed'), request: undefined, policy: undefined, evaluation: undefined };
const observer = { begin: () => ({ span: NO_SPAN, startMs: 0 }), finish: () => undefined };

/** Every check that can be read is allowed: what is refused here is refused by the door. */
const allowAll: CheckBytes = createCheckBytes({ engine: { check: () => checked }, observer, maxWaiting: 10 });

async function stillAnswers(door: Awaited<ReturnType<typeof startDoor>>): Promise<void> {
  const client = new DoorClient(door.address);
  assert.deepEqual(await client.check(HELLO), HELLO);
  client.close();
  await door.drain(1000);
}

describe('the gRPC door under attack', () => {
  it('refuses random bytes as a CheckRequest, and an empty one', async () => {
    const door = await startDoor({ check: allowAll });
    const client = new DoorClient(door.address);
    const codeOf = async (bytes: Uint8Array) => decodeResponse(await client.check(bytes)).status?.code;
    assert.equal(await codeOf(new Uint8Array()), REASONS.malformed_request.grpc);
    const random = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 300 }), { numRuns: 1000 });
    const codes = await Promise.all(random.map(codeOf));
    assert.ok(codes.every((code) => code === REASONS.malformed_request.grpc));
    const request = encodeRequest({ attributes: { request: { http: { method: 'GET' } } } });
    assert.equal(await codeOf(request), 0);
    client.close();
    await door.drain(1000);
  });

  for (const [what, bytes] of [
    [
      'random bytes',
      Buffer.from(fc.sample(fc.uint8Array({ minLength: 5000, maxLength: 5000 }), { seed: 7, numRuns: 1 })[0] ?? []),
    ],
    ['HTTP/1.1', Buffer.from('GET /envoy.service.auth.v3.Authorization/Check HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a TLS handshake', Buffer.from('16030100c8010000c40303', 'hex')],
  ] as const) {
    it(`drops a connection that begins with ${what}`, async () => {
      const door = await startDoor();
      const socket = connect(portOf(door), '127.0.0.1');
      socket.on('error', () => undefined);
      const closed = new Promise((resolve) => socket.on('close', resolve));
      socket.resume();
      socket.end(bytes);
      await closed;
      await stillAnswers(door);
    });
  }

  for (const [what, attack] of [
    ['a HEADERS frame on stream 0', requestHeaders(0)],
    ['a header block that is none', frame('HEADERS', END_HEADERS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]))],
    ['DATA on a stream that is not open', frame('DATA', 0, 5, HELLO)],
    ['a window that overflows', frame('WINDOW_UPDATE', 0, 0, uint32(0x7fff_ffff))],
    [
      'a frame that is too large',
      Buffer.concat([Buffer.from([0x7f, 0xff, 0xff, 0, 0, 0, 0, 0, 1]), Buffer.alloc(100)]),
    ],
  ] as const) {
    it(`ends a connection with ${what}`, async () => {
      const door = await startDoor();
      const raw = await H2Client.connect(portOf(door));
      await raw.settings();
      raw.send(attack);
      await raw.closed();
      await stillAnswers(door);
    });
  }

  it('ends a connection with a header block of 750 KiB before a check is begun', async () => {
    const door = await startDoor();
    const raw = await H2Client.connect(portOf(door));
    const large = (i: number) => field(`x-${i}`, 'a'.repeat(15_000));
    raw.send(frame('HEADERS', 0, 1, Buffer.concat([checkFields(), large(0)])));
    for (let i = 1; i < 50; i += 1) raw.send(frame('CONTINUATION', i === 49 ? END_HEADERS : 0, 1, large(i)));
    raw.send(frame('DATA', END_STREAM, 1, Buffer.from([0, 0, 0, 0, 1, 7])));
    await raw.closed();
    assert.equal(await raw.messageOf(1), undefined);
    await stillAnswers(door);
  });

  it('ends a flood of CONTINUATION frames (CVE-2024-27983)', async () => {
    const door = await startDoor();
    const raw = await H2Client.connect(portOf(door));
    raw.send(frame('HEADERS', 0, 1, checkFields()));
    const piece = Buffer.concat(
      Array.from({ length: 100 }, (_, i) => frame('CONTINUATION', 0, 1, field(`x-${i}`, 'a'))),
    );
    let sent = 0;
    for (; sent < 2000 && raw.send(piece); sent += 1) await new Promise((resolve) => setImmediate(resolve));
    await raw.closed();
    assert.ok(sent < 2000, 'the flood was cut off');
    await stillAnswers(door);
  });

  it('bounds what rapid resets make it do (CVE-2023-44487)', async () => {
    let begun = 0;
    const door = await startDoor({
      check(bytes) {
        begun += 1;
        return bytes.length === 1 ? new Promise(() => undefined) : bytes;
      },
    });
    const raw = await H2Client.connect(portOf(door));
    const reset = (stream: number) => frame('RST_STREAM', 0, stream, uint32(8));
    for (let stream = 1; stream < 100_000; stream += 2) {
      if (!raw.send(Buffer.concat([checkFrames(stream, HELLO.subarray(0, 1)), reset(stream)]))) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (raw.isClosed) break;
    }
    await raw.closed();
    assert.ok(begun < 11_000, `${begun} of 50,000 resets reached a check`);
    await stillAnswers(door);
  });

  it('lets a connection have no more calls than it says', async () => {
    let most = 0;
    let now = 0;
    const door = await startDoor({
      maxConcurrentStreams: 16,
      bounds: { maxStreams: 16 },
      check(bytes, call) {
        if (bytes.length > 1) return bytes;
        now += 1;
        most = Math.max(most, now);
        call.onCancel?.(() => {
          now -= 1;
        });
        return new Promise(() => undefined);
      },
    });
    const raw = await H2Client.connect(portOf(door));
    for (let i = 0; i < 40; i += 1) raw.send(checkFrames(2 * i + 1, HELLO.subarray(0, 1)));
    await raw.next(({ type }) => type === FRAME_TYPES.RST_STREAM || type === FRAME_TYPES.GOAWAY);
    assert.ok(most <= 16, `${most} at a time`);
    raw.destroy();
    await stillAnswers(door);
  });

  it('takes no second message in a call, and no call without one', async () => {
    const door = await startDoor();
    const raw = await H2Client.connect(portOf(door));
    raw.send(requestHeaders(1));
    raw.send(frame('DATA', 0, 1, Buffer.from([0, 0, 0, 0, 1, 7])));
    raw.send(frame('DATA', END_STREAM, 1, Buffer.from([0, 0, 0, 0, 1, 8])));
    assert.equal((await raw.trailersOf(1)).get('grpc-status'), '12');
    const other = await H2Client.connect(portOf(door));
    other.send(frame('HEADERS', END_HEADERS | END_STREAM, 1, checkFields()));
    assert.equal((await other.trailersOf(1)).get('grpc-status'), '12');
    raw.destroy();
    other.destroy();
    await stillAnswers(door);
  });
});
