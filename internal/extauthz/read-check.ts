import type { Attributes, HeaderFields, Peer } from '../core/attributes.ts';
import { PosternError } from '../core/error.ts';
import { ProtoReader } from './proto-reader.ts';
import { readMetadata } from './struct-reader.ts';

/** Most header fields of one request; Envoy's own bound is 100. */
export const MAX_HEADERS = 1000;

/**
 * Reads a CheckRequest (envoy/service/auth/v3/external_auth.proto) into what the engine is told. Both header forms and
 * both body forms; a field that is sent twice is merged or the last one wins, as protobuf has it.
 *
 * @throws {PosternError} ERR_POSTERN_WIRE on bytes that are no such message
 */
export function readCheckRequest(bytes: Uint8Array): Attributes {
  const check = new WireAttributes();
  const reader = new ProtoReader(bytes);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1 && reader.isBytes) check.readContext(reader.message());
    else reader.skip();
  }
  return check;
}

class WireHeaders implements HeaderFields {
  readonly #fields = new Map<string, string[]>();
  isJoined = true;
  count = 0;

  get(name: string): readonly string[] | undefined {
    return this.#fields.get(name);
  }

  names(): readonly string[] {
    return [...this.#fields.keys()];
  }

  add(name: string, value: string): void {
    this.#check();
    const key = lower(name);
    const values = this.#fields.get(key);
    if (values === undefined) this.#fields.set(key, [value]);
    else values.push(value);
  }

  /** A map's entry: a name that is sent twice is one entry, the last one. */
  set(name: string, value: string): void {
    this.#check();
    this.#fields.set(lower(name), [value]);
  }

  #check(): void {
    this.count += 1;
    if (this.count > MAX_HEADERS) throw new PosternError('ERR_POSTERN_WIRE', `The request has more than ${MAX_HEADERS} header fields`);
  }
}

/** Envoy sends names in lower case; only an odd one costs a copy. */
const lower = (name: string): string => (/[A-Z]/.test(name) ? name.toLowerCase() : name);

class WirePeer implements Peer {
  address = '';
  principal = '';
  certificate = '';

  read(reader: ProtoReader): void {
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1 && reader.isBytes) this.#readAddress(reader.message());
      else if (field === 4 && reader.isBytes) this.principal = reader.text();
      else if (field === 5 && reader.isBytes) this.certificate = reader.text();
      else reader.skip();
    }
  }

  /** envoy.config.core.v3.Address: a socket's address, or none for a pipe. */
  #readAddress(reader: ProtoReader): void {
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1 && reader.isBytes) this.#readSocket(reader.message());
      else {
        if (field === 2) this.address = '';
        reader.skip();
      }
    }
  }

  #readSocket(reader: ProtoReader): void {
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 2 && reader.isBytes) this.address = reader.text();
      else reader.skip();
    }
  }
}

const NO_EXTENSIONS: ReadonlyMap<string, string> = new Map();

class WireAttributes implements Attributes {
  id = '';
  method = '';
  scheme = '';
  host = '';
  target = '';
  protocol = '';
  readonly headers = new WireHeaders();
  timeMs = 0;
  size = 0;
  body: Uint8Array | string | undefined = undefined;
  readonly source = new WirePeer();
  readonly destination = new WirePeer();
  contextExtensions: ReadonlyMap<string, string> = NO_EXTENSIONS;
  tlsSession: { readonly sni: string } | undefined = undefined;
  readonly #metadataBytes: Uint8Array[] = [];
  readonly #routeMetadataBytes: Uint8Array[] = [];
  #metadata: Readonly<Record<string, unknown>> | undefined = undefined;

  metadata(): Readonly<Record<string, unknown>> {
    this.#metadata ??= readMetadata(this.#metadataBytes);
    return this.#metadata;
  }

  routeMetadata(): Readonly<Record<string, unknown>> | undefined {
    return this.#routeMetadataBytes.length === 0 ? undefined : readMetadata(this.#routeMetadataBytes);
  }

