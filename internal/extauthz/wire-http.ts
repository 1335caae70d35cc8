import { BYTES, malformed, type ProtoReader, tagOf, VARINT } from './proto-reader.ts';
import { WireHeaders } from './wire-headers.ts';
import { decodeText, WordTable } from './wire-text.ts';

const ID = tagOf(1, BYTES);
const METHOD = tagOf(2, BYTES);
const HEADERS = tagOf(3, BYTES);
const PATH = tagOf(4, BYTES);
const HOST = tagOf(5, BYTES);
const SCHEME = tagOf(6, BYTES);
const SIZE = tagOf(9, VARINT);
const PROTOCOL = tagOf(10, BYTES);
const BODY = tagOf(11, BYTES);
const RAW_BODY = tagOf(12, BYTES);
const HEADER_MAP = tagOf(13, BYTES);

const words = new WordTable();

/** AttributeContext.HttpRequest. What every check reads is made at once, other text when it is asked for. */
export class WireHttp {
  hasHttp = false;
  method = '';
  host = '';
  target = '';
  size = 0;
  body: Uint8Array | undefined = undefined;
  readonly headers: WireHeaders;
  readonly #bytes: Buffer;
  #isRawBody = false;
  #idAt = 0;
  #idEnd = 0;
  #id: string | undefined = undefined;
  #schemeAt = 0;
  #schemeEnd = 0;
  #protocolAt = 0;
  #protocolEnd = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.headers = new WireHeaders(bytes);
  }

  get id(): string {
    this.#id ??= decodeText(this.#bytes, this.#idAt, this.#idEnd);
    return this.#id;
  }

  get scheme(): string {
    return words.get(this.#bytes, this.#schemeAt, this.#schemeEnd);
  }

  get protocol(): string {
    return words.get(this.#bytes, this.#protocolAt, this.#protocolEnd);
  }

  readHttp(reader: ProtoReader): void {
    this.hasHttp = true;
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) this.#readField(reader, tag);
    reader.leave(outer);
  }

  #readField(reader: ProtoReader, tag: number): void {
    switch (tag) {
      case HEADERS:
        this.#readHeader(reader);
        return;
      case ID:
        this.#idAt = reader.span();
        this.#idEnd = reader.position;
        return;
      case METHOD:
        this.method = this.#word(reader);
        return;
      case PATH:
        this.target = reader.text();
        return;
      case HOST:
        this.host = this.#word(reader);
        return;
      case SCHEME:
        this.#schemeAt = reader.span();
        this.#schemeEnd = reader.position;
        return;
      case SIZE:
        this.size = reader.int64();
        return;
      case PROTOCOL:
        this.#protocolAt = reader.span();
        this.#protocolEnd = reader.position;
        return;
      case BODY:
        this.#setBody(reader.bytes(), false);
        return;
      case RAW_BODY:
        this.#setBody(reader.bytes(), true);
        return;
      case HEADER_MAP:
        this.#readHeaderMap(reader);
        return;
      default:
        reader.skip();
    }
  }

  #word(reader: ProtoReader): string {
    return words.get(this.#bytes, reader.span(), reader.position);
  }

  #readHeader(reader: ProtoReader): void {
    const outer = reader.enter();
    this.headers.readEntry(reader);
    reader.leave(outer);
  }

  #readHeaderMap(reader: ProtoReader): void {
    const outer = reader.enter();
    this.headers.readMap(reader);
    reader.leave(outer);
  }

  /** Envoy fills `body` or `raw_body`. With both filled nobody could say which one the upstream is going to read. */
  #setBody(body: Uint8Array, isRaw: boolean): void {
    if (body.length === 0) {
      if (this.#isRawBody === isRaw) this.body = undefined;
      return;
    }
    if (this.body !== undefined && this.#isRawBody !== isRaw) throw malformed('it has two bodies');
    this.body = body;
    this.#isRawBody = isRaw;
  }
}
