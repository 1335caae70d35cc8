import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { HandedDoor, ToWorker } from './messages.ts';

/** Connections on their way to one worker: as many as it may be slow to take, not as many as may come while it hangs. */
const MOST_ON_THEIR_WAY = 1000;

interface OnItsWay {
  readonly door: HandedDoor;
  /** It may be in the other process by now. */
  hasLeft: boolean;
}

/**
 * The connections that one worker was given. Each stays open here too until the worker has it: one leaves only when the
 * one before has arrived, and of those that a dead process did not take nobody else is told.
 */
export class GivenConnections {
  readonly #child: Pick<ChildProcess, 'send'>;
  /** Given and not taken yet, in their order. */
  readonly #onTheirWay = new Map<Socket, OnItsWay>();
  #given = 0;
  #closed = 0;

  constructor(child: Pick<ChildProcess, 'send'>) {
    this.#child = child;
  }

  /** How many it has, those on their way included. */
  get open(): number {
    return this.#given - this.#closed;
  }

  /** Whether it may be given one more. */
  get hasRoom(): boolean {
    return this.#onTheirWay.size < MOST_ON_THEIR_WAY;
  }

  give(door: HandedDoor, connection: Socket): void {
    const way: OnItsWay = { door, hasLeft: false };
    this.#given += 1;
    this.#onTheirWay.set(connection, way);
    this.#child.send({ kind: 'connection', door } satisfies ToWorker, connection, { keepOpen: true }, (error) => {
      way.hasLeft = true;
      if (error === null || !this.#onTheirWay.delete(connection)) return;
      this.#given -= 1;
      connection.destroy();
    });
  }

  /** The worker has the one that it was given first of those that it had not. */
  taken(): void {
    const [connection] = this.#onTheirWay.keys();
    if (connection === undefined) return;
    this.#onTheirWay.delete(connection);
    connection.destroy();
  }

  /** So many of all that it was given are closed, as the worker says. */
  told(closed: number): void {
    this.#closed = closed;
  }

  /**
   * What the worker was given and has not taken, as it has ended.
   *
   * @returns those that did not leave: nothing of them was read. Of the others nobody knows; they are closed.
   */
  takeBack(): ReadonlyMap<Socket, HandedDoor> {
    const here = new Map<Socket, HandedDoor>();
    for (const [connection, { door, hasLeft }] of this.#onTheirWay)
      if (hasLeft) connection.destroy();
      else here.set(connection, door);
    this.#onTheirWay.clear();
    return here;
  }
}
