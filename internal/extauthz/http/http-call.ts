import type { ServerResponse } from 'node:http';
import type { DoorCall } from '../check.ts';

/** A check's call: over when its connection closes before the answer is there. */
export class HttpCall implements DoorCall {
  readonly deadlineMs: number | undefined;
  /** The headers of the message are those of the request. */
  readonly metadata = undefined;
  readonly #response: ServerResponse;

  constructor(response: ServerResponse, deadlineMs: number | undefined) {
    this.#response = response;
    this.deadlineMs = deadlineMs;
  }

  isCancelled(): boolean {
    return this.#response.closed;
  }

  onCancel(listener: () => void): void {
    this.#response.once('close', listener);
  }
}
