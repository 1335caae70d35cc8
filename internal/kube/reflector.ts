import { type KubeConfig, Watch } from '@kubernetes/client-node';
import type { Clock } from '../core/clock.ts';
import type { SourceObject } from '../policy/object.ts';
import { KubeError, kubeCall, pathOf, type Resource } from './client.ts';

export interface ReflectorOptions {
  readonly config: KubeConfig;
  readonly resource: Resource;
  readonly kind: string;
  /** undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly clock: Clock;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  readonly onApply: (object: SourceObject) => void;
  readonly onDelete: (object: SourceObject) => void;
  /** The first list is complete. */
  readonly onSynced: () => void;
  /** What went wrong; it is tried again. `status` is the API server's, 0 without an answer. */
  readonly onError: (why: string, status: number) => void;
}

const PAGE = 500;
/** A watch that says nothing for so long is taken for dead; bookmarks come each minute. */
const SILENCE_MS = 90_000;
const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 30_000;
/** A watch that lasted so long was no failure, whatever ended it. */
const HEALTHY_MS = 5000;
const GONE = 410;

interface WatchEnd {
  readonly why: string | undefined;
  readonly status: number;
}

/**
 * Keeps a copy of one kind of objects: a list in pages, then a watch that is resumed where it ended. Whatever goes wrong
 * is tried again, with growing, jittered pauses, for as long as the process lives; meanwhile the copy stays.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #known = new Map<string, SourceObject>();
  readonly #stopped = new AbortController();
  #version = '';
  #isSynced = false;
  #failures = 0;
  #heardMs: number;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#heardMs = options.clock.monotonicMs();
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Seconds since the API server last answered or sent anything. */
  get silenceS(): number {
    return (this.#options.clock.monotonicMs() - this.#heardMs) / 1000;
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        if (this.#version === '') await this.#list();
        const startMs = this.#options.clock.monotonicMs();
        const end = await this.#watch();
        this.#judge(end, this.#options.clock.monotonicMs() - startMs);
      } catch (error) {
        this.#fail(
          error instanceof Error ? error.message : String(error),
          error instanceof KubeError ? error.status : 0,
        );
      }
      if (this.#failures > 0 && !signal.aborted) await this.#pause();
    }
  }

  async #list(): Promise<void> {
    const { config, resource, namespace, labelSelector, fieldSelector } = this.#options;
    const found = new Set<string>();
    let next = '';
    let version = '';
    do {
      const query = {
        limit: String(PAGE),
        ...(next !== '' && { continue: next }),
        ...(labelSelector !== undefined && { labelSelector }),
        ...(fieldSelector !== undefined && { fieldSelector }),
      };
      const page = (await kubeCall(config, { method: 'GET', path: pathOf(resource, namespace), query })) as ListPage;
      this.#heard();
      for (const item of page.items) found.add(this.#apply(item));
      next = page.metadata.continue ?? '';
      version = page.metadata.resourceVersion;
    } while (next !== '' && !this.#stopped.signal.aborted);
    for (const [key, object] of this.#known) if (!found.has(key)) this.#remove(key, object);
    this.#version = version;
    this.#failures = 0;
    if (this.#isSynced) return;
    this.#isSynced = true;
    this.#options.onSynced();
  }

  #watch(): Promise<WatchEnd> {
    const { config, resource, namespace, labelSelector, fieldSelector } = this.#options;
    const watch = new Watch(config);
    (watch as unknown as { requestTimeoutMs: number }).requestTimeoutMs = SILENCE_MS;
    let gone: WatchEnd | undefined;
    return new Promise((resolve) => {
      const query = { resourceVersion: this.#version, allowWatchBookmarks: true, labelSelector, fieldSelector };
      const onEvent = (type: string, object: SourceObject & { code?: number; message?: string }): void => {
        this.#heard();
        if (type === 'ERROR') gone = { why: object.message ?? 'the watch failed', status: object.code ?? 0 };
        else this.#event(type, object);
      };
      const onDone = (error: unknown): void => resolve(gone ?? endOf(error));
      watch.watch(pathOf(resource, namespace), query, onEvent, onDone).then(
        (controller) => this.#stopped.signal.addEventListener('abort', () => controller.abort(), { once: true }),
        (error: unknown) => resolve(endOf(error)),
      );
    });
  }

  #event(type: string, object: SourceObject): void {
    this.#version = object.metadata.resourceVersion ?? this.#version;
    if (type === 'ADDED' || type === 'MODIFIED') this.#apply(object);
    if (type === 'DELETED') this.#remove(keyOf(object), object);
  }

  /** A watch that ended quietly, or after a while, is just resumed; one whose place is gone begins with a list. */
  #judge({ why, status }: WatchEnd, lastedMs: number): void {
    if (status === GONE) {
      this.#version = '';
      return;
    }
    if (why === undefined && lastedMs >= 1000) {
      this.#failures = 0;
      return;
    }
    if (lastedMs >= HEALTHY_MS) this.#failures = 0;
    // Without an answer the place may be lost too; a list is safe, and comes after the pause.
    if (status !== 0 && status < 500) this.#version = '';
    this.#fail(why ?? 'the watch ended at once', status);
  }

  #fail(why: string, status: number): void {
    this.#failures += 1;
    if (!this.#stopped.signal.aborted) this.#options.onError(why, status);
  }

  async #pause(): Promise<void> {
    const most = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(this.#failures - 1, 10));
    const { signal } = this.#stopped;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, most * (0.5 + this.#options.random() / 2));
      signal.addEventListener('abort', end);
    });
  }

  #apply(item: SourceObject): string {
    // Items of a list carry neither kind nor apiVersion.
    const object: SourceObject = { ...item, kind: this.#options.kind };
    const key = keyOf(object);
    if (this.#known.get(key)?.metadata.resourceVersion === object.metadata.resourceVersion) return key;
    this.#known.set(key, object);
    this.#options.onApply(object);
    return key;
  }

  #remove(key: string, object: SourceObject): void {
    this.#known.delete(key);
    this.#options.onDelete({ ...object, kind: this.#options.kind });
  }

  #heard(): void {
    this.#heardMs = this.#options.clock.monotonicMs();
  }
}

interface ListPage {
  readonly items: readonly SourceObject[];
  readonly metadata: { readonly continue?: string; readonly resourceVersion: string };
}

const keyOf = ({ metadata: { namespace, name } }: SourceObject): string => `${namespace}/${name}`;

function endOf(error: unknown): WatchEnd {
  if (error === null || error === undefined) return { why: undefined, status: 0 };
  const { name, message, statusCode } = error as { name?: string; message?: string; statusCode?: number };
  // The client's own end of a quiet watch.
  if (name === 'TimeoutError' || name === 'AbortError') return { why: undefined, status: 0 };
  return { why: message ?? String(error), status: statusCode ?? 0 };
}
