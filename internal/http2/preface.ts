const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** What a peer speaks that does not speak HTTP/2 with prior knowledge. */
export type ForeignProtocol = 'HTTP/1' | 'TLS' | 'another protocol';

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 3;
const REQUEST_LINE = /^[A-Z]{3,16} \S+( HTTP\/1|$)/;
/** What more bytes can make a request line of HTTP/1. */
const BEGUN_LINE = /^[A-Z]{1,16}( \S*)?( H?T?T?P?\/?)?$/;
/** With so many bytes it is said what a peer speaks, whatever may come. */
const JUDGED_BYTES = 256;

/** The bytes that begin a connection (RFC 9113 §3.4), in pieces of any size. */
export class Preface {
  /** What has come, until it is whole. */
  #said: Buffer = Buffer.alloc(0);
  #isWhole = false;

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** @returns where the first frame may begin, or what else the peer speaks; the end of the piece where more has to come */
  read(chunk: Buffer): number | ForeignProtocol {
    if (this.#isWhole) return 0;
    const before = this.#said.length;
    const said = before === 0 ? chunk : Buffer.concat([this.#said, chunk]);
    const length = Math.min(said.length, PREFACE.length);
    const isSame = said.compare(PREFACE, 0, length, 0, length) === 0;
    const foreign = isSame ? undefined : protocolOf(said);
    if (foreign !== undefined) return foreign;
    this.#isWhole = length === PREFACE.length;
    if (this.#isWhole) return PREFACE.length - before;
    this.#said = Buffer.from(said);
    return chunk.length;
  }
}

/** undefined where it cannot be told yet. */
function protocolOf(said: Buffer): ForeignProtocol | undefined {
  if (said[0] === TLS_HANDSHAKE && said.length === 1) return undefined;
  if (said[0] === TLS_HANDSHAKE && said[1] === TLS_MAJOR) return 'TLS';
  const line = said.toString('latin1', 0, JUDGED_BYTES);
  if (REQUEST_LINE.test(line)) return 'HTTP/1';
  return said.length < JUDGED_BYTES && BEGUN_LINE.test(line) ? undefined : 'another protocol';
}
