import { lookup as dnsLookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import type { Clock } from '../core/clock.ts';

export interface ServerAddressesOptions {
  /** The API server, as the configuration writes it. */
  readonly server: string;
  readonly clock: Clock;
  readonly lookup?: (host: string) => Promise<readonly { readonly address: string }[]>;
}

/** An API server that moves is known again this soon; a look-up that failed is tried again sooner. */
export const FRESH_MS = 30_000;
export const RETRY_MS = 1000;

/**
 * The addresses of the API server, which policies may never make the agent connect to. They are looked up when somebody
 * is about to connect: a name that could not be resolved when the agent started is not forgotten.
 */
export class ServerAddresses {
  readonly #host: string;
  readonly #clock: Clock;
  readonly #lookup: NonNullable<ServerAddressesOptions['lookup']>;
  #known: BlockList | undefined = undefined;
  #dueMs = -Infinity;
  /** The one look-up under way. */
  #pending: Promise<void> | undefined = undefined;

  constructor({ server, clock, lookup = (host) => dnsLookup(host, { all: true }) }: ServerAddressesOptions) {
    this.#host = new URL(server).hostname.replace(/^\[(.*)\]$/, '$1');
    this.#clock = clock;
    this.#lookup = lookup;
    if (isIP(this.#host) === 0) return;
    this.#known = listOf([{ address: this.#host }]);
    this.#dueMs = Infinity;
  }

  /** As the last look-up that succeeded told; undefined before there was one. */
  get known(): BlockList | undefined {
    return this.#known;
  }

  /** Looks them up, unless that was done a moment ago. Never rejects: what was known stays known. */
  refresh(): Promise<void> {
    if (this.#clock.monotonicMs() < this.#dueMs) return Promise.resolve();
    this.#pending ??= this.#look().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #look(): Promise<void> {
    try {
      const found = await this.#lookup(this.#host);
      if (found.length > 0) this.#known = listOf(found);
      this.#dueMs = this.#clock.monotonicMs() + (found.length > 0 ? FRESH_MS : RETRY_MS);
    } catch {
      this.#dueMs = this.#clock.monotonicMs() + RETRY_MS;
    }
  }
}

function listOf(found: readonly { readonly address: string }[]): BlockList {
  const list = new BlockList();
  for (const { address } of found) list.addAddress(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return list;
}
