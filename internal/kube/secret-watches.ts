import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../core/clock.ts';
import type { KnownSecret } from '../policy/offered-secret.ts';
import type { Resource } from './client.ts';
import type { KubeObject } from './kube-object.ts';
import { Reflector } from './reflector.ts';
import { systemTimers, type Timers } from './timers.ts';

const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets' };
const FORBIDDEN = 403;
/** How long a start waits for Secrets; what has not come by then counts as absent until it does. */
const SETTLE_MS = 5000;

export interface SecretWatchesOptions {
  readonly config: KubeConfig;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timers?: Timers;
  readonly onChange: (namespace: string) => void;
  /** A Secret cannot be read; `secret` is `namespace/name`. It is tried again. */
  readonly onError: (secret: string, why: string, status?: number) => void;
  /** It is read (again), or nobody names it any more. */
  readonly onRecovery: (secret: string) => void;
}

/** Reads those Secrets that somebody names, each by its name, and no other. */
export class SecretWatches {
  readonly #options: SecretWatchesOptions;
  readonly #watched = new Map<string, NamedSecret>();
  #followed: ReadonlyMap<string, ReadonlySet<string>> = new Map();

  constructor(options: SecretWatchesOptions) {
    this.#options = options;
  }

  /** Seconds since the API server was last heard on the quietest watch; undefined without any that may be read. */
  get silenceS(): number | undefined {
    let longest: number | undefined;
    for (const { silenceS } of this.#watched.values())
      if (silenceS !== undefined) longest = Math.max(longest ?? 0, silenceS);
    return longest;
  }

  find(namespace: string, name: string): KnownSecret {
    return this.#watched.get(`${namespace}/${name}`)?.state ?? 'absent';
  }

  /** Begins to watch what is named now, and stops what is not any more. A set that is the same one costs nothing. */
  follow(names: ReadonlyMap<string, ReadonlySet<string>>): void {
    const before = this.#followed;
    this.#followed = new Map(names);
    for (const [namespace, secrets] of names) {
      if (before.get(namespace) === secrets) continue;
      for (const name of secrets) this.#begin(namespace, name);
    }
    for (const [namespace, secrets] of before) {
      const now = names.get(namespace);
      if (now === secrets) continue;
      for (const name of secrets) if (now?.has(name) !== true) this.#end(`${namespace}/${name}`);
    }
  }

  #begin(namespace: string, name: string): void {
    const key = `${namespace}/${name}`;
    if (!this.#watched.has(key)) this.#watched.set(key, new NamedSecret(namespace, name, this.#options));
  }

  #end(key: string): void {
    this.#watched.get(key)?.stop();
    this.#watched.delete(key);
    this.#options.onRecovery(key);
  }

  /** Resolves when every Secret was read or refused, or after a while. */
  async settled(): Promise<void> {
    const all = Promise.all([...this.#watched.values()].map((secret) => secret.settled));
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = (this.#options.timers ?? systemTimers).after(SETTLE_MS, resolve);
    await Promise.race([all, late]);
    cancel();
  }

  stop(): void {
    for (const secret of this.#watched.values()) secret.stop();
  }
}

/**
 * One Secret. While it may not be read it counts as forbidden, whatever it held before. The API server looks at rights
 * only when a watch begins, so a right that is taken away counts minutes later; a Secret that is deleted is gone at once.
 * While the API server is away it stays what it was.
 */
class NamedSecret {
  readonly #reflector: Reflector;
  readonly #settled = Promise.withResolvers<void>();
  readonly #change: () => void;
  #object: KubeObject | undefined = undefined;
  #isForbidden = false;

  constructor(namespace: string, name: string, options: SecretWatchesOptions) {
    const secret = `${namespace}/${name}`;
    this.#change = () => options.onChange(namespace);
    this.#reflector = new Reflector({
      ...options,
      resource: SECRETS,
      kind: 'Secret',
      namespace,
      fieldSelector: `metadata.name=${name}`,
      onApply: (object) => this.#set(object),
      onDelete: () => this.#set(undefined),
      onContact: () => {
        options.onRecovery(secret);
        this.#forbid(false);
      },
      onUnusable: (_, why) => options.onError(secret, why),
      onError: (why, status) => {
        if (status === FORBIDDEN) this.#forbid(true);
        options.onError(secret, why, status);
      },
    });
    this.#reflector.start();
  }

  get state(): KnownSecret {
    return this.#isForbidden ? 'forbidden' : (this.#object ?? 'absent');
  }

  /** Undefined while it may not be read: that is no silence. */
  get silenceS(): number | undefined {
    return this.#isForbidden ? undefined : this.#reflector.silenceS;
  }

  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  stop(): void {
    this.#reflector.stop();
    this.#settled.resolve();
  }

  #set(object: KubeObject | undefined): void {
    this.#object = object;
    if (!this.#isForbidden) this.#change();
  }

  #forbid(isForbidden: boolean): void {
    this.#settled.resolve();
    if (this.#isForbidden === isForbidden) return;
    this.#isForbidden = isForbidden;
    this.#change();
  }
}
