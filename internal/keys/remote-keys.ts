import type { Clock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import type { KeySet, KeySource } from '../phases/authn/key-source.ts';
import { readKeySet, sameKeys } from './key-set.ts';
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

/** Keys are fresh as long as Cache-Control says, within these bounds. */
export const MIN_FRESH_MS = 60_000;
export const DEFAULT_FRESH_MS = 600_000;
export const MAX_FRESH_MS = 3_600_000;
/** How long past their time keys serve while nobody has tried to refresh them: a withdrawn key ends here. */
export const GRACE_MS = 60_000;
/** Last good keys serve this long while the issuer is down. */
export const MAX_STALE_MS = 86_400_000;
/** An unknown `kid` makes a fetch at most this often. */
export const COOLDOWN_MS = 30_000;
/** After a failure nobody asks again for this long, and up to twice as long. */
export const RETRY_MS = 5000;
/** Most checks that wait for one issuer at a time: one that hangs must leave room for those of others. */
export const MAX_WAITING = 200;

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
  /** Set while the last attempt failed: no other is made before. */
  #retryMs: number | undefined = undefined;
  /** The one fetch under way. */
  #pending: Promise<KeySet> | undefined = undefined;
  #waiting = 0;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
  }

  current(): KeySet | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs < this.#freshUntilMs) return this.#set;
    const usable = this.#usable(nowMs);
    if (usable === undefined) return undefined;
    if (this.#pending === undefined && nowMs >= (this.#retryMs ?? -Infinity)) this.#start().catch(() => undefined);
    // Nobody asked for long, and the issuer is not known to be down: it may have withdrawn a key meanwhile.
    return this.#retryMs === undefined && nowMs >= this.#freshUntilMs + GRACE_MS ? undefined : usable;
  }

  /** Milliseconds since the keys that would serve now were fetched; undefined when none would. Asks for nothing. */
  get ageMs(): number | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    // What nobody asked for since its time is over does not serve, unless its issuer is down.
    const isIdle = this.#retryMs === undefined && nowMs >= this.#freshUntilMs + GRACE_MS;
    return isIdle || this.#usable(nowMs) === undefined ? undefined : nowMs - this.#fetchedMs;
  }

  async fetch(): Promise<KeySet> {
    const nowMs = this.#options.clock.monotonicMs();
    const usable = this.#usable(nowMs);
    if (this.#pending === undefined) {
      if (this.#retryMs !== undefined && nowMs < this.#retryMs) {
        if (usable !== undefined) return usable;
        throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'The last attempt to fetch keys failed a moment ago');
      }
      const isOverdue = nowMs >= this.#freshUntilMs + GRACE_MS;
      if (usable !== undefined && !isOverdue && nowMs - this.#triedMs < COOLDOWN_MS) return usable;
    }
    if (this.#waiting >= MAX_WAITING) {
      if (usable !== undefined) return usable;
      throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'Too many checks wait for these keys already');
    }
    this.#waiting += 1;
    try {
      return await (this.#pending ?? this.#start());
    } catch (error) {
      if (usable === undefined) throw error;
      return usable;
    } finally {
      this.#waiting -= 1;
    }
  }

  #usable(nowMs: number): KeySet | undefined {
    return nowMs - this.#fetchedMs <= MAX_STALE_MS ? this.#set : undefined;
  }

  #start(): Promise<KeySet> {
    this.#triedMs = this.#options.clock.monotonicMs();
    this.#pending = this.#load().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #load(): Promise<KeySet> {
    const { locate, get, observe, clock, random } = this.#options;
    try {
      const { body, cacheControl } = await get(await locate());
      const read = readKeySet(body, { allowsSymmetric: false });
      if (read === undefined) throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'The answer is not a JWK Set');
      const set = this.#accept(read.set, cacheControl);
      // An issuer that publishes no usable key has withdrawn the old ones: its word counts, its silence does not.
      observe('ok', read.unusable.length === 0 ? undefined : `left out: ${read.unusable.join(', ')}`);
      return set;
    } catch (error) {
      this.#retryMs = clock.monotonicMs() + RETRY_MS * (1 + random());
      observe('error', error instanceof Error ? error.message : String(error));
      if (error instanceof PosternError && error.code === 'ERR_POSTERN_KEYS_UNAVAILABLE') throw error;
      throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'The keys cannot be had', { cause: error });
    }
  }

  #accept(set: KeySet, cacheControl: string): KeySet {
    const nowMs = this.#options.clock.monotonicMs();
    const kept = this.#set !== undefined && sameKeys(this.#set, set) ? this.#set : set;
    this.#set = kept;
    this.#retryMs = undefined;
    this.#fetchedMs = nowMs;
    // Up to a tenth earlier, so that replicas do not ask together.
    this.#freshUntilMs = nowMs + freshMs(cacheControl) * (1 - this.#options.random() / 10);
    return kept;
  }
}

/** `max-age` of RFC 9111 §5.2.2.1, bounded; `no-store` and `no-cache` ask for the least. */
function freshMs(cacheControl: string): number {
  if (/(?:^|[\s,])no-(?:store|cache)(?:$|[\s,])/i.test(cacheControl)) return MIN_FRESH_MS;
  const maxAge = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(cacheControl)?.[1];
  if (maxAge === undefined) return DEFAULT_FRESH_MS;
  return Math.min(MAX_FRESH_MS, Math.max(MIN_FRESH_MS, Number(maxAge) * 1000));
}
