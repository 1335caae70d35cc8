import type { Socket } from 'node:net';
import type { HandedDoor } from './messages.ts';

/** More of them are closed. */
const MOST = 1000;

interface Waiting {
  readonly door: HandedDoor;
  readonly connection: Socket;
}

/** Connections of which nothing was read, and which wait for the first worker with doors. */
export class WaitingConnections {
  readonly #waiting = new Set<Waiting>();
  #isClosed = false;

  add(door: HandedDoor, connection: Socket): void {
    if (this.#isClosed || this.#waiting.size >= MOST) return void connection.destroy();
    const one = { door, connection };
    this.#waiting.add(one);
    connection.once('close', () => this.#waiting.delete(one));
  }

  /** Gives all of them away. */
  giveTo(give: (door: HandedDoor, connection: Socket) => void): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { door, connection } of waiting) give(door, connection);
  }

  /** Closes them, and whatever comes from now on. */
  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#waiting) connection.destroy();
  }
}
