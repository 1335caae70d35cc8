import type { BlockList } from 'node:net';
import { LRUCache } from 'lru-cache';
import { canonicalAddress } from '../../core/address.ts';
import type { Clock } from '../../core/clock.ts';

export interface TrustedPeersOptions {
  /** `--http-trusted-peers`. */
  readonly networks: BlockList;
  /** Who opens a unix socket has the permission of its file: that is the trust. */
  readonly isUnixSocket: boolean;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Told of a peer that is not trusted: once for each address, and of however many not more than one a second. */
  readonly onRefused: (address: string, refusedMeanwhile: number) => void;
}

const REMEMBERED = 256;
const QUIET_MS = 1000;

/**
 * Who may say what a request is about: proxies, never clients. Decided by the connection's own peer, whatever headers
 * say of it.
 */
export class TrustedPeers {
  readonly #options: TrustedPeersOptions;
  readonly #told = new LRUCache<string, true>({ max: REMEMBERED });
  #lastMs = Number.NEGATIVE_INFINITY;
  #meanwhile = 0;

  constructor(options: TrustedPeersOptions) {
    this.#options = options;
  }

  /** @param peer the address of the connection as Node has it: v4-mapped on a listener of both families */
  holds(peer: string | undefined): boolean {
    const { networks, isUnixSocket } = this.#options;
    if (isUnixSocket) return true;
    const address = peer === undefined ? undefined : canonicalAddress(peer);
    if (address !== undefined && networks.check(address, address.includes(':') ? 'ipv6' : 'ipv4')) return true;
    this.#tell(address ?? peer ?? '');
    return false;
  }

  #tell(address: string): void {
    const { clock, onRefused } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#told.has(address) || nowMs - this.#lastMs < QUIET_MS) {
      this.#meanwhile += 1;
      return;
    }
    this.#told.set(address, true);
    this.#lastMs = nowMs;
    onRefused(address, this.#meanwhile);
    this.#meanwhile = 0;
  }
}
