import type { Peer } from '../core/attributes.ts';
import { BYTES, type ProtoReader, tagOf } from './proto-reader.ts';

const MESSAGE_1 = tagOf(1, BYTES);
const MESSAGE_2 = tagOf(2, BYTES);
const PRINCIPAL = tagOf(4, BYTES);
const CERTIFICATE = tagOf(5, BYTES);

/** AttributeContext.Peer: `address` (1) and what of TLS is known. */
export class WirePeer implements Peer {
  address = '';
  principal = '';
  certificate = '';
  /** Which member of Address was sent last. */
  #member = 0;

  read(reader: ProtoReader): void {
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === MESSAGE_1) this.#readAddress(reader);
      else if (tag === PRINCIPAL) this.principal = reader.text();
      else if (tag === CERTIFICATE) this.certificate = reader.text();
      else reader.skip();
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
    if (this.#member !== member) this.address = '';
    this.#member = member;
    const outer = reader.enter();
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === wanted) this.address = reader.text();
      else reader.skip();
    }
    reader.leave(outer);
  }
}
