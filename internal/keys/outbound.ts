import { lookup as dnsLookup } from 'node:dns';
import { once } from 'node:events';
import { BlockList, type LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { PosternError } from '../core/error.ts';
import { withoutUserinfo } from '../core/without-userinfo.ts';
import { type OutboundRules, whyRefused, whyRefusedUrl } from './outbound-rules.ts';

/** Addresses that change while the agent runs: the API server's. */
export interface ForbiddenAddresses {
  /** As they were last known; undefined while they never were: then nothing private is connected to. */
  readonly known: BlockList | undefined;
  /** Makes them known as they are now, as far as can be; never rejects. Awaited before each fetch. */
  refresh(): Promise<void>;
}

/** Where there is no API server. */
export const NOTHING_FORBIDDEN: ForbiddenAddresses = Object.freeze({
  known: new BlockList(),
  refresh: () => Promise.resolve(),
});

export interface OutboundTrust extends Omit<OutboundRules, 'forbidden'> {
  readonly forbidden: ForbiddenAddresses;
}

/** Most bytes of one answer. */
const MAX_BYTES = 1_048_576;
/** From the call to the last byte. */
const TIMEOUT_MS = 5000;
const CONNECTIONS_PER_ORIGIN = 4;

export interface Fetched {
  readonly body: string;
  readonly cacheControl: string;
}

/** Parts that tests replace. */
export interface OutboundOptions {
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  readonly lookup?: typeof dnsLookup;
}

/**
 * Fetches small JSON documents for policies, from addresses that policies may name. No redirects, no proxies, no
 * cookies, no compression; nothing of the agent's own credentials is ever sent.
 */
export class OutboundClient {
  readonly #trust: OutboundTrust;
  readonly #timeoutMs: number;
  readonly #agent: Agent;

  constructor(
    trust: OutboundTrust,
    { timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES, lookup = dnsLookup }: OutboundOptions = {},
  ) {
    this.#trust = trust;
    this.#timeoutMs = timeoutMs;
    // The address is judged where it is used, after DNS: a name that changes its mind gains nothing.
    this.#agent = new Agent({
      connect: { lookup: guardedLookup(trust, lookup), timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: maxBytes,
      connections: CONNECTIONS_PER_ORIGIN,
    });
  }

  /** What is wrong with a URL that a policy names; undefined when it may be fetched, its addresses permitting. */
  whyRefused(url: string): string | undefined {
    const { known = NOTHING_FORBIDDEN.known } = this.#trust.forbidden;
    return whyRefusedUrl(url, { ...this.#trust, forbidden: known });
  }

  /**
   * One GET; whatever is not a 200 is a failure.
   *
   * @throws {PosternError} ERR_POSTERN_OUTBOUND_REFUSED, ERR_POSTERN_KEYS_UNAVAILABLE
   */
  async get(url: string): Promise<Fetched> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      const refreshed = this.#trust.forbidden.refresh();
      // Once known, they need not be known anew: a slow look-up must not take the time of the fetch.
      if (this.#trust.forbidden.known === undefined) await Promise.race([refreshed, once(signal, 'abort')]);
      const refused = whyRefusedUrl(url, rulesNow(this.#trust));
      if (refused !== undefined)
        throw new PosternError('ERR_POSTERN_OUTBOUND_REFUSED', `"${withoutUserinfo(url)}" ${refused}`);
      const { statusCode, headers, body } = await request(url, {
        dispatcher: this.#agent,
        headers: { accept: 'application/json' },
        signal,
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`it answered ${statusCode}`);
      return { body: text, cacheControl: String(headers['cache-control'] ?? '') };
    } catch (error) {
      if (error instanceof PosternError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', `Cannot fetch "${url}": ${why}`, { cause: error });
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

const rulesNow = (trust: OutboundTrust): OutboundRules => ({ ...trust, forbidden: trust.forbidden.known });

/** A look-up whose every address is allowed: one that is not refuses the name, for the next connection may get it. */
function guardedLookup(trust: OutboundTrust, lookup: typeof dnsLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const rules = rulesNow(trust);
      const refused = addresses.map(({ address }) => whyRefused(address, rules)).find((why) => why !== undefined);
      const [first] = addresses;
      if (refused !== undefined || first === undefined) {
        const message = `Cannot connect to "${hostname}": its address ${refused ?? 'is unknown'}`;
        return callback(new PosternError('ERR_POSTERN_OUTBOUND_REFUSED', message), '', 0);
      }
      return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}
