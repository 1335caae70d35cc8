import { ALL_TOLD, type HeaderFields } from '../core/attributes.ts';
import { isBlank } from '../core/blanks.ts';
import { BYTES, malformed, type ProtoReader, tagOf } from './proto-reader.ts';
import { decodeText, lowerAscii, WordTable } from './wire-text.ts';

/** Most header fields of one request, entries that take another's place counted; Envoy's own default is 100. */
export const MAX_HEADERS = 1000;

const HEADERS = tagOf(1, BYTES);
const KEY = tagOf(1, BYTES);
const VALUE = tagOf(2, BYTES);
const RAW_VALUE = tagOf(3, BYTES);
/** Up to so many names, comparing each with each costs less than a set. */
const FEW = 24;

const names = new WordTable(lowerAscii);

/**
 * Header fields as they lie in the message: names are read at once, values when they are asked for. Holds both forms,
 * `headers` (a map: the last of equal keys wins) and `header_map` (every line for itself). Should a message carry both,
 * every value of both counts, and counts as joined: the strict reading of each.
 */
export class WireHeaders implements HeaderFields {
  readonly untold = ALL_TOLD;
  readonly #bytes: Buffer;
  readonly #names: string[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** Values by the index of their name's first line. */
  readonly #decoded: (readonly string[] | undefined)[] = [];
  #count = 0;
  #hasEntries = false;
  #hasLines = false;
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
    const known = this.#decoded[first];
    if (known !== undefined) return known;
    const values = this.#valuesOf(name, first);
    this.#decoded[first] = values;
    return values;
  }

  names(): readonly string[] {
    this.#distinct ??= distinct(this.#names);
    return this.#distinct;
  }

  /** An entry of `headers`: map<string, string>. */
  readEntry(reader: ProtoReader): void {
    let name = '';
    let start = 0;
    let end = 0;
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === KEY) name = this.#nameAt(reader.span(), reader.position);
      else if (tag === VALUE) {
        start = reader.span();
        end = reader.position;
      } else reader.skip();
    }
    this.#hasEntries = true;
    this.#countField();
    const earlier = this.#hasLines ? -1 : this.#names.indexOf(name);
    if (earlier === -1) this.#add(name, start, end);
    else {
      this.#starts[earlier] = start;
      this.#ends[earlier] = end;
    }
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
    let start = 0;
    let end = 0;
    let rawStart = 0;
    let rawEnd = 0;
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === KEY) name = this.#nameAt(reader.span(), reader.position);
      else if (tag === VALUE) {
        start = reader.span();
        end = reader.position;
      } else if (tag === RAW_VALUE) {
        rawStart = reader.span();
        rawEnd = reader.position;
      } else reader.skip();
    }
    this.#countField();
    if (rawEnd > rawStart) this.#add(name, rawStart, rawEnd);
    else this.#add(name, start, end);
  }

  #nameAt(start: number, end: number): string {
    return names.get(this.#bytes, start, end);
  }

  /** Before it is looked for: whatever is sent again and again costs a search each time. */
  #countField(): void {
    this.#count += 1;
    if (this.#count > MAX_HEADERS) throw malformed(`it has more than ${MAX_HEADERS} header fields`);
  }

  #add(name: string, start: number, end: number): void {
    this.#names.push(name);
    this.#starts.push(start);
    this.#ends.push(end);
    this.#decoded.push(undefined);
  }

  #valuesOf(name: string, first: number): readonly string[] {
    const values = [this.#valueAt(first)];
    for (let i = this.#names.indexOf(name, first + 1); i !== -1; i = this.#names.indexOf(name, i + 1)) {
      values.push(this.#valueAt(i));
    }
    return values;
  }

  /** Without the blanks around it: of HTTP/2 Envoy hands them on as they came (seen on 1.40.0). */
  #valueAt(index: number): string {
    let start = this.#starts[index] ?? 0;
    let end = this.#ends[index] ?? 0;
    while (start < end && isBlank(this.#bytes[start] ?? 0)) start += 1;
    while (end > start && isBlank(this.#bytes[end - 1] ?? 0)) end -= 1;
    return decodeText(this.#bytes, start, end);
  }
}

function distinct(all: readonly string[]): readonly string[] {
  if (all.length > FEW) return [...new Set(all)];
  for (let i = 1; i < all.length; i += 1) if (all.indexOf(all[i] ?? '') !== i) return [...new Set(all)];
  return all;
}
