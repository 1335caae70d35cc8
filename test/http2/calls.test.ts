// What the native gRPC door makes of calls that are not as gRPC has them. None of them may reach a check.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { closeAll, portOf, startDoor, useTransport } from '../door/door-client.ts';
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
} from '../door/h2-client.ts';

useTransport('native');
after(closeAll);

const HELLO = Buffer.from('hello');
const PROTOCOL_ERROR = 1;
const message = (length: number, bytes: Uint8Array, compressed = 0): Buffer => {
  const prefix = Buffer.of(compressed, 0, 0, 0, 0);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, bytes]);
};
const ended = (...data: readonly Buffer[]): Buffer =>
  Buffer.concat([
    requestHeaders(1),
    ...data.map((bytes, index) => frame('DATA', index === data.length - 1 ? END_STREAM : 0, 1, bytes)),
  ]);
const headers = (fields: readonly (readonly [string, string])[], flags: number): Buffer =>
  frame('HEADERS', END_HEADERS | flags, 1, Buffer.concat(fields.map(([name, value]) => field(name, value))));
const checkOf = (more: readonly (readonly [string, string])[]): Buffer => requestHeaders(1, more);
const POST = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/envoy.service.auth.v3.Authorization/Check'],
] as const;

async function refusing() {
  let checks = 0;
  const door = await startDoor({
    maxReceiveBytes: 1000,
    check(bytes) {
      checks += 1;
      return bytes;
    },
  });
  const raw = await H2Client.connect(portOf(door));
  await raw.settings();
  /** The connection goes on, and no check was begun but the one that is as it should be. */
  const close = async (): Promise<void> => {
    raw.send(checkFrames(7, HELLO));
    assert.deepEqual([await raw.messageOf(7), checks], [HELLO, 1]);
    raw.destroy();
    await door.drain(1000);
  };
  return { raw, close };
}

describe('the native gRPC door answers an error to', () => {
  for (const [what, bytes, code] of [
    ['a message that is cut off', ended(message(10, HELLO)), status.INTERNAL],
    ['a message that is cut off, in pieces', ended(message(10, HELLO), Buffer.of(1)), status.INTERNAL],
    ['a prefix that is cut off', ended(Buffer.of(0, 0, 0)), status.INTERNAL],
    ['a message with more behind it', ended(message(3, HELLO)), status.UNIMPLEMENTED],
    ['two messages in one frame', ended(Buffer.concat([message(5, HELLO), message(5, HELLO)])), status.UNIMPLEMENTED],
    ['two messages in frames of their own', ended(message(5, HELLO), message(5, HELLO)), status.UNIMPLEMENTED],
    ['no message', ended(Buffer.alloc(0)), status.UNIMPLEMENTED],
    ['a compressed message', ended(message(5, HELLO, 1)), status.UNIMPLEMENTED],
    ['a message that begins with neither 0 nor 1', ended(message(5, HELLO, 2)), status.INTERNAL],
    ['a message that is too large', ended(message(1001, HELLO)), status.RESOURCE_EXHAUSTED],
    [
      'trailers behind the request',
      Buffer.concat([
        requestHeaders(1),
        frame('DATA', 0, 1, message(5, HELLO)),
        frame('HEADERS', END_HEADERS | END_STREAM, 1, field('x', '1')),
      ]),
      status.INTERNAL,
    ],
    [
      'two timeouts',
      checkOf([
        ['grpc-timeout', '1S'],
        ['grpc-timeout', '9S'],
      ]),
      status.INTERNAL,
    ],
  ] as const) {
    it(what, async () => {
      const { raw, close } = await refusing();
      raw.send(bytes);
      assert.equal((await raw.trailersOf(1)).get('grpc-status'), String(code));
      await close();
    });
  }
});

describe('the native gRPC door resets', () => {
  for (const [what, bytes] of [
    [
      'a request of more bytes than it says',
      Buffer.concat([checkOf([['content-length', '4']]), frame('DATA', END_STREAM, 1, message(5, HELLO))]),
    ],
    [
      'a request of fewer bytes than it says',
      Buffer.concat([checkOf([['content-length', '11']]), frame('DATA', END_STREAM, 1, message(5, HELLO))]),
    ],
    ['a request with a connection field', checkOf([['connection', 'close']])],
    ['a request without a path', headers(POST.slice(0, 2), 0)],
    ['a request with two paths', headers([...POST, [':path', '/other'], ['content-type', 'application/grpc']], 0)],
    [
      'trailers that do not end the request',
      Buffer.concat([requestHeaders(1), frame('HEADERS', END_HEADERS, 1, field('x', '1'))]),
    ],
    [
      'trailers with a path',
      Buffer.concat([requestHeaders(1), frame('HEADERS', END_HEADERS | END_STREAM, 1, field(':path', '/'))]),
    ],
  ] as const) {
    it(what, async () => {
      const { raw, close } = await refusing();
      raw.send(bytes);
      const reset = await raw.ofType('RST_STREAM');
      assert.deepEqual([reset?.stream, reset?.payload.readUInt32BE(0)], [1, PROTOCOL_ERROR]);
      await close();
    });
  }
});

