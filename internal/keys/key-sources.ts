import type { Clock } from '../core/clock.ts';
import { withoutUserinfo } from '../core/without-userinfo.ts';
import type { KeySet, KeySource, KeySources } from '../phases/authn/key-source.ts';
import { discoverKeys, whyUndiscoverable } from './discovery.ts';
import { readKeySet } from './key-set.ts';
import type { OutboundClient } from './outbound.ts';
import { RemoteKeys } from './remote-keys.ts';

export interface KeySourcesOptions {
  /** Its rules are the trust setting: sources are shared only by those who share a client. */
  readonly client: OutboundClient;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told of every fetch, for metrics and the log; `url` is the issuer's or the set's. */
  readonly observe: (result: 'ok' | 'error', url: string, why?: string) => void;
  /** Fetches keys when a policy first names them, not when a token first needs them. */
  readonly prefetch?: boolean;
}

/** Most keys fetched ahead at one time: ten thousand policies may arrive at once. */
const MAX_PREFETCHES = 8;

/** Key sources that can be looked at. */
export interface ObservedKeySources extends KeySources {
  /** Age of the oldest fetched set that would serve now, in milliseconds; undefined when there is none. */
  readonly oldestMs: number | undefined;
}

/** Key sources of one instance: policies that name the same issuer or URL share one, and its fetches. */
export function createKeySources(options: KeySourcesOptions): ObservedKeySources {
  const { client, clock, random, observe } = options;
  const remote = new Registry();
  const prefetch = options.prefetch === true ? createPrefetch() : () => undefined;
  const shared = (kind: 'issuer' | 'url', url: string, locate: () => Promise<string>): KeySource => {
    const key = `${kind} ${url}`;
    const known = remote.get(key);
    if (known !== undefined) return known;
    const source = new RemoteKeys({
      locate,
      get: (from) => client.get(from),
      clock,
      random,
      observe: (result, why) => observe(result, url, why),
    });
    remote.set(key, source);
    prefetch(source);
    return source;
  };
  return {
    byUrl: (url) => {
      const why = client.whyRefused(url);
      return why === undefined ? shared('url', url, () => Promise.resolve(url)) : `"${withoutUserinfo(url)}" ${why}`;
    },
    byDiscovery: (issuer) => {
      const undiscoverable = whyUndiscoverable(issuer);
      if (undiscoverable !== undefined) return undiscoverable;
      const why = client.whyRefused(issuer);
      if (why !== undefined) return `"${withoutUserinfo(issuer)}" ${why}`;
      return shared('issuer', issuer, () => discoverKeys(issuer, async (url) => (await client.get(url)).body));
    },
    inline: inlineKeys,
    get oldestMs() {
      return remote.oldestMs;
    },
  };
}

/** Sources in use: one that no policy holds any more is forgotten with what it fetched. */
class Registry {
  readonly #sources = new Map<string, WeakRef<RemoteKeys>>();
  readonly #ended = new FinalizationRegistry<string>((key) => {
    if (this.#sources.get(key)?.deref() === undefined) this.#sources.delete(key);
  });

  get(key: string): RemoteKeys | undefined {
    return this.#sources.get(key)?.deref();
  }

  get oldestMs(): number | undefined {
    const ages = [...this.#sources.values()].flatMap((source) => source.deref()?.ageMs ?? []);
    return ages.length === 0 ? undefined : Math.max(...ages);
  }

  set(key: string, source: RemoteKeys): void {
    this.#sources.set(key, new WeakRef(source));
    this.#ended.register(source, key);
  }
}

/** A queue of first fetches. What fails is tried again when a token needs it. */
function createPrefetch(): (source: KeySource) => void {
  const waiting: KeySource[] = [];
  let running = 0;
  const next = (): void => {
    const source = running < MAX_PREFETCHES ? waiting.shift() : undefined;
    if (source === undefined) return;
    running += 1;
    source
      .fetch()
      .catch(() => undefined)
      .finally(() => {
        running -= 1;
        next();
      });
  };
  return (source) => {
    waiting.push(source);
    next();
  };
}

/** Most keys that are written into one policy's method: all of them are read whenever it changes. */
const MAX_INLINE_KEYS = 32;

/** Keys written into the policy: read once, never fetched. An author hears of every key that cannot be used. */
function inlineKeys(text: string, allowsSymmetric: boolean): KeySource | string {
  const read = readKeySet(text, { allowsSymmetric });
  if (read === undefined) return 'This is not a JWK Set: write {"keys": [...]}';
  if (read.published > MAX_INLINE_KEYS)
    return `This set holds ${read.published} keys, at most ${MAX_INLINE_KEYS} are allowed: write those in use, or give their jwks.url`;
  if (read.holdsPrivateKey) return 'This set holds a private key, which a policy shows to many: write public keys only';
  if (read.unusable.length > 0) return `Of this set ${read.unusable.join(', ')}`;
  if (read.set.keys.length === 0) return 'This set holds no key';
  return new InlineKeys(read.set);
}

class InlineKeys implements KeySource {
  readonly #set: KeySet;

  constructor(set: KeySet) {
    this.#set = set;
  }

  current(): KeySet {
    return this.#set;
  }

  fetch(): Promise<KeySet> {
    return Promise.resolve(this.#set);
  }
}