  /** AttributeContext. */
  readContext(reader: ProtoReader): void {
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (!reader.isBytes) {
        reader.skip();
        continue;
      }
      if (field === 1) this.source.read(reader.message());
      else if (field === 2) this.destination.read(reader.message());
      else if (field === 4) this.#readRequest(reader.message());
      else if (field === 10) this.#readExtension(reader.message());
      else if (field === 11) this.#metadataBytes.push(reader.bytes());
      else if (field === 12) this.#readTls(reader.message());
      else if (field === 13) this.#routeMetadataBytes.push(reader.bytes());
      else reader.skip();
    }
  }

  #readRequest(reader: ProtoReader): void {
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1 && reader.isBytes) this.#readTime(reader.message());
      else if (field === 2 && reader.isBytes) this.#readHttp(reader.message());
      else reader.skip();
    }
  }

  #readTime(reader: ProtoReader): void {
    let seconds = 0;
    let nanos = 0;
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1 && reader.isVarint) seconds = reader.int64();
      else if (field === 2 && reader.isVarint) nanos = reader.int64();
      else reader.skip();
    }
    this.timeMs = seconds * 1000 + nanos / 1e6;
  }

  #readHttp(reader: ProtoReader): void {
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 9 && reader.isVarint) {
        this.size = reader.int64();
        continue;
      }
      if (!reader.isBytes) {
        reader.skip();
        continue;
      }
      if (field === 1) this.id = reader.text();
      else if (field === 2) this.method = reader.text();
      else if (field === 3) this.#readHeader(reader.message());
      else if (field === 4) this.target = reader.text();
      else if (field === 5) this.host = reader.text();
      else if (field === 6) this.scheme = reader.text();
      else if (field === 10) this.protocol = reader.text();
      else if (field === 11) this.#setBody(reader.text());
      else if (field === 12) this.#setBody(reader.bytes());
      else if (field === 13) this.#readHeaderMap(reader.message());
      else reader.skip();
    }
  }

  /** Envoy fills one of the two forms; an empty one does not hide the other. */
  #setBody(body: Uint8Array | string): void {
    if (body.length > 0) this.body = body;
  }

  #readHeader(entry: ProtoReader): void {
    let name = '';
    let value = '';
    for (let field = entry.next(); field !== 0; field = entry.next()) {
      if (field === 1 && entry.isBytes) name = entry.text();
      else if (field === 2 && entry.isBytes) value = entry.text();
      else entry.skip();
    }
    if (name !== '') this.headers.set(name, value);
  }

  /** HeaderMap: every line for itself, its bytes as they came. */
  #readHeaderMap(reader: ProtoReader): void {
    this.headers.isJoined = false;
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1 && reader.isBytes) this.#readHeaderValue(reader.message());
      else reader.skip();
    }
  }

  #readHeaderValue(reader: ProtoReader): void {
    let name = '';
    let value = '';
    let raw: string | undefined;
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1 && reader.isBytes) name = reader.text();
      else if (field === 2 && reader.isBytes) value = reader.text();
      else if (field === 3 && reader.isBytes) raw = reader.text();
      else reader.skip();
    }
    if (name !== '') this.headers.add(name, raw === undefined || raw === '' ? value : raw);
  }

  #readExtension(entry: ProtoReader): void {
    let key = '';
    let value = '';
    for (let field = entry.next(); field !== 0; field = entry.next()) {
      if (field === 1 && entry.isBytes) key = entry.text();
      else if (field === 2 && entry.isBytes) value = entry.text();
      else entry.skip();
    }
    this.contextExtensions = new Map([...this.contextExtensions, [key, value]]);
  }

  #readTls(reader: ProtoReader): void {
    let sni = this.tlsSession?.sni ?? '';
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1 && reader.isBytes) sni = reader.text();
      else reader.skip();
    }
    this.tlsSession = { sni };
  }
}
