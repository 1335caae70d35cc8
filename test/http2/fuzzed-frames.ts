// Frames that no client sends: right ones, right ones that are changed, and none at all, in an order that nobody means.
import {
  checkFields,
  checkFrames,
  END_HEADERS,
  END_STREAM,
  FRAME_TYPES,
  type FrameName,
  field,
  frame,
  PREFACE,
  uint32,
} from '../door/h2-client.ts';

/** 32 bits at a time, the same for the same seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

const NAMES = Object.keys(FRAME_TYPES) as FrameName[];
const BLOCKS: readonly Buffer[] = [
  checkFields(),
  checkFields([['grpc-timeout', '5m']]),
  checkFields([['x-large', 'a'.repeat(3000)]]),
  // Remembered, and named by its index.
  Buffer.concat([checkFields(), Buffer.from([0x40, 1, 0x61, 1, 0x62])]),
  Buffer.concat([checkFields(), Buffer.from([0xbe])]),
  Buffer.from([0x3f, 0xe1, 0x1f, 0x83, 0x86]),
  field(':path', '/'),
];

/** Blocks that HPACK can read, of requests that are none. */
const FLAWED: readonly Buffer[] = [
  field(':path', '/'),
  checkFields([['connection', 'close']]),
  checkFields([['content-length', '3']]),
  checkFields([['X-Upper', 'a']]),
  Buffer.alloc(0),
];

/** What one peer sends, piece by piece, and how many frames that were. */
export class FuzzedPeer {
  frames = 0;
  readonly #next: () => number;
  /** One frame of so many may end the connection; of a wild peer, any. */
  readonly #tameness: number;
  #stream = 1;

  constructor(seed: number) {
    this.#next = chance(seed);
    this.#tameness = [1, 20, 500, 5000][seed % 4] ?? 1;
  }

  begin(): Buffer {
    const start = this.#below(20) === 0 ? this.#random(this.#below(60)) : PREFACE;
    return Buffer.concat([start, frame('SETTINGS', 0, 0), frame('SETTINGS', 1, 0)]);
  }

  /** Some frames, cut off anywhere now and then. */
  piece(): Buffer {
    const frames = Buffer.concat(Array.from({ length: 1 + this.#below(20) }, () => this.#one()));
    if (this.#below(50 * this.#tameness) !== 0) return frames;
    return frames.subarray(0, this.#below(frames.length + 1));
  }

  #one(): Buffer {
    this.frames += 1;
    return this.#below(this.#tameness) === 0 ? this.#wild() : this.#tame();
  }

  /** What concerns one stream at most, right or wrong. */
  #tame(): Buffer {
    const known = Math.max(1, this.#stream - 2 * (1 + this.#below(6)));
    switch (this.#below(12)) {
      case 0:
        return this.#begun(this.#pick(BLOCKS.slice(0, 3)), END_HEADERS | (this.#below(2) * END_STREAM));
      case 1:
        return this.#stream === 1 ? this.#check() : frame('DATA', this.#below(2) * END_STREAM, known, this.#payload());
      case 2:
        return this.#stream === 1 ? this.#check() : frame('WINDOW_UPDATE', 0, known, this.#number());
      case 3:
        return this.#stream === 1 ? this.#check() : frame('RST_STREAM', 0, known, this.#number());
      case 4:
        return frame('SETTINGS', 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(this.#below(70_000))]));
      case 5:
        return frame('PING', 0, 0, this.#random(8));
      case 6:
        return frame('WINDOW_UPDATE', 0, 0, uint32(1 + this.#below(30_000)));
      case 7:
        return this.#begun(this.#pick(FLAWED), END_HEADERS);
      default:
        return this.#check();
    }
  }

  /** Opens the next stream with a block that is one. */
  #begun(block: Buffer, flags: number): Buffer {
    const stream = this.#stream;
    this.#stream += 2;
    return frame('HEADERS', flags, stream, block);
  }

  #wild(): Buffer {
    switch (this.#below(7)) {
      case 0:
        return this.#opened();
      case 1:
        return frame('DATA', this.#flags(), this.#someStream(), this.#payload());
      case 2:
        return frame('WINDOW_UPDATE', 0, this.#below(2) * this.#someStream(), this.#number());
      case 3:
        return frame('RST_STREAM', 0, this.#someStream(), this.#number());
      case 4:
        return this.#changed(this.#check());
      case 5:
        return frame('SETTINGS', 0, 0, Buffer.concat([Buffer.of(0, this.#below(8)), this.#number()]));
      default:
        return frame(this.#pick(NAMES), this.#flags(), this.#someStream(), this.#payload());
    }
  }

  #check(): Buffer {
    const bytes = checkFrames(this.#stream, this.#random(1 + this.#below(40)));
    this.#stream += 2;
    return bytes;
  }

  #opened(): Buffer {
    const block = this.#pick(BLOCKS);
    const stream = this.#below(10) === 0 ? this.#someStream() : this.#stream;
    this.#stream = Math.max(this.#stream, stream + 2);
    if (this.#below(4) !== 0) return frame('HEADERS', END_HEADERS | (this.#below(2) * END_STREAM), stream, block);
    const cut = this.#below(block.length);
    this.frames += 1;
    return Buffer.concat([
      frame('HEADERS', this.#below(2) * END_STREAM, stream, block.subarray(0, cut)),
      frame('CONTINUATION', END_HEADERS, this.#below(20) === 0 ? stream + 2 : stream, block.subarray(cut)),
    ]);
  }

  /** The same bytes but for a few. */
  #changed(bytes: Buffer): Buffer {
    const changed = Buffer.from(bytes);
    // Lengths are left alone most of the time: what follows would be no frames any more.
    const from = this.#below(8) === 0 ? 0 : 3;
    for (let i = 0; i <= this.#below(4); i += 1) changed[from + this.#below(changed.length - from)] = this.#next();
    return changed;
  }

  #payload(): Buffer {
    return this.#random(this.#below(8) === 0 ? this.#below(5000) : this.#below(20));
  }

  #random(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.#next() & 0xff));
  }

  #number(): Buffer {
    return uint32(this.#below(4) === 0 ? this.#next() : this.#below(100_000));
  }

  #flags(): number {
    return this.#below(3) === 0 ? this.#next() & 0xff : this.#below(2) * END_STREAM;
  }

  /** Mostly one that is or was open. */
  #someStream(): number {
    if (this.#below(30) === 0) return this.#next() & 0x7fff_ffff;
    return Math.max(0, this.#stream - this.#below(12));
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T;
  }

  #below(bound: number): number {
    return bound === 0 ? 0 : this.#next() % bound;
  }
}
