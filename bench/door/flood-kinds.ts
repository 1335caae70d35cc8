// What one connection can flood a door with: each kind as frames that are encoded beforehand.
import { checkFields, END_HEADERS, END_STREAM, field, frame, PREFACE, uint32 } from '../../test/door/h2-client.ts';

export interface Flood {
  /** Sent as the connection begins, besides the preface. */
  readonly settings: Buffer;
  /** Sent behind that, before the flood. */
  readonly first?: Buffer;
  /**
   * What is sent over and over.
   *
   * @param round 0, 1, 2, …: streams that it opens have a number of their own
   */
  readonly piece: (round: number) => Buffer;
  /** Frames of a piece. */
  readonly frames: number;
  /** What comes back is not read. */
  readonly isDeaf?: boolean;
}

const NO_SETTINGS = frame('SETTINGS', 0, 0);
const setting = (number: number, value: number): Buffer => Buffer.concat([Buffer.of(0, number), uint32(value)]);
const repeated = (bytes: Buffer, times: number): Buffer => Buffer.concat(Array.from({ length: times }, () => bytes));
const stream = (round: number): number => 2 * round + 1;
const head = (round: number, fields: Buffer = checkFields()): Buffer =>
  frame('HEADERS', END_HEADERS, stream(round), fields);
const always = (bytes: Buffer): Pick<Flood, 'settings' | 'piece' | 'frames'> => ({
  settings: NO_SETTINGS,
  piece: () => bytes,
  frames: 1,
});
/**
 * A whole call that is answered at once. It asks for health, not for a check: how many checks a second one peer may have is
 * no matter of the door, and what they cost no flood.
 */
const HEALTH = Buffer.concat([
  Buffer.of(0x83, 0x86),
  field(':path', '/grpc.health.v1.Health/Check'),
  field(':authority', 'door.example.org'),
  field('content-type', 'application/grpc'),
  field('te', 'trailers'),
]);
const call = (round: number): Buffer =>
  Buffer.concat([head(round, HEALTH), frame('DATA', END_STREAM, stream(round), Buffer.alloc(5))]);
/** A message of a mebibyte, of which this is the beginning. */
const BEGUN = Buffer.concat([Buffer.of(0, 0, 0x10, 0, 0), Buffer.alloc(600)]);
/** Index 16 of the static table, the field that stands for most bytes, as often as no call may have it. */
const BOMB = Buffer.concat([checkFields(), Buffer.alloc(2000, 0x80 | 16)]);
/** A field that is remembered, and then named very often. */
const REMEMBERED = Buffer.concat([Buffer.of(0x40, 1, 0x78, 0x7f, 0xe1, 0x1d), Buffer.alloc(3936, 'a')]);
const NAMED = Buffer.concat([checkFields(), Buffer.alloc(30, 0x80 | 62)]);
/** Huffman-coded, of codes of five bits: as much to decode as a frame can hold. */
const CODED = Buffer.concat([checkFields(), Buffer.of(0, 1, 0x78, 0xff, 0x81, 0x77), Buffer.alloc(15_360)]);

export const FLOODS = {
  'streams beyond the bound': { settings: NO_SETTINGS, piece: (round) => head(round), frames: 1 },
  'rapid reset': {
    settings: NO_SETTINGS,
    piece: (round) => Buffer.concat([head(round), frame('RST_STREAM', 0, stream(round), uint32(8))]),
    frames: 2,
  },
  'rapid reset of whole calls': {
    settings: NO_SETTINGS,
    piece: (round) => Buffer.concat([call(round), frame('RST_STREAM', 0, stream(round), uint32(8))]),
    frames: 3,
  },
  MadeYouReset: {
    settings: NO_SETTINGS,
    piece: (round) => Buffer.concat([head(round), frame('WINDOW_UPDATE', 0, stream(round), uint32(0))]),
    frames: 2,
  },
  PING: always(frame('PING', 0, 0, Buffer.alloc(8))),
  SETTINGS: always(frame('SETTINGS', 0, 0, setting(4, 70_000))),
  'SETTINGS of 2,700 values': always(frame('SETTINGS', 0, 0, repeated(setting(4, 70_000), 2700))),
  WINDOW_UPDATE: always(frame('WINDOW_UPDATE', 0, 0, uint32(1))),
  PRIORITY: always(frame('PRIORITY', 0, 1, Buffer.alloc(5))),
  'empty DATA': { ...always(frame('DATA', 0, 1)), first: head(0) },
  'unknown frames': always(frame('UNKNOWN', 0, 0)),
  CONTINUATION: {
    ...always(frame('CONTINUATION', 0, 1, field('x', 'y'))),
    first: frame('HEADERS', 0, 1, checkFields()),
  },
  'HPACK bomb, static table': { settings: NO_SETTINGS, piece: (round) => head(round, BOMB), frames: 1 },
  'HPACK bomb, dynamic table': {
    settings: NO_SETTINGS,
    first: head(0, Buffer.concat([checkFields(), REMEMBERED])),
    piece: (round) => head(round + 1, NAMED),
    frames: 1,
  },
  'HPACK bomb, Huffman': { settings: NO_SETTINGS, piece: (round) => head(round, CODED), frames: 1 },
  'never-ending messages': {
    settings: NO_SETTINGS,
    // A thousand streams are opened, and go on in turn.
    piece: (round) => {
      const begun = stream(round % 1000);
      const data = frame('DATA', 0, begun, round < 1000 ? BEGUN : Buffer.alloc(600));
      return round < 1000 ? Buffer.concat([head(round), data]) : data;
    },
    frames: 1,
  },
  'windows of zero': {
    settings: frame('SETTINGS', 0, 0, setting(4, 0)),
    piece: call,
    frames: 2,
  },
  'answers that are not read': {
    settings: frame('SETTINGS', 0, 0, setting(4, 0x7fff_ffff)),
    first: frame('WINDOW_UPDATE', 0, 0, uint32(0x7000_0000)),
    piece: call,
    frames: 2,
    isDeaf: true,
  },
} as const satisfies Readonly<Record<string, Flood>>;
export type FloodName = keyof typeof FLOODS;

/** How a connection begins. */
export const beginning = ({ settings, first = Buffer.alloc(0) }: Flood): Buffer =>
  Buffer.concat([PREFACE, settings, frame('SETTINGS', 1, 0), first]);
