import type { WorkerProcess } from './worker-process.ts';

/** Whose turn it is to be given a connection. */
export class ConnectionTurns {
  /** Who was given one last comes last. */
  #workers: WorkerProcess[] = [];

  add(worker: WorkerProcess): void {
    this.#workers.push(worker);
  }

  remove(worker: WorkerProcess): void {
    this.#workers = this.#workers.filter((one) => one !== worker);
  }

  /**
   * The worker with the fewest connections, of several the one that was not given any for longest. Who is behind the
   * others is given none. Where nobody serves yet, it is one with doors, who says so to each check (`no_snapshot`).
   *
   * @returns undefined where nobody would answer
   */
  next(): WorkerProcess | undefined {
    const serving = this.#workers.filter(({ isServing }) => isServing);
    const staying =
      serving.length > 0 ? serving : this.#workers.filter(({ isLoaded, isLeaving }) => isLoaded && !isLeaving);
    const able = staying.filter(({ isAnswering, given }) => isAnswering && given.hasRoom);
    const newest = able.filter(({ isBehind }) => !isBehind);
    const [first, ...others] = newest.length > 0 ? newest : able;
    if (first === undefined) return undefined;
    const chosen = others.reduce((best, one) => (one.given.open < best.given.open ? one : best), first);
    this.remove(chosen);
    this.add(chosen);
    return chosen;
  }
}
