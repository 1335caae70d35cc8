import type { BlockList } from 'node:net';
import { canonicalAddress } from '../../core/address.ts';
import type { Clock } from '../../core/clock.ts';
import { SeldomTold } from './seldom-told.ts';

export interface TrustedPeersOptions {
  /** `--http-trusted-peers`. */
  readonly networks: BlockList;
  /** Who opens a unix socket has the permission of its file: that is the trust. */
  readonly isUnixSocket: boolean;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Told of a peer that is not trusted: once for each address, and of however many not more than one a second. */
  readonly onRefused: (address: string, refusedMeanwhile: number) => void;
}

/**
 * Who may say what a request is about: proxies, never clients. Decided by the connection's own peer, whatever headers
 * say of it.
 */
export class TrustedPeers {
  readonly #options: TrustedPeersOptions;
  readonly #told: SeldomTold;

  constructor(options: TrustedPeersOptions) {
    this.#options = options;
    this.#told = new SeldomTold(options.clock);
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
    const meanwhile = this.#told.next(address);
    if (meanwhile !== undefined) this.#options.onRefused(address, meanwhile);
  }
}
