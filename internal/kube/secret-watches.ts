import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../core/clock.ts';
import type { SourceObject } from '../policy/object.ts';
import type { KnownSecret } from '../policy/offered-secret.ts';
import type { Resource } from './client.ts';
import { Reflector } from './reflector.ts';

const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets' };
const FORBIDDEN = 403;
/** How long a start waits for Secrets; what has not come by then counts as absent until it does. */
const SETTLE_MS = 5000;

export interface SecretWatchesOptions {
  readonly config: KubeConfig;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onChange: (namespace: string) => void;
  readonly onError: (why: string) => void;
}

interface Watched {
  readonly reflector: Reflector;
  state: KnownSecret;
  readonly settled: Promise<void>;
}

/** Reads those Secrets that somebody names, each by its name, and no other. */
export class SecretWatches {
  readonly #options: SecretWatchesOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: SecretWatchesOptions) {
    this.#options = options;
  }

  find(namespace: string, name: string): KnownSecret {
    return this.#watched.get(`${namespace}/${name}`)?.state ?? 'absent';
  }

  /** Begins to watch what is named now, and stops what is not any more. */
  follow(names: ReadonlyMap<string, ReadonlySet<string>>): void {
    const wanted = new Set<string>();
    for (const [namespace, secrets] of names) {
      for (const name of secrets) {
        wanted.add(`${namespace}/${name}`);
        if (!this.#watched.has(`${namespace}/${name}`)) this.#watch(namespace, name);
      }
    }
    for (const [key, { reflector }] of this.#watched) {
      if (wanted.has(key)) continue;
      reflector.stop();
      this.#watched.delete(key);
    }
  }

  /** Resolves when every Secret was read or refused, or after a while. */
  async settled(): Promise<void> {
    const all = Promise.all([...this.#watched.values()].map((watched) => watched.settled));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, SETTLE_MS);
    });
    await Promise.race([all, late]);
    clearTimeout(timer);
  }

  stop(): void {
    for (const { reflector } of this.#watched.values()) reflector.stop();
  }

  #watch(namespace: string, name: string): void {
    const { config, clock, random, onChange, onError } = this.#options;
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    const change = (state: KnownSecret): void => {
      watched.state = state;
      resolve();
      onChange(namespace);
    };
    const reflector = new Reflector({
      config,
      resource: SECRETS,
      kind: 'Secret',
      namespace,
      fieldSelector: `metadata.name=${name}`,
      clock,
      random,
      onApply: (object: SourceObject) => change(object),
      onDelete: () => change('absent'),
      onSynced: () => {
        if (watched.state === 'forbidden') change('absent');
        resolve();
      },
      onError: (why, status) => {
        onError(`${namespace}/${name}: ${why}`);
        if (status === FORBIDDEN && watched.state !== 'forbidden') change('forbidden');
      },
    });
    const watched: Watched = { reflector, state: 'absent', settled };
    this.#watched.set(`${namespace}/${name}`, watched);
    reflector.start();
  }
}
