import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ERROR, MAX_FRAME_BYTES } from './codes.ts';
import { ConnectionError } from './connection-error.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { WriteBuffers } from './write-buffers.ts';

type Read = readonly [type: number, flags: number, stream: number, payload: string];

function reading() {
  const frames: Read[] = [];
  const reader = new FrameReader({
    frame: (type, flags, stream, bytes, start, end) =>
      void frames.push([type, flags, stream, bytes.toString('hex', start, end)]),
  });
  return { frames, reader };
}

const aFrame = (length: number, type: number, flags: number, stream: number): Buffer => {
  const bytes = Buffer.alloc(9 + length, type);
  bytes.writeUIntBE(length, 0, 3);
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  return bytes;
};
const readOf = (length: number, type: number, flags: number, stream: number): Read => [
  type,
  flags,
  stream & 0x7fff_ffff,
  Buffer.alloc(length, type).toString('hex'),
];

describe('FrameReader', () => {
  it('finds the same frames however they are cut into pieces', () => {
    const shape = fc.tuple(
      fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(MAX_FRAME_BYTES)),
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
    );
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 6 }), fc.array(fc.nat(30), { maxLength: 50 }), (shapes, cuts) => {
        const { frames, reader } = reading();
        let rest = Buffer.concat(shapes.map((each) => aFrame(...each)));
        for (const cut of cuts) {
          reader.read(rest.subarray(0, cut));
          rest = rest.subarray(cut);
        }
        reader.read(rest);
        assert.deepEqual(
          frames,
          shapes.map((each) => readOf(...each)),
        );
        assert.deepEqual([reader.isInFrame, reader.count], [false, shapes.length]);
      }),
    );
  });

  it('copies no frame that lies in one piece', () => {
    const piece = aFrame(10, 0, 0, 1);
    const owners: Buffer[] = [];
    new FrameReader({ frame: (_type, _flags, _stream, bytes) => void owners.push(bytes) }).read(piece);
    assert.equal(owners[0], piece);
  });

  it('says whether the rest of a frame is to come', () => {
    const { reader } = reading();
    reader.read(Buffer.of(0));
    assert.equal(reader.isInFrame, true);
  });

  it('refuses a frame that is too large by its head, whole or in pieces', () => {
    const head = aFrame(0, 0, 0, 1);
    head.writeUIntBE(MAX_FRAME_BYTES + 1, 0, 3);
    const isTooLarge = (error: unknown): boolean => error instanceof ConnectionError && error.code === ERROR.frameSize;
    assert.throws(() => reading().reader.read(head), isTooLarge);
    const { reader } = reading();
    reader.read(head.subarray(0, 4));
    assert.throws(() => reader.read(head.subarray(4)), isTooLarge);
  });

  it('finds no frame behind the one that stops it, nor goes on later', () => {
    const bytes = Buffer.concat([aFrame(3, 1, 4, 1), aFrame(3, 1, 4, 3), aFrame(20, 1, 4, 5)]);
    for (const cut of [bytes.length, 20, 5]) {
      const streams: number[] = [];
      const reader = new FrameReader({
        frame(_type, _flags, stream) {
          streams.push(stream);
          reader.stop();
        },
      });
      reader.read(bytes.subarray(0, cut));
      reader.read(bytes.subarray(cut));
      reader.read(bytes);
      assert.deepEqual([streams, reader.isInFrame], [[1], false]);
    }
  });
});

/** A socket that takes what it is given at once, or never. */
class Target {
  readonly writes: Buffer[] = [];
  writableLength = 0;
  readonly #takes: boolean;

  constructor(takes: boolean) {
    this.#takes = takes;
  }

  write(bytes: Buffer): boolean {
    this.writes.push(this.#takes ? Buffer.from(bytes) : bytes);
    if (!this.#takes) this.writableLength += bytes.length;
    return true;
  }
}

describe('FrameWriter', () => {
  const hexOf = (target: Target): readonly string[] => target.writes.map((bytes) => bytes.toString('hex'));

  it('hands all frames of a turn to the socket in one piece', () => {
    const target = new Target(true);
    const writer = new FrameWriter(target, new WriteBuffers());
    writer.settingsAck();
    writer.windowUpdate(0, 0x0102_0304);
    writer.reset(5, 8);
    writer.ping(1, Buffer.from('12345678'));
    writer.goaway(0x7fff_ffff, 11, 'ab');
    writer.flush();
    writer.flush();
    assert.deepEqual(hexOf(target), [
      [
        '000000 04 01 00000000',
        '000004 08 00 00000000 01020304',
        '000004 03 00 00000005 00000008',
        '000008 06 01 00000000 3132333435363738',
        '00000a 07 00 00000000 7fffffff 0000000b 6162',
      ]
        .join('')
        .replaceAll(' ', ''),
    ]);
  });

  it('uses a buffer again only once the socket has nothing more of it', () => {
    for (const takes of [true, false]) {
      const target = new Target(takes);
      const writer = new FrameWriter(target, new WriteBuffers());
      for (const stream of [1, 3]) {
        writer.reset(stream, 8);
        writer.flush();
      }
      assert.deepEqual(hexOf(target), ['00000403000000000100000008', '00000403000000000300000008']);
    }
  });

  it('writes more than a buffer holds in several pieces, none of a frame apart', () => {
    const target = new Target(true);
    const writer = new FrameWriter(target, new WriteBuffers());
    const frame = aFrame(16_000, 1, 4, 0);
    for (let i = 0; i < 9; i += 1) writer.prepared(frame, 2 * i + 1);
    writer.flush();
    assert.deepEqual(
      target.writes.map(({ length }) => length),
      [4 * 16_009, 4 * 16_009, 16_009],
    );
    const { frames, reader } = reading();
    for (const bytes of target.writes) reader.read(bytes);
    assert.deepEqual(
      frames.map(([, , stream]) => stream),
      [1, 3, 5, 7, 9, 11, 13, 15, 17],
    );
  });
});
