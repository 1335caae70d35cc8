import { canonicalAddress } from '../../core/address.ts';
import type { Clock } from '../../core/clock.ts';
import { SeldomTold } from './seldom-told.ts';

export interface UnknownPathsOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /**
   * Told of a path that is none of the door's: for each path and peer at most once in ten minutes, and of however many no
   * more than one a second.
   *
   * @param path its beginning (`shownPath`)
   * @param peer address of the proxy; empty on a unix socket
   */
  readonly onUnknown: (path: string, peer: string, untoldMeanwhile: number) => void;
}

const AGAIN_MS = 10 * 60_000;
const MAX_LENGTH = 64;
const BEGINNING = /^(?:\/[^/?#]*){0,2}/;

/** A proxy that asks under a path that is none of the door's refuses every request of its clients: its operator is told. */
export class UnknownPaths {
  readonly #onUnknown: UnknownPathsOptions['onUnknown'];
  readonly #told: SeldomTold;

  constructor({ clock, onUnknown }: UnknownPathsOptions) {
    this.#onUnknown = onUnknown;
    this.#told = new SeldomTold(clock, AGAIN_MS);
  }

  asked(target: string, address: string | undefined): void {
    const [path, peer] = [shownPath(target), canonicalAddress(address ?? '') ?? ''];
    const meanwhile = this.#told.next(`${peer} ${path}`);
    if (meanwhile !== undefined) this.#onUnknown(path, peer, meanwhile);
  }
}

/**
 * As much of a path as shows how a proxy is wired: its first two segments, bounded. What follows is a client's, with what
 * it may hold in its query.
 */
function shownPath(target: string): string {
  const [beginning = ''] = BEGINNING.exec(target) ?? [];
  const shown = beginning.slice(0, MAX_LENGTH).replaceAll(/[^!-~]/g, '?');
  const next = target.slice(beginning.length, beginning.length + 1);
  if (beginning.length > MAX_LENGTH) return `${shown}…`;
  return next === '' ? shown : `${shown}${/[/?]/.test(next) ? next : ''}…`;
}
