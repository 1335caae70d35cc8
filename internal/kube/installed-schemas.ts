import type { KubeConfig } from '@kubernetes/client-node';
import { kubeCall, pathOf, type Resource } from './client.ts';
import { GarbledError, KubeError, reasonOf } from './kube-error.ts';
import { RELIST_MS } from './reflector.ts';
import { systemTimers, type Timers } from './timers.ts';

const DEFINITIONS: Resource = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
/** A definition's schema is long, and nothing of it is read here. */
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json';
const RETRY_MS = 60_000;
const FORBIDDEN = 403;
const NOT_FOUND = 404;

export interface InstalledSchemasOptions {
  readonly config: KubeConfig;
  readonly timers?: Timers;
  /** The digest that each definition should carry, by its name, e.g. `apipolicies.postern.dev`. */
  readonly expected: ReadonlyMap<string, string>;
  /** The annotation that carries it. */
  readonly annotation: string;
  /** Definitions that carry another digest or none: told when they become others than before. */
  readonly onChange: (outdated: ReadonlySet<string>) => void;
  /** Definitions may not be read, so nothing is known of them; told once. */
  readonly onForbidden: (why: string) => void;
}

/**
 * Compares the definitions that are installed with those of this version: at the start, and as often as everything is
 * listed anew. A definition that is missing is said by who lists its objects, and so is an API server that is away.
 */
export class InstalledSchemas {
  readonly #options: InstalledSchemasOptions;
  readonly #timers: Timers;
  readonly #stopped = new AbortController();
  #outdated: ReadonlySet<string> = new Set();
  #isForbiddenSaid = false;
  #cancel: () => void = () => {};

  constructor(options: InstalledSchemasOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
  }

  start(): void {
    void this.#look();
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancel();
  }

  async #look(): Promise<void> {
    const isDone = await this.#compare();
    if (this.#stopped.signal.aborted) return;
    this.#cancel = this.#timers.after(isDone ? RELIST_MS : RETRY_MS, () => void this.#look());
  }

  /** @returns false when it has to be tried again soon; what was found before stays */
  async #compare(): Promise<boolean> {
    const outdated = new Set<string>();
    try {
      for (const [name, digest] of this.#options.expected) if (await this.#isOutdated(name, digest)) outdated.add(name);
    } catch (error) {
      return this.#isForbidden(error);
    }
    if (this.#stopped.signal.aborted) return true;
    const isSame = outdated.symmetricDifference(this.#outdated).size === 0;
    this.#outdated = outdated;
    if (!isSame) this.#options.onChange(outdated);
    return true;
  }

  async #isOutdated(name: string, digest: string): Promise<boolean> {
    const { config, annotation } = this.#options;
    const call = { path: pathOf(DEFINITIONS, undefined, name), accept: METADATA, signal: this.#stopped.signal };
    try {
      const { metadata } = ((await kubeCall(config, { method: 'GET', ...call })) ?? {}) as Definition;
      // Whatever answered with something else is no API server: nothing is known of what is installed.
      if (metadata?.name !== name) throw new GarbledError(`The answer is not the definition "${name}"`);
      return metadata.annotations?.[annotation] !== digest;
    } catch (error) {
      if (error instanceof KubeError && error.status === NOT_FOUND) return false;
      throw error;
    }
  }

  #isForbidden(error: unknown): boolean {
    if (!(error instanceof KubeError && error.status === FORBIDDEN)) return false;
    if (!this.#isForbiddenSaid) this.#options.onForbidden(reasonOf(error));
    this.#isForbiddenSaid = true;
    return true;
  }
}

interface Definition {
  readonly metadata?: { readonly name?: string; readonly annotations?: Readonly<Record<string, string>> };
}
