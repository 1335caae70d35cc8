const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** What a peer speaks that does not speak HTTP/2 with prior knowledge. */
export const FOREIGN_PROTOCOLS = ['HTTP/1', 'TLS', 'another protocol'] as const;
export type ForeignProtocol = (typeof FOREIGN_PROTOCOLS)[number];

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 3;

/** The bytes that begin a connection (RFC 9113 §3.4), in pieces of any size. */
export class Preface {
  #matched = 0;

  get isWhole(): boolean {
    return this.#matched === PREFACE.length;
  }

  /** @returns where the first frame may begin, or what else the peer speaks */
  read(chunk: Buffer): number | ForeignProtocol {
    const length = Math.min(chunk.length, PREFACE.length - this.#matched);
    const isSame = chunk.compare(PREFACE, this.#matched, this.#matched + length, 0, length) === 0;
    if (!isSame) return this.#matched === 0 ? protocolOf(chunk) : 'another protocol';
    this.#matched += length;
    return length;
  }
}

function protocolOf(chunk: Buffer): ForeignProtocol {
  if (chunk[0] === TLS_HANDSHAKE && (chunk.length === 1 || chunk[1] === TLS_MAJOR)) return 'TLS';
  const line = chunk.toString('latin1', 0, 256);
  return /^[A-Z]{3,16} \S+( HTTP\/1|$)/.test(line) ? 'HTTP/1' : 'another protocol';
}
