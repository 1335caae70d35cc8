import type { Attributes } from '../core/attributes.ts';
import { BYTES, malformed, ProtoReader, tagOf, VARINT } from './proto-reader.ts';
import { readMetadata } from './struct-reader.ts';
import { WireHeaders } from './wire-headers.ts';
import { WirePeer } from './wire-peer.ts';
import { WordTable } from './wire-text.ts';

/** Most context extensions of one request. */
export const MAX_EXTENSIONS = 1000;

/** What a CheckRequest says; of a connection without HTTP (Envoy's network filter) only the peers. */
export interface CheckRequest extends Attributes {
  /** `attributes.request.http` is there. Without it nothing can be judged by a policy. */
  readonly hasHttp: boolean;
}

const MESSAGE_1 = tagOf(1, BYTES);
const MESSAGE_2 = tagOf(2, BYTES);
const NUMBER_1 = tagOf(1, VARINT);
const NUMBER_2 = tagOf(2, VARINT);

/** AttributeContext, besides source (1). */
const REQUEST = tagOf(4, BYTES);
const CONTEXT_EXTENSIONS = tagOf(10, BYTES);
const METADATA_CONTEXT = tagOf(11, BYTES);
const TLS_SESSION = tagOf(12, BYTES);
const ROUTE_METADATA_CONTEXT = tagOf(13, BYTES);

/** AttributeContext.HttpRequest. */
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

/**
 * Reads an envoy.service.auth.v3.CheckRequest: both forms of headers and of the body, every default of proto3. What is
 * sent twice follows protobuf: messages are merged, of the rest the last counts. Unknown fields are passed over.
 *
 * @param bytes kept, not copied: headers, metadata and the body are views of them
 * @throws {PosternError} ERR_POSTERN_WIRE on bytes that are no such message; metadata only when it is asked for
 */
export function readCheckRequest(bytes: Uint8Array): CheckRequest {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = new ProtoReader(buffer);
  const request = new WireRequest(buffer);
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === MESSAGE_1) request.readContext(reader);
    else reader.skip();
  }
  return request;
}

const words = new WordTable();
const NO_EXTENSIONS: ReadonlyMap<string, string> = new Map();

class WireRequest implements CheckRequest {
  hasHttp = false;
  id = '';
  method = '';
  scheme = '';
  host = '';
  target = '';
  protocol = '';
  size = 0;
  body: Uint8Array | undefined = undefined;
  readonly headers: WireHeaders;
  readonly source = new WirePeer();
  contextExtensions: ReadonlyMap<string, string> = NO_EXTENSIONS;
  tlsSession: { sni: string } | undefined = undefined;
  readonly #bytes: Buffer;
  #seconds = 0;
  #nanos = 0;
  #isRawBody = false;
  #metadataBytes: Uint8Array[] | undefined = undefined;
  #metadata: Readonly<Record<string, unknown>> | undefined = undefined;
  #routeMetadataBytes: Uint8Array[] | undefined = undefined;
  #routeMetadata: Readonly<Record<string, unknown>> | undefined = undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.headers = new WireHeaders(bytes);
  }

  get timeMs(): number {
    return this.#seconds * 1000 + this.#nanos / 1e6;
  }

  metadata(): Readonly<Record<string, unknown>> {
    this.#metadata ??= readMetadata(this.#metadataBytes ?? []);
    return this.#metadata;
  }

  routeMetadata(): Readonly<Record<string, unknown>> | undefined {
    if (this.#routeMetadataBytes === undefined) return undefined;
    this.#routeMetadata ??= readMetadata(this.#routeMetadataBytes);
    return this.#routeMetadata;
  }

  readContext(reader: ProtoReader): void {
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      switch (tag) {
        case MESSAGE_1:
          this.source.read(reader);
          break;
        case REQUEST:
          this.#readRequest(reader);
          break;
        case CONTEXT_EXTENSIONS:
          this.#readExtension(reader);
          break;
        case METADATA_CONTEXT:
          this.#metadataBytes ??= [];
          this.#metadataBytes.push(reader.bytes());
          break;
        case TLS_SESSION:
          this.#readTls(reader);
          break;
        case ROUTE_METADATA_CONTEXT:
          this.#routeMetadataBytes ??= [];
          this.#routeMetadataBytes.push(reader.bytes());
          break;
        default:
          reader.skip();
      }
    }
    reader.leave(outer);
  }

  /** AttributeContext.Request: `time` (1), `http` (2). */
  #readRequest(reader: ProtoReader): void {
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === MESSAGE_1) this.#readTime(reader);
      else if (tag === MESSAGE_2) this.#readHttp(reader);
      else reader.skip();
    }
    reader.leave(outer);
  }

  /** google.protobuf.Timestamp: `seconds` (1), `nanos` (2). */
  #readTime(reader: ProtoReader): void {
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === NUMBER_1) this.#seconds = reader.int64();
      else if (tag === NUMBER_2) this.#nanos = reader.int64() | 0;
      else reader.skip();
    }
    reader.leave(outer);
  }

  #readHttp(reader: ProtoReader): void {
    this.hasHttp = true;
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) this.#readHttpField(reader, tag);
    reader.leave(outer);
  }

  #readHttpField(reader: ProtoReader, tag: number): void {
    switch (tag) {
      case HEADERS:
        this.#readHeader(reader);
        return;
      case ID:
        this.id = reader.text();
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
        this.scheme = this.#word(reader);
        return;
      case SIZE:
        this.size = reader.int64();
        return;
      case PROTOCOL:
        this.protocol = this.#word(reader);
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

  /** An entry of map<string, string>: of equal keys the last counts. */
  #readExtension(reader: ProtoReader): void {
    let key = '';
    let value = '';
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === MESSAGE_1) key = reader.text();
      else if (tag === MESSAGE_2) value = reader.text();
      else reader.skip();
    }
    reader.leave(outer);
    const extensions =
      this.contextExtensions === NO_EXTENSIONS ? new Map() : (this.contextExtensions as Map<string, string>);
    extensions.set(key, value);
    if (extensions.size > MAX_EXTENSIONS) throw malformed(`it has more than ${MAX_EXTENSIONS} context extensions`);
    this.contextExtensions = extensions;
  }

  /** AttributeContext.TLSSession: `sni` (1). */
  #readTls(reader: ProtoReader): void {
    this.tlsSession ??= { sni: '' };
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === MESSAGE_1) this.tlsSession.sni = reader.text();
      else reader.skip();
    }
    reader.leave(outer);
  }
}
