import type { Http2Bounds } from './bounds.ts';
import { tooMuch } from './connection-error.ts';

const SECOND_MS = 1000;
const FRAMES_FOR_AN_ANSWER = 4;
/** A frame counts once more for each of them: SETTINGS of thousands of values are as much work as very many PINGs. */
const FRAME_BYTES = 512;

/**
 * How much of what costs work and carries no call a connection sends. Who has many calls also has many such frames, so
 * what is answered counts for it; who only resets, or only pings, has nothing but its rate.
 */
export class Rates {
  readonly #bounds: Http2Bounds;
  #secondEndsMs = 0;
  #frames = 0;
  #resets = 0;

  constructor(bounds: Http2Bounds) {
    this.#bounds = bounds;
  }

  /** Every call that was answered. @param counted what `block` counted for its head */
  answered(counted: number): void {
    this.#frames -= FRAMES_FOR_AN_ANSWER + counted;
    this.#resets -= 1;
  }

  /** @throws {ConnectionError} ENHANCE_YOUR_CALM */
  frame(nowMs: number, bytes = 0): void {
    this.#add(nowMs, 1 + Math.floor(bytes / FRAME_BYTES));
  }

  /**
   * A header block, whose bytes are work however few fields come of them, and whoever is refused for them. What every call
   * has is not counted.
   *
   * @returns what it counted for, which an answer gives back
   * @throws {ConnectionError} ENHANCE_YOUR_CALM
   */
  block(nowMs: number, bytes: number): number {
    if (bytes < FRAME_BYTES) return 0;
    const counted = Math.floor(bytes / FRAME_BYTES);
    this.#add(nowMs, counted);
    return counted;
  }

  #add(nowMs: number, frames: number): void {
    this.#turn(nowMs);
    this.#frames += frames;
    if (this.#frames > this.#bounds.maxFrameRate)
      throw tooMuch('frame_rate', `More than ${this.#bounds.maxFrameRate} frames a second that carry no call`);
  }

  /**
   * A call that the peer took back, or that it made this side end (CVE-2023-44487, CVE-2025-8671).
   *
   * @throws {ConnectionError} ENHANCE_YOUR_CALM
   */
  reset(nowMs: number): void {
    this.#turn(nowMs);
    this.#resets += 1;
    if (this.#resets > this.#bounds.maxResetRate)
      throw tooMuch('reset_rate', `More than ${this.#bounds.maxResetRate} resets a second`);
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#secondEndsMs) return;
    this.#secondEndsMs = nowMs + SECOND_MS;
    this.#frames = 0;
    this.#resets = 0;
  }
}
