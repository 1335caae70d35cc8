import type { Socket } from 'node:net';

export interface AgeOptions {
  /** A connection is asked to end after this long, give or take a tenth. */
  readonly maxAgeMs: number;
  /** How long it may then take for its last calls. */
  readonly graceMs: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** A connection that can be asked to end. */
export interface Retiring {
  /** Asks it to end after a time; it may then take another one for its last calls. */
  retireIn(ageMs: number, graceMs: number): void;
  /** Asks it to end; cuts it off after `graceMs`. */
  retire(graceMs: number): void;
}

/** The connections of a server that are open: each ends at its age, and all of them when it drains. */
export class OpenConnections<C extends Retiring> {
  protected readonly open: Set<C> = new Set();
  readonly #age: AgeOptions;
  /** Called when the last connection has closed. */
  #onEmpty: (() => void) | undefined = undefined;

  constructor(age: AgeOptions) {
    this.#age = age;
  }

  /** Asks every connection to end; resolves when all have, or after this long. */
  async drain(timeoutMs: number): Promise<void> {
    for (const connection of this.open) connection.retire(timeoutMs);
    await this.ended(timeoutMs);
  }

  /** Resolves when no connection is open, or after this long. */
  async ended(timeoutMs: number): Promise<void> {
    if (this.open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
  }

  /** Counts a connection as open until its socket closes. */
  protected add(socket: Socket, connection: C): void {
    const { maxAgeMs, graceMs, random } = this.#age;
    this.open.add(connection);
    socket.on('close', () => {
      this.open.delete(connection);
      if (this.open.size === 0) this.#onEmpty?.();
    });
    connection.retireIn(maxAgeMs * (0.9 + 0.2 * random()), graceMs);
  }
}
