const REMEMBERED = 256;
/** As many as a peer may have had in flight before it learns that they were ended early. */
const IGNORED = 4096;

/**
 * Which streams a peer has opened (RFC 9113 §5.1). A closed stream has no object: what tells it from one that was skipped,
 * and one that ended early from one whose peer had ended it, are two rings of numbers.
 */
export class StreamNumbers {
  /** The highest number that was opened. */
  last = 0;
  readonly #opened = new Int32Array(REMEMBERED);
  #ignored: Int32Array | undefined = undefined;

  open(id: number): void {
    this.last = id;
    this.#opened[(id >>> 1) % REMEMBERED] = id;
  }

  /** Those that were passed over, because the connection is about to end, count as if they had been opened. */
  isIdle(id: number): boolean {
    return (id > this.last || id % 2 === 0) && !this.isIgnored(id);
  }

  /** Whether it was opened, as far back as is remembered. */
  wasOpened(id: number): boolean {
    return this.#opened[(id >>> 1) % REMEMBERED] === id;
  }

  /** This side has ended it while the peer may still send on it. */
  ignore(id: number): void {
    this.#ignored ??= new Int32Array(IGNORED);
    this.#ignored[(id >>> 1) % IGNORED] = id;
  }

  isIgnored(id: number): boolean {
    return this.#ignored?.[(id >>> 1) % IGNORED] === id;
  }
}
