import { CODE_OF, EOS, lengthOf } from './huffman-code.ts';

/**
 * Decoding by half bytes: each state is an inner node of the code's tree, and has for each of the sixteen half bytes
 * where it leads. No code is shorter than five bits, so a half byte ends one symbol at most.
 */
const FAILS = 0xffff;
const EMITS = 1 << 24;
/** `next state | symbol << 16 | EMITS`. */
const TABLE = new Uint32Array(256 * 16);
/** States in which a text may end: fewer than eight bits since the last symbol, all ones (RFC 7541 §5.2). */
const MAY_END = new Uint8Array(256);

interface Node {
  readonly state: number;
  /** Inner nodes by number, or symbols as `-1 - symbol`. */
  readonly next: [number, number];
}

buildTable();

function buildTable(): void {
  const nodes = treeOf();
  for (const { state } of nodes)
    for (let half = 0; half < 16; half += 1) TABLE[state * 16 + half] = stepOf(nodes, state, half);
  let state = 0;
  for (let ones = 0; ones < 8; ones += 1) {
    MAY_END[state] = 1;
    state = nodes[state]?.next[1] ?? 0;
  }
}

function treeOf(): Node[] {
  const nodes: Node[] = [{ state: 0, next: [0, 0] }];
  for (let symbol = 0; symbol <= EOS; symbol += 1) {
    const code = CODE_OF[symbol] ?? 0;
    let node = nodes[0];
    for (let bit = lengthOf(symbol) - 1; bit >= 0 && node !== undefined; bit -= 1) {
      const side = (code >>> bit) & 1;
      if (bit === 0) node.next[side] = -1 - symbol;
      else if (node.next[side] === 0) {
        node.next[side] = nodes.length;
        nodes.push({ state: nodes.length, next: [0, 0] });
      }
      node = nodes[node.next[side] ?? 0];
    }
  }
  return nodes;
}

function stepOf(nodes: readonly Node[], from: number, half: number): number {
  let state = from;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit -= 1) {
    const next = nodes[state]?.next[(half >>> bit) & 1] ?? 0;
    if (next === -1 - EOS) return FAILS;
    if (next < 0) emitted = EMITS | ((-1 - next) << 16);
    state = Math.max(0, next);
  }
  return state | emitted;
}

/**
 * Decodes a text into `to`, which has room for 8/5 of it.
 *
 * @returns how many bytes it became; -1 where it is none: it holds EOS, or its padding is no beginning of EOS or too long
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, to: Uint8Array): number {
  let state = 0;
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    let step = TABLE[state * 16 + (byte >>> 4)] ?? FAILS;
    if (step === FAILS) return -1;
    if (step >= EMITS) to[length++] = step >>> 16;
    step = TABLE[(step & 0xff) * 16 + (byte & 15)] ?? FAILS;
    if (step === FAILS) return -1;
    if (step >= EMITS) to[length++] = step >>> 16;
    state = step & 0xff;
  }
  return MAY_END[state] === 1 ? length : -1;
}

/** Codes bytes; for what is prepared once. */
export function encodeHuffman(bytes: Uint8Array): Uint8Array {
  const coded: number[] = [];
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    for (let bit = lengthOf(byte) - 1; bit >= 0; bit -= 1) {
      held = (held << 1) | (((CODE_OF[byte] ?? 0) >>> bit) & 1);
      bits += 1;
      if (bits % 8 === 0) coded.push(held & 0xff);
    }
  }
  if (bits % 8 !== 0) coded.push(((held << (8 - (bits % 8))) | (0xff >>> (bits % 8))) & 0xff);
  return Uint8Array.from(coded);
}
