import type { Peer } from '../core/attributes.ts';
import { BYTES, type ProtoReader, tagOf } from './proto-reader.ts';
import { decodeText } from './wire-text.ts';

const MESSAGE_1 = tagOf(1, BYTES);
const MESSAGE_2 = tagOf(2, BYTES);
const PRINCIPAL = tagOf(4, BYTES);
const CERTIFICATE = tagOf(5, BYTES);

/** AttributeContext.Peer: `address` (1) and what of TLS is known. Its texts are made when they are asked for. */
export class WirePeer implements Peer {
  readonly #bytes: Buffer;
  #addressAt = 0;
  #addressEnd = 0;
  #address: string | undefined = undefined;
  #principalAt = 0;
  #principalEnd = 0;
  #principal: string | undefined = undefined;
  #certificateAt = 0;
  #certificateEnd = 0;
  #certificate: string | undefined = undefined;
  /** Which member of Address was sent last. */
  #member = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get address(): string {
    this.#address ??= decodeText(this.#bytes, this.#addressAt, this.#addressEnd);
    return this.#address;
  }

  get principal(): string {
    this.#principal ??= decodeText(this.#bytes, this.#principalAt, this.#principalEnd);
    return this.#principal;
  }

  get certificate(): string {
    this.#certificate ??= decodeText(this.#bytes, this.#certificateAt, this.#certificateEnd);
    return this.#certificate;
  }

  read(reader: ProtoReader): void {
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === MESSAGE_1) this.#readAddress(reader);
      else if (tag === PRINCIPAL) {
        this.#principalAt = reader.span();
        this.#principalEnd = reader.position;
      } else if (tag === CERTIFICATE) {
        this.#certificateAt = reader.span();
        this.#certificateEnd = reader.position;
      } else reader.skip();
    }
    reader.leave(outer);
  }

  /** envoy.config.core.v3.Address: SocketAddress (1) `address` (2), or Pipe (2) `path` (1); the last of the two counts. */
  #readAddress(reader: ProtoReader): void {
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === MESSAGE_1) this.#readMember(reader, tag, MESSAGE_2);
      else if (tag === MESSAGE_2) this.#readMember(reader, tag, MESSAGE_1);
      else reader.skip();
    }
    reader.leave(outer);
  }

  #readMember(reader: ProtoReader, member: number, wanted: number): void {
    if (this.#member !== member) this.#addressEnd = this.#addressAt;
    this.#member = member;
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === wanted) {
        this.#addressAt = reader.span();
        this.#addressEnd = reader.position;
      } else reader.skip();
    }
    reader.leave(outer);
  }
}
