// Text of protobuf fields. What is not UTF-8 stays distinguishable; what comes again and again is made once.
import { isUtf8 } from 'node:buffer';

/** Up to this length a loop over the bytes beats a call into the runtime. */
const SHORT = 16;
/** One byte each in UTF-8. */
const ALL_ASCII = /^[^\u0080-\uffff]*$/;
/** What the runtime makes of bytes that are no UTF-8; text may hold it, too. */
const REPLACEMENT = '\ufffd';

/**
 * UTF-8 text; each byte that is part of no UTF-8 sequence becomes the lone surrogate U+DC00 + byte, so that different
 * bytes stay different text. Linear in the length.
 */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  if (end - start > SHORT) return decodeLong(bytes, start, end);
  // A text that is put together letter by letter would leave as many behind for the collector.
  for (let i = start; i < end; i += 1) if ((bytes[i] ?? 0) >= 0x80) return decodeLong(bytes, start, end);
  return bytes.toString('latin1', start, end);
}

function decodeLong(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  // In a text of one byte a character, which nearly all are, there is nothing to look through for it.
  if (!text.includes(REPLACEMENT)) return text;
  const part = bytes.subarray(start, end);
  return isUtf8(part) ? text : keepBadBytes(part);
}

/** Decodes in pieces, so that no bytes become an argument list of their own length. */
const PIECE = 1024;

function keepBadBytes(part: Buffer): string {
  const units: number[] = [];
  let text = '';
  for (let i = 0; i < part.length; ) {
    const length = sequenceLength(part, i);
    if (length === 0) units.push(0xdc00 + (part[i] ?? 0));
    else pushSequence(units, part, i, length);
    i += length === 0 ? 1 : length;
    if (units.length >= PIECE) {
      text += String.fromCharCode(...units);
      units.length = 0;
    }
  }
  return text + String.fromCharCode(...units);
}

/** Bytes of the well-formed sequence at a place, 0 where there is none (The Unicode Standard, table 3-7). */
function sequenceLength(part: Buffer, at: number): number {
  const first = part[at] ?? 0;
  if (first < 0x80) return 1;
  const second = part[at + 1] ?? 0;
  if (first < 0xe0) return first >= 0xc2 && isContinuation(second) ? 2 : 0;
  if (!isContinuation(part[at + 2] ?? 0)) return 0;
  if (first < 0xf0) {
    const low = first === 0xe0 ? 0xa0 : 0x80;
    const high = first === 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high ? 3 : 0;
  }
  if (first > 0xf4 || !isContinuation(part[at + 3] ?? 0)) return 0;
  const low = first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high ? 4 : 0;
}

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

function pushSequence(units: number[], part: Buffer, at: number, length: number): void {
  const first = part[at] ?? 0;
  if (length === 1) {
    units.push(first);
    return;
  }
  let point = first & (0x7f >> length);
  for (let i = 1; i < length; i += 1) point = (point << 6) | ((part[at + i] ?? 0) & 0x3f);
  if (point < 0x10000) units.push(point);
  else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
}

const SLOTS = 2048;
const PRIME = 0x0100_0193;
const MAX_WORD = 32;

/**
 * Words that most messages share: names of headers, methods, protocols. A table of fixed size, indexed by a hash and
 * compared in full, so that whoever fills it with other words costs others a decoding and nothing else. A word is kept
 * when it comes twice in a row at its place: keeping costs more than decoding, and words that pass by once, such as ten
 * thousand hosts in turn, must not pay for it. Values of headers do not belong here: they can be secrets.
 */
export class WordTable {
  readonly #fold: (word: string) => string;
  readonly #markOf: (spelt: string) => number;
  /** Hash, of all bytes, of the word that was looked for last at each place and is not the one kept there. */
  readonly #missed = new Int32Array(SLOTS);
  readonly #spelt: string[] = Array.from({ length: SLOTS }, () => '');
  readonly #words: string[] = Array.from({ length: SLOTS }, () => '');
  readonly #marks = new Uint8Array(SLOTS);
  /** The mark of the word that was given last. */
  mark = 0;
  /** Its slot: the same spelling has the same one. -1 where it has none. */
  slot = -1;

  /**
   * @param fold what to make of a word, once
   * @param markOf what else is to be known of its spelling, as bits
   */
  constructor(fold: (word: string) => string = (word) => word, markOf: (spelt: string) => number = () => 0) {
    this.#fold = fold;
    this.#markOf = markOf;
  }

  get(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length > MAX_WORD || length === 0) return this.#give(decodeText(bytes, start, end), -1);
    const slot = slotOf(bytes, start, end);
    const spelt = this.#spelt[slot] ?? '';
    if (spelt.length === length && isSame(spelt, bytes, start)) {
      this.mark = this.#marks[slot] ?? 0;
      this.slot = slot;
      return this.#words[slot] ?? '';
    }
    const decoded = decodeText(bytes, start, end);
    let hash = length;
    for (let i = start; i < end; i += 1) hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0;
    if (this.#missed[slot] === hash) return this.#keep(slot, decoded, length);
    this.#missed[slot] = hash;
    return this.#give(decoded, slot);
  }

  #give(spelt: string, slot: number): string {
    this.mark = this.#markOf(spelt);
    this.slot = slot;
    return this.#fold(spelt);
  }

  #keep(slot: number, spelt: string, length: number): string {
    const word = internalised(this.#give(spelt, slot));
    // Only what is one byte a character can be compared by `isSame`.
    if (spelt.length === length && ALL_ASCII.test(spelt)) {
      this.#spelt[slot] = spelt;
      this.#words[slot] = word;
      this.#marks[slot] = this.mark;
    }
    return word;
  }
}

/** Told by some of the bytes: words that differ in none of these take turns at a place, which costs them a decoding each. */
function slotOf(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  let hash = Math.imul(length, PRIME) ^ (bytes[start] ?? 0);
  hash = Math.imul(hash, PRIME) ^ (bytes[start + (length >>> 2)] ?? 0);
  hash = Math.imul(hash, PRIME) ^ (bytes[start + (length >>> 1)] ?? 0);
  hash = Math.imul(hash, PRIME) ^ (bytes[end - (length >>> 2) - 1] ?? 0);
  hash = Math.imul(hash, PRIME) ^ (length > 1 ? (bytes[end - 2] ?? 0) : 0);
  hash = Math.imul(hash, PRIME) ^ (bytes[end - 1] ?? 0);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

function isSame(text: string, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

/** The engine's own copy of a text, as it keeps for names in code: two of them are compared by address. */
function internalised(text: string): string {
  for (const key in { [text]: true }) return key;
  return text;
}

/** Lower case for ASCII alone: other letters fold to ASCII ones (U+212A becomes `k`). */
export function lowerAscii(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}
