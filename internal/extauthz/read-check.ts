import type { Attributes } from '../core/attributes.ts';
import { BYTES, ProtoReader, tagOf, VARINT } from './proto-reader.ts';
import { readMetadata } from './struct-reader.ts';
import { WireExtensions } from './wire-extensions.ts';
import { WireHttp } from './wire-http.ts';
import { WirePeer } from './wire-peer.ts';

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

/**
 * Reads an envoy.service.auth.v3.CheckRequest: both forms of headers and of the body, every default of proto3. What is
 * sent twice follows protobuf: messages are merged, of the rest the last counts. Unknown fields are passed over. All of
 * it is walked over, so that what is no such message is found out here; text that few checks ask for is made when one does.
 *
 * @param bytes kept, not copied: they must not change before the check is answered
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

const NO_EXTENSIONS: ReadonlyMap<string, string> = new Map();

/** AttributeContext, with its HTTP request. */
class WireRequest extends WireHttp implements CheckRequest {
  readonly source: WirePeer;
  tlsSession: { sni: string } | undefined = undefined;
  readonly #bytes: Buffer;
  #seconds = 0;
  #nanos = 0;
  #extensions: WireExtensions | undefined = undefined;
  #metadataBytes: Uint8Array[] | undefined = undefined;
  #metadata: Readonly<Record<string, unknown>> | undefined = undefined;
  #routeMetadataBytes: Uint8Array[] | undefined = undefined;
  #routeMetadata: Readonly<Record<string, unknown>> | undefined = undefined;

  constructor(bytes: Buffer) {
    super(bytes);
    this.#bytes = bytes;
    this.source = new WirePeer(bytes);
  }

  get timeMs(): number {
    return this.#seconds * 1000 + this.#nanos / 1e6;
  }

  get contextExtensions(): ReadonlyMap<string, string> {
    return this.#extensions === undefined ? NO_EXTENSIONS : this.#extensions.map;
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
      else if (tag === MESSAGE_2) this.readHttp(reader);
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

  #readExtension(reader: ProtoReader): void {
    this.#extensions ??= new WireExtensions(this.#bytes);
    const outer = reader.enter();
    this.#extensions.readEntry(reader);
    reader.leave(outer);
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