describe('the native gRPC door tells who does not speak gRPC what to send', () => {
  for (const [what, fields, httpStatus, words] of [
    ['no content-type', POST, '415', 'application/grpc'],
    ['JSON', [...POST, ['content-type', 'application/json']], '415', 'application/grpc'],
    ['gRPC-Web', [...POST, ['content-type', 'application/grpc-web+proto']], '415', 'application/grpc'],
    ['GET', [[':method', 'GET'], ...POST.slice(1), ['content-type', 'application/grpc']], '405', 'POST'],
  ] as const) {
    it(`at ${what}`, async () => {
      const { raw, close } = await refusing();
      raw.send(Buffer.concat([headers(fields, 0), frame('DATA', END_STREAM, 1, HELLO)]));
      const head = await raw.ofType('HEADERS');
      // The status is a literal of three digits behind the name of index 8.
      const digits = (bytes: Buffer | undefined): string | undefined => bytes?.subarray(2, 5).toString('latin1');
      assert.equal(digits(head?.payload), httpStatus);
      const body = await raw.next(({ type }) => type === FRAME_TYPES.DATA);
      assert.match(String(body?.payload), new RegExp(words));
      await close();
    });
  }

  it('and stops listening to one that sends on and on', async () => {
    const { raw, close } = await refusing();
    raw.send(headers(POST, 0));
    for (let i = 0; i < 3; i += 1) raw.send(frame('DATA', 0, 1, Buffer.alloc(16_000)));
    const reset = await raw.ofType('RST_STREAM');
    assert.deepEqual([reset?.stream, reset?.payload.readUInt32BE(0)], [1, 0]);
    await close();
  });
});

describe('the native gRPC door takes', () => {
  it('a message in pieces of one byte, padded, with a priority, and with an end of its own', async () => {
    const { raw, close } = await refusing();
    const fields = Buffer.concat([Buffer.of(3, 0, 0, 0, 0, 15), checkFields(), Buffer.alloc(3)]);
    raw.send(frame('HEADERS', END_HEADERS | 0x20 | 8, 7, fields));
    for (const byte of message(5, HELLO)) raw.send(frame('DATA', 8, 7, Buffer.of(2, byte, 0, 0)));
    raw.send(frame('DATA', END_STREAM, 7));
    assert.deepEqual(await raw.messageOf(7), HELLO);
    raw.send(requestHeaders(9));
    raw.destroy();
    assert.ok(close);
  });

  it('application/grpc with a coding or parameters', async () => {
    for (const contentType of ['application/grpc+proto', 'application/grpc;charset=utf-8']) {
      const { raw } = await refusing();
      raw.send(
        Buffer.concat([
          headers([...POST, ['content-type', contentType]], 0),
          frame('DATA', END_STREAM, 1, message(5, HELLO)),
        ]),
      );
      assert.deepEqual(await raw.messageOf(1), HELLO);
      raw.destroy();
    }
  });
});

describe('the native gRPC door, about to end a connection,', () => {
  it('passes over the calls that it has not promised to serve, and goes on with the others', async () => {
    const held = Promise.withResolvers<void>();
    const door = await startDoor({ check: (bytes) => held.promise.then(() => bytes) });
    const raw = await H2Client.connect(portOf(door));
    raw.send(checkFrames(1, HELLO));
    const drained = door.drain(300);
    for (const last of [0x7fff_ffff, 1]) assert.equal((await raw.ofType('GOAWAY'))?.payload.readUInt32BE(0), last);
    raw.send(Buffer.concat([checkFrames(3, HELLO), frame('RST_STREAM', 0, 3, Buffer.of(0, 0, 0, 8))]));
    held.resolve();
    assert.deepEqual(await raw.messageOf(1), HELLO);
    await raw.closed();
    assert.equal(await raw.messageOf(3), undefined);
    await drained;
  });
});

describe('the native gRPC door, whose peer is about to go,', () => {
  const GOING = frame('GOAWAY', 0, 0, Buffer.alloc(8));
  const lastOf = async (raw: H2Client): Promise<number | undefined> =>
    (await raw.ofType('GOAWAY'))?.payload.readUInt32BE(0);

  it('serves what the peer opens behind its GOAWAY, and then ends', async () => {
    const door = await startDoor();
    const raw = await H2Client.connect(portOf(door));
    raw.send(Buffer.concat([GOING, checkFrames(1, HELLO)]));
    assert.deepEqual([await raw.messageOf(1), await lastOf(raw)], [HELLO, 1]);
    await raw.closed();
    await door.drain(1000);
  });

  it('serves it also while other calls wait', async () => {
    const held = Promise.withResolvers<void>();
    const door = await startDoor({ check: (bytes) => (bytes.length > 1 ? held.promise.then(() => bytes) : bytes) });
    const raw = await H2Client.connect(portOf(door));
    raw.send(Buffer.concat([checkFrames(1, HELLO), GOING]));
    raw.send(checkFrames(3, Buffer.of(7)));
    assert.deepEqual(await raw.messageOf(3), Buffer.of(7));
    held.resolve();
    assert.deepEqual([await raw.messageOf(1), await lastOf(raw)], [HELLO, 3]);
    await raw.closed();
    await door.drain(1000);
  });

  it('names the last call that it served, where the peer opens none', async () => {
    const door = await startDoor();
    const raw = await H2Client.connect(portOf(door));
    raw.send(GOING);
    assert.equal(await lastOf(raw), 0);
    await raw.closed();
    await door.drain(1000);
  });
});
