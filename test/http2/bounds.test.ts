// What one peer can make the native gRPC door do and hold: each bound, and that others are served meanwhile.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, describe, it } from 'node:test';
import type { Http2Bounds } from '../../internal/http2/bounds.ts';
import { until } from '../components/until.ts';
import { closeAll, DoorClient, portOf, startDoor, useTransport } from '../door/door-client.ts';
import {
  checkFields,
  checkFrames,
  END_HEADERS,
  END_STREAM,
  FRAME_TYPES,
  type Frame,
  field,
  frame,
  H2Client,
  PREFACE,
  requestHeaders,
  uint32,
} from '../door/h2-client.ts';

useTransport('native');
after(closeAll);

const HELLO = Buffer.from('hello');
const ENHANCE_YOUR_CALM = 11;
const SETTINGS_TIMEOUT = 4;
const RESOURCE_EXHAUSTED = '8';
const DEADLINE_EXCEEDED = '4';

const setting = (number: number, value: number): Buffer => Buffer.concat([Buffer.of(0, number), uint32(value)]);
const repeated = (bytes: Buffer, times: number): Buffer => Buffer.concat(Array.from({ length: times }, () => bytes));
const codeOf = (goaway: Frame | undefined): number | undefined => goaway?.payload.readUInt32BE(4);

/** A door with these bounds, a peer of it, and what the door says of connections and calls that it ends. */
async function bounded(bounds: Partial<Http2Bounds>, options: Parameters<typeof startDoor>[0] = {}) {
  const endings: string[] = [];
  const refused: string[] = [];
  const door = await startDoor({
    ...options,
    bounds,
    onEnding: (ending) => endings.push(ending),
    onRefused: (bound) => refused.push(bound),
  });
  const good = new DoorClient(door.address);
  assert.deepEqual(await good.check(HELLO), HELLO);
  const raw = await H2Client.connect(portOf(door));
  await raw.settings();
  /** The good connection, which was there all the time, is served as before. */
  const close = async (): Promise<void> => {
    assert.deepEqual(await good.check(HELLO), HELLO);
    good.close();
    raw.destroy();
    await door.drain(1000);
  };
  return { door, raw, endings, refused, close };
}

