import { isBefore } from './kube-object.ts';

/** Where in the history of a kind a watch goes on. */
export class WatchPlace {
  #version = '';
  #isDoubted = false;
  #silences = 0;

  /** Where the next watch begins; empty: with a list. */
  get version(): string {
    return this.#version;
  }

  /** Whether it may lie in another history: an API server that comes back may have an older store. */
  get isDoubted(): boolean {
    return this.#isDoubted;
  }

  /** A list is complete as of this version. */
  listed(version: string): void {
    this.#version = version;
    this.#isDoubted = false;
  }

  /** A watch has come to this version. */
  moveTo(version: string): void {
    this.#version = version;
  }

  forget(): void {
    this.#version = '';
  }

  /** What is watched said something. */
  heard(): void {
    this.#silences = 0;
  }

  /** Silence is no failure: connections die without a word. But one after the other may swallow events. */
  wasSilent(): void {
    this.#silences += 1;
    if (this.#silences > 1) this.forget();
  }

  /** @param status of an answer that was none; 0 without one */
  doubt(status: number): void {
    this.#isDoubted = this.#version !== '' && (status === 0 || status >= 500);
  }

  /**
   * A store that was restored from a backup goes on from an older version. A watch from a later one is accepted there,
   * and silent until that version is reached again: what happens until then would be missed.
   *
   * @param current version of the store
   */
  compare(current: string): void {
    this.#isDoubted = false;
    if (isBefore(current, this.#version)) this.forget();
  }
}
