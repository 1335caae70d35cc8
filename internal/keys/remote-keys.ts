import type { JSONWebKeySet, JWK } from 'jose';
import type { Clock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { parseStrictJson } from '../core/strict-json.ts';
import type { KeySet, KeySource } from '../phases/authn/key-source.ts';
import { sameKeys, usableKeys } from './key-set.ts';
import type { Fetched } from './outbound.ts';

/** What a source of fetched keys needs. */
export interface RemoteKeysOptions {
  /** Where the key set lies; discovery asks the issuer first. */
  readonly locate: () => Promise<string>;
  readonly get: (url: string) => Promise<Fetched>;
  readonly clock: Clock;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  readonly observe: (result: 'ok' | 'error', why?: string) => void;
}

const MIN_FRESH_MS = 60_000;
const DEFAULT_FRESH_MS = 600_000;
const MAX_FRESH_MS = 3_600_000;
/** Last good keys serve this long while the issuer is down. */
export const MAX_STALE_MS = 86_400_000;
/** An unknown `kid` makes a fetch at most this often. */
export const COOLDOWN_MS = 30_000;
/** After a failure nobody asks again for this long. */
export const RETRY_MS = 5000;

/**
 * Keys behind a URL: fetched once for all who wait, refreshed in the background while the old ones serve, kept for a
 * day while the issuer is down. No timer runs: what is due is done when somebody asks.
 */
export class RemoteKeys implements KeySource {
  readonly #options: RemoteKeysOptions;
  #set: KeySet | undefined = undefined;
  #fetchedMs = -Infinity;
  #freshUntilMs = -Infinity;
  #triedMs = -Infinity;
  #hasFailed = false;
  /** The one fetch under way. */
  #pending: Promise<KeySet> | undefined = undefined;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
  }

  current(): KeySet | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#set === undefined || nowMs - this.#fetchedMs > MAX_STALE_MS) return undefined;
    if (nowMs >= this.#freshUntilMs && nowMs - this.#triedMs >= RETRY_MS) this.#start().catch(() => undefined);
    return this.#set;
  }

  fetch(): Promise<KeySet> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#pending !== undefined) return this.#pending;
    const usable = nowMs - this.#fetchedMs <= MAX_STALE_MS ? this.#set : undefined;
    if (usable !== undefined && nowMs - this.#triedMs < COOLDOWN_MS) return Promise.resolve(usable);
    if (usable === undefined && this.#hasFailed && nowMs - this.#triedMs < RETRY_MS) {
      return Promise.reject(new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'The last attempt to fetch keys failed a moment ago'));
    }
    return this.#start().catch((error: unknown) => {
      if (usable === undefined) throw error;
      return usable;
    });
  }

  #start(): Promise<KeySet> {
    this.#triedMs = this.#options.clock.monotonicMs();
    this.#pending ??= this.#load().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #load(): Promise<KeySet> {
    const { locate, get, observe } = this.#options;
    try {
      const fetched = await get(await locate());
      const keys = await usableKeys(readKeySet(fetched.body), false);
      if (keys.size === 0) throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'The key set holds no key that can verify');
      this.#accept(keys, fetched.cacheControl);
      this.#hasFailed = false;
      observe('ok');
      return this.#set ?? { keys, version: 1 };
    } catch (error) {
      this.#hasFailed = true;
      observe('error', error instanceof Error ? error.message : String(error));
      if (error instanceof PosternError && error.code === 'ERR_POSTERN_KEYS_UNAVAILABLE') throw error;
      throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'The keys cannot be had', { cause: error });
    }
  }

  #accept(keys: ReadonlyMap<string, JWK>, cacheControl: string): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#set === undefined || !sameKeys(this.#set.keys, keys)) this.#set = Object.freeze({ keys, version: (this.#set?.version ?? 0) + 1 });
    this.#fetchedMs = nowMs;
    // Up to a tenth earlier, so that replicas do not ask together.
    this.#freshUntilMs = nowMs + freshMs(cacheControl) * (1 - this.#options.random() / 10);
  }
}

function freshMs(cacheControl: string): number {
  const maxAge = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(cacheControl)?.[1];
  if (maxAge === undefined) return DEFAULT_FRESH_MS;
  return Math.min(MAX_FRESH_MS, Math.max(MIN_FRESH_MS, Number(maxAge) * 1000));
}

function readKeySet(body: string): JSONWebKeySet {
  const parsed = parseStrictJson(body);
  const set = parsed.ok ? (parsed.value as JSONWebKeySet | null) : null;
  if (!Array.isArray(set?.keys)) throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'The answer is not a JWK Set');
  return set;
}