describe('the native gRPC door ends a connection', () => {
  for (const [what, flood] of [
    ['PING', frame('PING', 0, 0, Buffer.alloc(8))],
    ['acknowledged PING', frame('PING', 1, 0, Buffer.alloc(8))],
    ['SETTINGS', frame('SETTINGS', 0, 0, setting(4, 70_000))],
    ['acknowledged SETTINGS', frame('SETTINGS', 1, 0)],
    ['WINDOW_UPDATE', frame('WINDOW_UPDATE', 0, 0, uint32(1))],
    ['PRIORITY', frame('PRIORITY', 0, 1, Buffer.alloc(5))],
    ['frames that nobody knows', frame('UNKNOWN', 0, 0)],
  ] as const) {
    it(`that floods it with ${what}`, async () => {
      const { raw, endings, close } = await bounded({ maxFrameRate: 100 });
      raw.send(repeated(flood, 300));
      assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
      await raw.closed();
      assert.deepEqual(endings, ['frame_rate']);
      await close();
    });
  }

  for (const [what, data] of [
    ['empty DATA', Buffer.alloc(0)],
    ['DATA of nothing but padding', Buffer.concat([Buffer.of(200), Buffer.alloc(200)])],
    ['DATA of one byte', Buffer.of(0)],
  ] as const) {
    it(`that floods it with ${what}`, async () => {
      const { raw, endings, close } = await bounded({ maxFrameRate: 100 });
      const flags = data.length > 1 ? 8 : 0;
      // The message announces enough for all of them.
      raw.send(Buffer.concat([requestHeaders(1), frame('DATA', 0, 1, Buffer.of(0, 0, 0, 0xff, 0))]));
      raw.send(repeated(frame('DATA', flags, 1, data), 300));
      assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
      assert.deepEqual(endings, ['frame_rate']);
      await close();
    });
  }

  it('but not one whose calls are answered, however many such frames they need', async () => {
    const { raw, endings, close } = await bounded({ maxFrameRate: 10, maxResetRate: 10 });
    for (let i = 0; i < 200; i += 1) {
      const id = 2 * i + 1;
      raw.send(Buffer.concat([checkFrames(id, HELLO), repeated(frame('WINDOW_UPDATE', 0, 0, uint32(10)), 3)]));
      assert.deepEqual(await raw.messageOf(id), HELLO);
    }
    assert.deepEqual(endings, []);
    await close();
  });

  it('that takes its calls back as fast as it opens them (CVE-2023-44487)', async () => {
    let begun = 0;
    const { raw, endings, close } = await bounded(
      { maxResetRate: 50 },
      { check: (bytes) => (bytes.length === 1 ? new Promise(() => (begun += 1)) : bytes) },
    );
    for (let id = 1; id < 400; id += 2) {
      const reset = frame('RST_STREAM', 0, id, uint32(8));
      raw.send(Buffer.concat([checkFrames(id, Buffer.of(7)), reset]));
    }
    assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    assert.deepEqual([endings, begun], [['reset_rate'], 51]);
    await close();
  });

  for (const [what, provoke] of [
    ['windows that grow by 0', (id: number) => frame('WINDOW_UPDATE', 0, id, uint32(0))],
    ['windows that overflow', (id: number) => frame('WINDOW_UPDATE', 0, id, uint32(0x7fff_ffff))],
    ['DATA behind the end', (id: number) => frame('DATA', END_STREAM, id, HELLO)],
    ['HEADERS behind the end', (id: number) => requestHeaders(id)],
  ] as const) {
    it(`that makes it reset its calls by ${what} (CVE-2025-8671)`, async () => {
      const { raw, endings, close } = await bounded(
        { maxResetRate: 50 },
        { check: (bytes) => (bytes.length === 1 ? new Promise(() => undefined) : bytes) },
      );
      for (let id = 1; id < 400; id += 2) raw.send(Buffer.concat([checkFrames(id, Buffer.of(7)), provoke(id)]));
      assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
      assert.deepEqual(endings, ['reset_rate']);
      await close();
    });
  }

  it('whose header block comes in too many pieces (CVE-2024-27983)', async () => {
    const { raw, endings, close } = await bounded({ maxContinuations: 4 });
    raw.send(frame('HEADERS', 0, 1, checkFields()));
    raw.send(repeated(frame('CONTINUATION', 0, 1), 10));
    assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    assert.deepEqual(endings, ['continuations']);
    await close();
  });

  it('whose header block is too large, in one piece or several', async () => {
    const { door, raw, endings, close } = await bounded({ maxHeaderBytes: 4096 });
    const large = field('x', 'a'.repeat(3000));
    raw.send(frame('HEADERS', END_HEADERS, 1, Buffer.concat([checkFields(), large, large])));
    assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    const other = await H2Client.connect(portOf(door));
    await other.settings();
    other.send(Buffer.concat([frame('HEADERS', 0, 1, checkFields()), repeated(frame('CONTINUATION', 0, 1, large), 2)]));
    assert.equal(codeOf(await other.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    assert.deepEqual(endings, ['header_bytes', 'header_bytes']);
    await close();
  });

  for (const [what, block] of [
    ['the static table', Buffer.concat([checkFields(), Buffer.alloc(1000, 0x80 | 16)])],
    [
      'what it had remembered',
      Buffer.concat([
        checkFields(),
        Buffer.concat([Buffer.of(0x40, 1, 0x78, 0x7f, 0xe1, 0x1d), Buffer.alloc(3936, 'a')]),
        Buffer.alloc(8000, 0x80 | 62),
      ]),
    ],
  ] as const) {
    it(`whose few bytes stand for many, by ${what} (an HPACK bomb)`, async () => {
      const { raw, endings, close } = await bounded({ maxHeaderBytes: 13_000 });
      raw.send(frame('HEADERS', END_HEADERS, 1, block));
      assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
      assert.deepEqual(endings, ['header_bytes']);
      await close();
    });
  }

  it('that floods it with SETTINGS of thousands of values, each of which is work', async () => {
    const { raw, endings, close } = await bounded({ maxFrameRate: 200 });
    for (let i = 0; i < 10; i += 1) raw.send(frame('SETTINGS', 0, 0, repeated(setting(4, 70_000), 2700)));
    assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    assert.deepEqual(endings, ['frame_rate']);
    await close();
  });

  for (const [what, more] of [
    ['indexes', Buffer.alloc(3000, 0x80 | 16)],
    ['Huffman codes', Buffer.concat([Buffer.of(0, 1, 0x78, 0xff, 0x81, 0x18), Buffer.alloc(3200)])],
  ] as const) {
    it(`whose calls are never whole, and have as many ${what} as they may`, async () => {
      const { raw, endings, close } = await bounded({ maxFrameRate: 100, maxHeaderBytes: 256 * 1024 });
      const block = Buffer.concat([checkFields(), more]);
      for (let id = 1; id < 200; id += 2) raw.send(frame('HEADERS', END_HEADERS, id, block));
      assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
      assert.deepEqual(endings, ['frame_rate']);
      await close();
    });
  }

  it('but not one whose calls are answered, however long their fields are', async () => {
    const { raw, endings, close } = await bounded({ maxFrameRate: 20 });
    for (let id = 1; id < 200; id += 2) {
      raw.send(requestHeaders(id, [['x-long', 'a'.repeat(6000)]]));
      raw.send(frame('DATA', END_STREAM, id, Buffer.of(0, 0, 0, 0, 1, 7)));
      assert.deepEqual(await raw.messageOf(id), Buffer.of(7));
    }
    assert.deepEqual(endings, []);
    await close();
  });

  it('whose calls have more fields than they may, over and over', async () => {
    const { raw, endings, refused, close } = await bounded({ maxHeaderBytes: 4096, maxResetRate: 20 });
    const block = Buffer.concat([checkFields(), Buffer.alloc(100, 0x80 | 16)]);
    for (let id = 1; id < 200; id += 2) raw.send(frame('HEADERS', END_HEADERS, id, block));
    assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    assert.deepEqual([endings, refused.length], [['reset_rate'], 21]);
    await close();
  });

  it('that leaves its answers unread, by a window of 0 or by not reading', async () => {
    const large = Buffer.alloc(200_000);
    const { door, raw, endings, close } = await bounded(
      { maxUnsentBytes: 1_000_000 },
      { check: (bytes) => (bytes.length === 1 ? large : bytes) },
    );
    raw.send(frame('SETTINGS', 0, 0, setting(4, 0)));
    for (let id = 1; id < 20; id += 2) raw.send(checkFrames(id, Buffer.of(7)));
    assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    assert.deepEqual(endings, ['unsent_bytes']);
    const deaf = await H2Client.connect(portOf(door), setting(4, 0x7fff_ffff));
    await deaf.settings();
    deaf.send(frame('WINDOW_UPDATE', 0, 0, uint32(0x7000_0000)));
    deaf.pause();
    for (let id = 1; id < 400; id += 2) deaf.send(checkFrames(id, Buffer.of(7)));
    await until(() => endings.length > 1);
    assert.deepEqual(endings, ['unsent_bytes', 'unsent_bytes']);
    deaf.destroy();
    await close();
  });

  it('that reads none of very many small answers', async () => {
    const small = Buffer.alloc(10_000);
    const { door, raw, endings, close } = await bounded(
      { maxUnsentBytes: 100_000 },
      { check: (bytes) => (bytes.length === 1 ? small : bytes) },
    );
    raw.destroy();
    const deaf = await H2Client.connect(portOf(door), setting(4, 0x7fff_ffff));
    await deaf.settings();
    deaf.send(frame('WINDOW_UPDATE', 0, 0, uint32(0x7000_0000)));
    deaf.pause();
    for (let id = 1; id < 2000; id += 2) deaf.send(checkFrames(id, Buffer.of(7)));
    await until(() => endings.length > 0);
    assert.deepEqual(endings, ['unsent_bytes']);
    deaf.destroy();
    await close();
  });

  it('that takes nothing of an answer for too long', async () => {
    const { raw, endings, close } = await bounded({ stallTimeoutMs: 20 });
    raw.send(frame('SETTINGS', 0, 0, setting(4, 0)));
    raw.send(checkFrames(1, HELLO));
    assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    assert.deepEqual(endings, ['stalled']);
    await close();
  });

  it('that never begins, sends no settings, or does not acknowledge those of the door', async () => {
    const { door, endings, close } = await bounded({ handshakeTimeoutMs: 20 });
    const begun: readonly Buffer[] = [Buffer.alloc(0), PREFACE, Buffer.concat([PREFACE, frame('SETTINGS', 0, 0)])];
    for (const said of begun) {
      const socket = connect(portOf(door), '127.0.0.1');
      const closed = new Promise((resolve) => socket.on('close', resolve));
      const heard: Buffer[] = [];
      socket.on('data', (bytes: Buffer) => heard.push(bytes));
      socket.write(said);
      await closed;
      const goaway = Buffer.concat(heard).indexOf(Buffer.of(FRAME_TYPES.GOAWAY, 0, 0, 0, 0, 0));
      assert.equal(Buffer.concat(heard).readUInt32BE(goaway + 10), SETTINGS_TIMEOUT);
    }
    assert.deepEqual(endings, ['handshake', 'handshake', 'handshake']);
    await close();
  });

  it('whose frame or header block does not come to its end', async () => {
    const { door, raw, endings, close } = await bounded({ requestTimeoutMs: 20 });
    raw.send(Buffer.of(0, 0, 8, 6));
    assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    const other = await H2Client.connect(portOf(door));
    await other.settings();
    other.send(frame('HEADERS', 0, 1, checkFields()));
    assert.equal(codeOf(await other.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    assert.deepEqual(endings, ['slow_request', 'slow_request']);
    await close();
  });

  it('that leaves answers unread, and begins no call of what it sent behind that', async () => {
    let begun = 0;
    const { raw, endings, close } = await bounded(
      { maxUnsentBytes: 100_000 },
      {
        check(bytes) {
          if (bytes.length > 1) return bytes;
          begun += 1;
          return Buffer.alloc(60_000);
        },
      },
    );
    const calls = [1, 3, 5, 7, 9].map((id) => checkFrames(id, Buffer.of(7)));
    raw.send(Buffer.concat([frame('SETTINGS', 0, 0, setting(4, 0)), ...calls]));
    assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    await raw.closed();
    assert.deepEqual([endings, begun], [['unsent_bytes'], 2]);
    await close();
  });

  it('that opens calls on and on behind the final GOAWAY', async () => {
    const { door, raw, endings } = await bounded(
      { maxFrameRate: 100 },
      { check: (bytes) => (bytes.length === 1 ? new Promise(() => undefined) : bytes) },
    );
    raw.send(checkFrames(1, Buffer.of(7)));
    const drained = door.drain(4000);
    for (let i = 0; i < 2; i += 1) await raw.ofType('GOAWAY');
    for (let id = 3; id < 500; id += 2) raw.send(requestHeaders(id));
    assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    assert.deepEqual(endings, ['frame_rate']);
    await drained;
  });

  it('that is silent and does not say that it is there', async () => {
    const { raw, endings } = await bounded({ pingIntervalMs: 20, pingTimeoutMs: 20 });
    assert.deepEqual((await raw.ofType('PING'))?.flags, 0);
    assert.equal(codeOf(await raw.ofType('GOAWAY')), ENHANCE_YOUR_CALM);
    assert.deepEqual(endings, ['silent']);
  });

  it('but not a silent one that says so', async () => {
    const { raw, endings, close } = await bounded({ pingIntervalMs: 20, pingTimeoutMs: 1000 });
    for (let i = 0; i < 3; i += 1) {
      const ping = await raw.ofType('PING');
      raw.send(frame('PING', 1, 0, ping?.payload));
    }
    assert.deepEqual(endings, []);
    await close();
  });
});

describe('the native gRPC door goes on', () => {
  it('when what it tells of connections and calls fails', async () => {
    const fail = (): never => {
      throw new Error('injected');
    };
    const door = await startDoor({ bounds: { maxStreams: 1 }, onEnding: fail, onRefused: fail, onForeign: fail });
    const raw = await H2Client.connect(portOf(door));
    await raw.settings();
    raw.send(frame('PING', 0, 5, Buffer.alloc(8)));
    await raw.closed();
    const other = await H2Client.connect(portOf(door));
    for (const id of [1, 3]) other.send(requestHeaders(id));
    await other.closed();
    const foreign = connect(portOf(door), '127.0.0.1');
    const closed = new Promise((resolve) => foreign.on('close', resolve));
    foreign.resume();
    foreign.write('GET / HTTP/1.1\r\n\r\n');
    await closed;
    const good = new DoorClient(door.address);
    assert.deepEqual(await good.check(HELLO), HELLO);
    good.close();
    await door.drain(1000);
  });
});

describe('the native gRPC door refuses a call', () => {
  it('beyond those that a connection may have', async () => {
    const { raw, refused, close } = await bounded({ maxStreams: 2 });
    for (const id of [1, 3, 5]) raw.send(requestHeaders(id));
    const reset = await raw.ofType('RST_STREAM');
    assert.deepEqual([reset?.stream, reset?.payload.readUInt32BE(0), refused], [5, 7, ['streams']]);
    // What is on its way to it is passed over.
    raw.send(Buffer.concat([frame('DATA', 0, 5, HELLO), frame('DATA', END_STREAM, 1, Buffer.of(0, 0, 0, 0, 1, 7))]));
    assert.deepEqual(await raw.messageOf(1), Buffer.of(7));
    await close();
  });

  it('whose fields come to more than they may', async () => {
    const { raw, refused, close } = await bounded({ maxHeaderBytes: 4096 });
    // Index 16 of the static table comes to 61 bytes.
    raw.send(frame('HEADERS', END_HEADERS, 1, Buffer.concat([checkFields(), Buffer.alloc(100, 0x80 | 16)])));
    assert.equal((await raw.trailersOf(1)).get('grpc-status'), RESOURCE_EXHAUSTED);
    assert.deepEqual(refused, ['header_bytes']);
    raw.send(checkFrames(3, HELLO));
    assert.deepEqual(await raw.messageOf(3), HELLO);
    await close();
  });

  it('beyond what a connection may send of messages that are not whole', async () => {
    const { raw, refused, close } = await bounded({ maxBufferedBytes: 100_000 });
    const begun = frame('DATA', 0, 1, Buffer.concat([Buffer.of(0, 0, 0, 0x4e, 0x20), Buffer.alloc(10_000)]));
    for (let id = 1; id < 30; id += 2) {
      begun.writeUInt32BE(id, 5);
      raw.send(Buffer.concat([requestHeaders(id), begun]));
    }
    const isLast = ({ type, flags }: Frame): boolean => type === FRAME_TYPES.HEADERS && (flags & END_STREAM) !== 0;
    for (let id = 19; id < 30; id += 2) assert.equal((await raw.next(isLast))?.stream, id);
    assert.deepEqual(refused, Array(6).fill('buffered_bytes'));
    // One that is taken back leaves its memory to another.
    raw.send(Buffer.concat([frame('RST_STREAM', 0, 3, uint32(8)), frame('DATA', END_STREAM, 1, Buffer.alloc(10_000))]));
    assert.equal((await raw.next(({ type }) => type === FRAME_TYPES.DATA))?.stream, 1);
    await close();
  });

  for (const [how, lengths, most] of [
    ['in one piece', [1004], 9],
    // Such a one takes 4,096 bytes, however short it is.
    ['in pieces', [500, 504], 2],
  ] as const) {
    it(`whose message came ${how} and has no place beside those whose checks wait`, async () => {
      const waiting: ((bytes: Uint8Array) => void)[] = [];
      const { raw, refused, close } = await bounded(
        { maxBufferedBytes: 9000 },
        { check: (bytes) => (bytes.length === 999 ? new Promise((resolve) => waiting.push(resolve)) : bytes) },
      );
      const whole = Buffer.concat([Buffer.of(0, 0, 0, 0x03, 0xe7), Buffer.alloc(999)]);
      const send = (id: number): void => {
        raw.send(requestHeaders(id));
        let at = 0;
        for (const length of lengths) {
          const piece = whole.subarray(at, at + length);
          at += length;
          raw.send(frame('DATA', at === whole.length ? END_STREAM : 0, id, piece));
        }
      };
      for (let i = 0; i <= most; i += 1) send(2 * i + 1);
      const beyond = 2 * most + 1;
      assert.equal((await raw.trailersOf(beyond)).get('grpc-status'), RESOURCE_EXHAUSTED);
      assert.deepEqual([refused, waiting.length], [['buffered_bytes'], most]);
      // A caller that goes away frees nothing that its check still has.
      raw.send(frame('RST_STREAM', 0, 1, uint32(8)));
      send(beyond + 2);
      assert.equal((await raw.trailersOf(beyond + 2)).get('grpc-status'), RESOURCE_EXHAUSTED);
      // A check that is over does.
      waiting[0]?.(HELLO);
      send(beyond + 4);
      await until(() => waiting.length === most + 1);
      waiting[1]?.(HELLO);
      assert.deepEqual(await raw.messageOf(3), HELLO);
      await close();
    });
  }

  it('beyond what all connections may hold, on those that hold more than their share', async () => {
    const waiting: ((bytes: Uint8Array) => void)[] = [];
    const { door, raw, refused, close } = await bounded(
      { maxBufferedBytes: 9000, maxBufferedTotal: 12_000 },
      { check: (bytes) => (bytes.length === 999 ? new Promise((resolve) => waiting.push(resolve)) : bytes) },
    );
    const checks = (from: number, to: number): Buffer =>
      Buffer.concat(Array.from({ length: to - from }, (_, i) => checkFrames(2 * (from + i) + 1, Buffer.alloc(999))));
    raw.send(checks(0, 7));
    assert.equal((await raw.trailersOf(13)).get('grpc-status'), RESOURCE_EXHAUSTED);
    // Three connections: each has 2,000 of the half.
    const other = await H2Client.connect(portOf(door));
    other.send(checks(0, 3));
    assert.equal((await other.trailersOf(5)).get('grpc-status'), RESOURCE_EXHAUSTED);
    assert.deepEqual([refused, waiting.length], [['buffered_total', 'buffered_total'], 8]);
    // Who holds less has room for more.
    other.send(checkFrames(7, Buffer.of(7)));
    assert.equal((await other.trailersOf(7)).get('grpc-status'), '0');
    for (const answer of waiting) answer(HELLO);
    assert.deepEqual(await raw.messageOf(1), HELLO);
    raw.send(checks(7, 8));
    await until(() => waiting.length === 9);
    waiting[8]?.(HELLO);
    other.destroy();
    await close();
  });

  it('whose message does not come in time', async () => {
    const { raw, refused, close } = await bounded({ requestTimeoutMs: 20 });
    raw.send(Buffer.concat([requestHeaders(1), frame('DATA', 0, 1, Buffer.of(0, 0, 0, 0, 9, 7))]));
    assert.equal((await raw.trailersOf(1)).get('grpc-status'), DEADLINE_EXCEEDED);
    assert.deepEqual(refused, ['slow_request']);
    await close();
  });

  it('whose message does not come in time, and counts it once, also while its answer is not taken', async () => {
    const { raw, refused, close } = await bounded({ requestTimeoutMs: 20 });
    raw.send(frame('SETTINGS', 0, 0, setting(4, 0)));
    // Answered 415 before its request is over, with a body that has to wait.
    const fields = [':method', 'POST', ':scheme', 'http', ':path', '/'];
    const block = [0, 2, 4].map((i) => field(fields[i] ?? '', fields[i + 1] ?? ''));
    raw.send(frame('HEADERS', END_HEADERS, 1, Buffer.concat(block)));
    for (let i = 0; i < 3; i += 1) raw.send(frame('DATA', 0, 1, Buffer.alloc(16_000)));
    assert.equal((await raw.next(({ stream }) => stream === 1))?.type, FRAME_TYPES.HEADERS);
    for (const id of [3, 5, 7]) {
      raw.send(requestHeaders(id));
      assert.equal((await raw.trailersOf(id)).get('grpc-status'), DEADLINE_EXCEEDED);
    }
    assert.deepEqual(refused, Array(3).fill('slow_request'));
    await close();
  });

  it('whose answer does not come before its deadline, and tells the check', async () => {
    const gone = Promise.withResolvers<void>();
    const { raw, close } = await bounded(
      { pingIntervalMs: 40 },
      {
        check: (bytes, call) => {
          if (bytes.length > 1) return bytes;
          call.onCancel?.(() => gone.resolve());
          return new Promise(() => undefined);
        },
      },
    );
    raw.send(requestHeaders(1, [['grpc-timeout', '5m']]));
    raw.send(frame('DATA', END_STREAM, 1, Buffer.of(0, 0, 0, 0, 1, 7)));
    assert.equal((await raw.trailersOf(1)).get('grpc-status'), DEADLINE_EXCEEDED);
    await gone.promise;
    await close();
  });
});
