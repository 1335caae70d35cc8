import { ERROR } from '../codes.ts';
import { ConnectionError } from '../connection-error.ts';
import { DynamicTable, ENTRY_OVERHEAD, type TableField } from './dynamic-table.ts';
import { decodeHuffman } from './huffman.ts';
import { STATIC_FIELDS } from './static-table.ts';

/** Who wants the fields of a block. */
export interface FieldSink {
  /**
   * Which of its fields a name is, a number of its own; `UNWANTED` where it does not want its values. Asked once for each
   * name that is spelt out, in bytes as Latin-1.
   */
  slotOf(name: string): number;
  /**
   * A field, in the order of the block.
   *
   * @param slot  `MALFORMED` where nobody wants it and its value holds NUL, CR or LF (RFC 9113 §8.2.1)
   * @param value bytes as Latin-1; empty where it is unwanted
   * @param size  of both and 32, as header lists are counted
   */
  field(slot: number, value: string, size: number): void;
}

export const UNWANTED = 0;
export const MALFORMED = -1;

/** Longer integers are no sizes or indexes that could be right. */
const MAX_INTEGER_BYTES = 4;
const NUL = 0;
const LF = 10;
const CR = 13;

/** The static table, with what a sink wants of it. */
export const staticFieldsFor = (sink: Pick<FieldSink, 'slotOf'>): readonly TableField[] =>
  STATIC_FIELDS.map(([name, value]) => ({
    name,
    slot: sink.slotOf(name),
    value,
    size: name.length + value.length + ENTRY_OVERHEAD,
  }));

/**
 * Decodes header blocks (RFC 7541) for one connection. Of fields that nobody wants no text is made, but all count in the
 * dynamic table.
 *
 * @throws {ConnectionError} COMPRESSION_ERROR, after which the connection cannot go on
 */
export class HeaderDecoder {
  readonly #sink: FieldSink;
  readonly #statics: readonly TableField[];
  readonly #table: DynamicTable;
  readonly #maxTableBytes: number;
  /** Where texts that are Huffman-coded are decoded to. */
  #scratch = Buffer.alloc(0);
  #bytes: Buffer = this.#scratch;
  #at = 0;
  #end = 0;
  /** Bytes of the text that was read last. */
  #textBytes = 0;
  #changes = 0;

  /**
   * @param maxTableBytes the most that the peer is told it may let the table have; it begins with no more than 4,096
   * @param statics       the static table for sinks of this kind, where there are many
   */
  constructor(sink: FieldSink, maxTableBytes: number, statics: readonly TableField[] = staticFieldsFor(sink)) {
    this.#sink = sink;
    this.#maxTableBytes = maxTableBytes;
    this.#table = new DynamicTable(Math.min(4096, maxTableBytes));
    this.#statics = statics;
  }

  /** Grows with every change of the table: between two equal blocks without one, the second means what the first did. */
  get changes(): number {
    return this.#changes;
  }

  get tableBytes(): number {
    return this.#table.size;
  }

  decode(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    let hasField = false;
    while (this.#at < end) {
      const first = bytes[this.#at] ?? 0;
      if ((first & 0xe0) === 0x20) {
        if (hasField) throw broken('the table is resized behind a field');
        this.#resize();
        continue;
      }
      hasField = true;
      if (first >= 0x80) this.#indexed();
      else if (first >= 0x40) this.#literal(6, true);
      else this.#literal(4, false);
    }
  }

  #indexed(): void {
    const { slot, value, size } = this.#fieldAt(this.#integer(7));
    this.#sink.field(slot, value, size);
  }

  #literal(prefixBits: number, isRemembered: boolean): void {
    const index = this.#integer(prefixBits);
    let name: string;
    let slot: number;
    if (index === 0) {
      name = this.#text();
      slot = this.#sink.slotOf(name);
    } else {
      const known = this.#fieldAt(index);
      name = known.name;
      slot = known.slot === MALFORMED ? UNWANTED : known.slot;
    }
    let value = '';
    if (slot !== UNWANTED) value = this.#text();
    else if (!this.#skipText()) slot = MALFORMED;
    const size = name.length + this.#textBytes + ENTRY_OVERHEAD;
    if (isRemembered) {
      this.#changes += 1;
      this.#table.insert({ name, slot, value, size });
    }
    this.#sink.field(slot, value, size);
  }

  #fieldAt(index: number): TableField {
    const field =
      index <= STATIC_FIELDS.length ? this.#statics[index - 1] : this.#table.get(index - STATIC_FIELDS.length - 1);
    if (field === undefined) throw broken('an index names no field');
    return field;
  }

  #resize(): void {
    const size = this.#integer(5);
    if (size > this.#maxTableBytes) throw broken('the table is made larger than it may be');
    this.#changes += 1;
    this.#table.resize(size);
  }

  /** RFC 7541 §5.1. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let i = 0; i < MAX_INTEGER_BYTES; i += 1) {
      const byte = this.#byte();
      value += (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    throw broken('an integer is too large');
  }

  #byte(): number {
    if (this.#at >= this.#end) throw broken('the block ends too early');
    return this.#bytes[this.#at++] ?? 0;
  }

  #text(): string {
    const isCoded = (this.#peek() & 0x80) !== 0;
    const length = this.#textLength();
    const start = this.#at;
    this.#at += length;
    if (isCoded) return this.#scratchText(this.#decoded(start, length));
    this.#textBytes = length;
    return this.#bytes.toString('latin1', start, start + length);
  }

  /**
   * A text that nobody wants is decoded all the same: one that is broken must not depend on who looks.
   *
   * @returns whether it may be a field's value
   */
  #skipText(): boolean {
    const isCoded = (this.#peek() & 0x80) !== 0;
    const length = this.#textLength();
    const start = this.#at;
    this.#at += length;
    if (isCoded) return this.#isScratchValue(this.#decoded(start, length));
    this.#textBytes = length;
    return isValue(this.#bytes, start, start + length);
  }

  /** Behind the decoding, which may have made room. */
  #scratchText(length: number): string {
    return this.#scratch.toString('latin1', 0, length);
  }

  #isScratchValue(length: number): boolean {
    return isValue(this.#scratch, 0, length);
  }

  #peek(): number {
    return this.#at < this.#end ? (this.#bytes[this.#at] ?? 0) : 0;
  }

  #textLength(): number {
    const length = this.#integer(7);
    if (length > this.#end - this.#at) throw broken('a text is longer than its block');
    return length;
  }

  #decoded(start: number, length: number): number {
    const room = Math.ceil((length * 8) / 5);
    if (this.#scratch.length < room) this.#scratch = Buffer.alloc(Math.max(256, room));
    const decoded = decodeHuffman(this.#bytes, start, start + length, this.#scratch);
    if (decoded === -1) throw broken('a text is not Huffman-coded as it says');
    this.#textBytes = decoded;
    return decoded;
  }
}

function isValue(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte <= CR && (byte === CR || byte === LF || byte === NUL)) return false;
  }
  return true;
}

const broken = (what: string): ConnectionError =>
  new ConnectionError(ERROR.compression, `A header block is broken: ${what}`);
