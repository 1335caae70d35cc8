import { ALL_TOLD, type HeaderFields } from '../core/attributes.ts';
import { isBlank } from '../core/blanks.ts';
import { isOddName } from '../policy/own-headers.ts';
import { BYTES, malformed, type ProtoReader, tagOf } from './proto-reader.ts';
import { decodeText, lowerAscii, WordTable } from './wire-text.ts';

/** Most header fields of one request, entries that take another's place counted; Envoy's own default is 100. */
export const MAX_HEADERS = 1000;

const HEADERS = tagOf(1, BYTES);
const KEY = tagOf(1, BYTES);
const VALUE = tagOf(2, BYTES);
const RAW_VALUE = tagOf(3, BYTES);
/** Up to so many names, looking for one that is there already costs less than leaving it to a set. */
const FEW = 24;
/** What is marked at names. */
const ODD = 1;
const FOLDED = 2;

const names = new WordTable(
  lowerAscii,
  (spelt) => (isOddName(spelt) ? ODD : 0) | (lowerAscii(spelt) === spelt ? 0 : FOLDED),
);

/**
 * Header fields as they lie in the message: names are read at once, values when they are asked for. Holds both forms,
 * `headers` (a map: the last of equal keys wins) and `header_map` (every line for itself). Should a message carry both,
 * every value of both counts, and counts as joined: the strict reading of each.
 */
export class WireHeaders implements HeaderFields {
  readonly untold = ALL_TOLD;
  readonly #bytes: Buffer;
  readonly #names: string[] = [];
  /** Where the value of each lies, its length first; -1 where none was sent. */
  readonly #places: number[] = [];
  /** Values that were asked for, by the index of their name's first line. */
  #decoded: (readonly string[] | undefined)[] | undefined = undefined;
  #count = 0;
  #hasEntries = false;
  #hasLines = false;
  /** Some name has several lines. */
  #hasRepeated = false;
  /** Marks of all names together. */
  #marks = 0;
  /** A bit for the slot of each name in its table, several slots sharing one. */
  #slotsLow = 0;
  #slotsHigh = 0;
  #distinct: readonly string[] | undefined = undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isJoined(): boolean {
    return this.#hasEntries || !this.#hasLines;
  }

  get size(): number {
    return this.#names.length;
  }

  get(name: string): readonly string[] | undefined {
    const first = this.#names.indexOf(name);
    if (first === -1) return undefined;
    this.#decoded ??= new Array(this.#names.length);
    const known = this.#decoded[first];
    if (known !== undefined) return known;
    const values = this.#valuesOf(name, first);
    this.#decoded[first] = values;
    return values;
  }

  names(): readonly string[] {
    if (!this.#hasRepeated) return this.#names;
    this.#distinct ??= [...new Set(this.#names)];
    return this.#distinct;
  }

  get arePlain(): boolean {
    return (this.#marks & ODD) === 0;
  }

  /** An entry of `headers`: map<string, string>. */
  readEntry(reader: ProtoReader): void {
    let name = '';
    let slot = -1;
    let place = -1;
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === KEY) {
        name = this.#nameAt(reader.span(), reader.position);
        slot = names.slot;
      } else {
        if (tag === VALUE) place = reader.position;
        reader.skip();
      }
    }
    this.#hasEntries = true;
    this.#countField();
    const earlier = this.#isNew(slot) ? -1 : this.#names.indexOf(name);
    if (earlier !== -1 && !this.#hasLines) {
      this.#places[earlier] = place;
      return;
    }
    if (earlier !== -1) this.#hasRepeated = true;
    this.#add(name, place);
  }

  /** `header_map`: envoy.config.core.v3.HeaderMap. */
  readMap(reader: ProtoReader): void {
    this.#hasLines = true;
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag !== HEADERS) {
        reader.skip();
        continue;
      }
      const outer = reader.enter();
      this.#readLine(reader);
      reader.leave(outer);
    }
  }

  /** envoy.config.core.v3.HeaderValue: `raw_value` where the sender gave bytes, `value` where it gave text. */
  #readLine(reader: ProtoReader): void {
    let name = '';
    let slot = -1;
    let place = -1;
    let rawPlace = -1;
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === KEY) {
        name = this.#nameAt(reader.span(), reader.position);
        slot = names.slot;
      } else if (tag === RAW_VALUE) {
        const at = reader.position;
        rawPlace = reader.span() < reader.position ? at : -1;
      } else {
        if (tag === VALUE) place = reader.position;
        reader.skip();
      }
    }
    this.#countField();
    if (!this.#isNew(slot)) this.#hasRepeated ||= this.#names.length > FEW || this.#names.includes(name);
    this.#add(name, rawPlace === -1 ? place : rawPlace);
  }

  #nameAt(start: number, end: number): string {
    const name = names.get(this.#bytes, start, end);
    this.#marks |= names.mark;
    return name;
  }

  /** Whether no name was read that this one can be: the same spelling has the same slot, and so the same bit. */
  #isNew(slot: number): boolean {
    if (slot === -1 || (this.#marks & FOLDED) !== 0) return false;
    const bit = 1 << (slot & 31);
    const isLow = (slot & 32) === 0;
    const before = isLow ? this.#slotsLow : this.#slotsHigh;
    if (isLow) this.#slotsLow = before | bit;
    else this.#slotsHigh = before | bit;
    return (before & bit) === 0;
  }

  /** Before it is looked for: whatever is sent again and again costs a search each time. */
  #countField(): void {
    this.#count += 1;
    if (this.#count > MAX_HEADERS) throw malformed(`it has more than ${MAX_HEADERS} header fields`);
  }

  #add(name: string, place: number): void {
    this.#names.push(name);
    this.#places.push(place);
  }

  #valuesOf(name: string, first: number): readonly string[] {
    const values = [this.#valueAt(first)];
    if (!this.#hasRepeated) return values;
    for (let i = this.#names.indexOf(name, first + 1); i !== -1; i = this.#names.indexOf(name, i + 1)) {
      values.push(this.#valueAt(i));
    }
    return values;
  }

  /** Without the blanks around it: of HTTP/2 Envoy hands them on as they came (seen on 1.40.0). */
  #valueAt(index: number): string {
    const place = this.#places[index] ?? -1;
    if (place === -1) return '';
    // It was read once: length and bytes are there.
    let length = 0;
    let start = place;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[start] ?? 0;
      start += 1;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    let end = start + length;
    while (start < end && isBlank(this.#bytes[start] ?? 0)) start += 1;
    while (end > start && isBlank(this.#bytes[end - 1] ?? 0)) end -= 1;
    return decodeText(this.#bytes, start, end);
  }
}
