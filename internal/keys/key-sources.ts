import type { Clock } from '../core/clock.ts';
import { withoutUserinfo } from '../core/without-userinfo.ts';
import type { KeySet, KeySource, KeySources } from '../phases/authn/key-source.ts';
import { discoverKeys, whyUndiscoverable } from './discovery.ts';
import { readKeySet } from './key-set.ts';
import { NamespaceKeys, type Waiting } from './namespace-keys.ts';
import type { OutboundClient } from './outbound.ts';
import { Prefetch } from './prefetch.ts';
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

/** Key sources that can be looked at. */
export interface ObservedKeySources extends KeySources {
  /** Age of the oldest fetched set that would serve now, in milliseconds; undefined when there is none. */
  readonly oldestMs: number | undefined;
}

/** Key sources of one instance: policies that name the same issuer or URL share one, and its fetches. */
export function createKeySources(options: KeySourcesOptions): ObservedKeySources {
  const { client, clock, random, observe } = options;
  const remote = new Registry();
  const prefetch = options.prefetch === true ? new Prefetch() : undefined;
  const views = new Map<string, { readonly waiting: Waiting; readonly sources: WeakMap<RemoteKeys, NamespaceKeys> }>();
  const seenBy = (namespace: string, source: RemoteKeys): KeySource => {
    const { waiting, sources } = views.get(namespace) ?? { waiting: { count: 0 }, sources: new WeakMap() };
    views.set(namespace, { waiting, sources });
    const view = sources.get(source) ?? new NamespaceKeys(source, waiting);
    sources.set(source, view);
    return view;
  };
  const shared = ({ kind, url, namespace }: Named, locate: () => Promise<string>): KeySource => {
    const key = `${kind} ${url}`;
    const known = remote.get(key);
    if (known !== undefined) return seenBy(namespace, known);
    const source = new RemoteKeys({
      locate,
      get: (from) => client.get(from),
      clock,
      random,
      observe: (result, why) => observe(result, url, why),
    });
    remote.set(key, source);
    prefetch?.add(source, namespace);
    return seenBy(namespace, source);
  };
  return {
    byUrl: (url, namespace) => {
      const why = client.whyRefused(url);
      if (why !== undefined) return `"${withoutUserinfo(url)}" ${why}`;
      return shared({ kind: 'url', url, namespace }, () => Promise.resolve(url));
    },
    byDiscovery: (issuer, namespace) => {
      const undiscoverable = whyUndiscoverable(issuer);
      if (undiscoverable !== undefined) return undiscoverable;
      const why = client.whyRefused(issuer);
      if (why !== undefined) return `"${withoutUserinfo(issuer)}" ${why}`;
      const locate = () => discoverKeys(issuer, async (url) => (await client.get(url)).body);
      return shared({ kind: 'issuer', url: issuer, namespace }, locate);
    },
    inline: inlineKeys,
    get oldestMs() {
      return remote.oldestMs;
    },
  };
}

interface Named {
  readonly kind: 'issuer' | 'url';
  readonly url: string;
  /** Of the policy that names it. */
  readonly namespace: string;
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
    let oldest: number | undefined;
    for (const source of this.#sources.values()) {
      const ageMs = source.deref()?.ageMs;
      if (ageMs !== undefined) oldest = Math.max(oldest ?? ageMs, ageMs);
    }
    return oldest;
  }

  set(key: string, source: RemoteKeys): void {
    this.#sources.set(key, new WeakRef(source));
    this.#ended.register(source, key);
  }
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
