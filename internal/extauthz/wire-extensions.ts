import { BYTES, malformed, type ProtoReader, tagOf } from './proto-reader.ts';
import { decodeText } from './wire-text.ts';

/** Most context extensions of one request, entries that take another's place counted. */
export const MAX_EXTENSIONS = 1000;

const KEY = tagOf(1, BYTES);
const VALUE = tagOf(2, BYTES);

/** Context extensions as they lie in the message; most checks never ask for one. */
export class WireExtensions {
  readonly #bytes: Buffer;
  /** Where each entry's key begins and ends, and its value. */
  readonly #spans: number[] = [];
  #count = 0;
  #map: ReadonlyMap<string, string> | undefined = undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Every entry is read: of equal keys the last counts. */
  get map(): ReadonlyMap<string, string> {
    this.#map ??= this.#decoded();
    return this.#map;
  }

  /** An entry of map<string, string>. */
  readEntry(reader: ProtoReader): void {
    let keyStart = 0;
    let keyEnd = 0;
    let start = 0;
    let end = 0;
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === KEY) {
        keyStart = reader.span();
        keyEnd = reader.position;
      } else if (tag === VALUE) {
        start = reader.span();
        end = reader.position;
      } else reader.skip();
    }
    this.#count += 1;
    if (this.#count > MAX_EXTENSIONS) throw malformed(`it has more than ${MAX_EXTENSIONS} context extensions`);
    this.#spans.push(keyStart, keyEnd, start, end);
  }

  #decoded(): ReadonlyMap<string, string> {
    const map = new Map<string, string>();
    const spans = this.#spans;
    for (let i = 0; i < spans.length; i += 4) map.set(this.#text(i), this.#text(i + 2));
    return map;
  }

  #text(at: number): string {
    return decodeText(this.#bytes, this.#spans[at] ?? 0, this.#spans[at + 1] ?? 0);
  }
}
