import { breather } from '../core/breather.ts';
import { Retries } from './backoff.ts';
import { GarbledError, KubeError, reasonOf } from './kube-error.ts';
import { keyOf, readObject } from './kube-object.ts';
import { currentVersion, listPages } from './list-pages.ts';
import { ObjectCopy } from './object-copy.ts';
import type { ReflectorOptions } from './reflector-options.ts';
import { pause, systemTimers, type Timers } from './timers.ts';
import { type WatchEvent, watchEvents } from './watch-events.ts';
import { WatchPlace } from './watch-place.ts';

const SILENCE_MS = 75_000;
/** How often everything is looked at anew. */
export const RELIST_MS = 30 * 60_000;
const PAUSES = { awayMs: 3000, refusedMs: 30_000 };
/** What ended sooner than this without a word is tried again only after a pause. */
const HASTY_MS = 1000;
const WATCH_S = 300;
const GONE = 410;
const BAD_REQUEST = 400;

/**
 * Keeps a copy of one kind of objects: a list in pages, then a watch that is resumed where it ended. Whatever goes wrong
 * is tried again, with growing, jittered pauses, for as long as the process lives; meanwhile the copy stays.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #timers: Timers;
  readonly #apiVersion: string;
  readonly #copy: ObjectCopy;
  readonly #stopped = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  readonly #breathe: () => Promise<void> | undefined;
  readonly #place = new WatchPlace();
  /** Who waits for a list that begins from now on. */
  #awaiting: (() => void)[] = [];
  /** Ends the watch or the pause that keeps such a list from beginning. */
  #interrupt = new AbortController();
  #isSynced = false;
  #isListing = false;
  readonly #retries: Retries;
  /** How long to wait before the next try; undefined while nothing is wrong. */
  #pauseMs: number | undefined;
  #heardMs: number;
  #listedMs = -Infinity;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#copy = new ObjectCopy(options);
    this.#timers = options.timers ?? systemTimers;
    const { group, version } = options.resource;
    this.#apiVersion = group === '' ? version : `${group}/${version}`;
    this.#heardMs = options.clock.monotonicMs();
    this.#breathe = breather(options.clock);
    this.#retries = new Retries(PAUSES, options.random);
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Resolves with the first complete list; never rejects, and stays open when it never comes. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** The version up to which everything was told; empty while that is not known. */
  get version(): string {
    return this.#place.isDoubted ? '' : this.#place.version;
  }

  /** Lists everything anew, now; resolves when all of it was told, and never rejects. */
  relist(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaiting.push(resolve);
    this.#interrupt.abort();
    return promise;
  }

  /** Seconds since the API server last answered or sent anything. */
  get silenceS(): number {
    return (this.#options.clock.monotonicMs() - this.#heardMs) / 1000;
  }

  start(): void {
    void this.#run();
  }

  /** Ends for good; the handler is not called any more, and what it was told stays. */
  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      let retryAfterMs = 0;
      this.#isListing = false;
      this.#interrupt = new AbortController();
      try {
        if (this.#place.isDoubted) await this.#checkPlace();
        if (this.#mustList()) await this.#list();
        await this.#watch();
      } catch (error) {
        if (signal.aborted) return;
        if (this.#interrupt.signal.aborted) continue;
        retryAfterMs = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
        this.#judge(error);
      }
      if (this.#pauseMs === undefined) continue;
      const isOver = AbortSignal.any([signal, this.#interrupt.signal]);
      await pause(Math.max(this.#pauseMs, Math.min(retryAfterMs, PAUSES.refusedMs)), this.#timers, isOver);
    }
  }

  #mustList(): boolean {
    const { clock, relistMs = RELIST_MS } = this.#options;
    const isDue = clock.monotonicMs() - this.#listedMs >= relistMs;
    return this.#place.version === '' || this.#awaiting.length > 0 || isDue;
  }

  async #list(): Promise<void> {
    const { signal } = this.#stopped;
    const found = new Set<string>();
    let version = '';
    this.#isListing = true;
    const awaiting = this.#awaiting.length;
    for await (const page of listPages(this.#options, { signal, timers: this.#timers })) {
      this.#heard();
      for (const item of page.items) {
        await this.#breathe();
        // What was stopped half-way has not seen the rest: nothing may be deleted for not being found.
        if (signal.aborted) return;
        const object = readObject(item, this.#options.kind, this.#apiVersion);
        found.add(keyOf(object));
        this.#copy.apply(object);
      }
      version = page.version;
    }
    for (const object of this.#copy.missing(found)) {
      await this.#breathe();
      if (signal.aborted) return;
      this.#copy.remove(object);
    }
    if (signal.aborted) return;
    this.#place.listed(version);
    this.#isListing = false;
    this.#listedMs = this.#options.clock.monotonicMs();
    this.#succeed();
    this.#options.onContact?.();
    this.#tellSynced();
    for (const resolve of this.#awaiting.splice(0, awaiting)) resolve();
  }

  #tellSynced(): void {
    if (this.#isSynced) return;
    this.#isSynced = true;
    this.#synced.resolve();
    this.#options.onSynced?.();
  }

  async #watch(): Promise<void> {
    const { clock, random, silenceMs = SILENCE_MS, onContact } = this.#options;
    // Asked for while the list was made: that one had begun already.
    if (this.#awaiting.length > 0) return;
    const signal = AbortSignal.any([this.#stopped.signal, this.#interrupt.signal]);
    const startMs = clock.monotonicMs();
    const onOpen = (): void => {
      this.#heard();
      onContact?.();
    };
    const timeoutS = WATCH_S * (1 + random());
    const events = watchEvents(this.#options, {
      version: this.#place.version,
      signal,
      timers: this.#timers,
      silenceMs,
      timeoutS,
      onOpen,
    });
    try {
      let next = await events.next();
      while (!next.done) {
        await this.#breathe();
        if (signal.aborted) return;
        this.#heard();
        this.#succeed();
        this.#place.heard();
        this.#event(next.value);
        next = await events.next();
      }
      this.#ended(next.value, clock.monotonicMs() - startMs);
    } finally {
      // Frees its timers and its connection, also when an event could not be read.
      await events.return('ended');
    }
  }

  #ended(how: 'silent' | 'ended', lastedMs: number): void {
    if (how === 'silent') this.#place.wasSilent();
    else if (lastedMs < HASTY_MS) this.#fail('the watch ended at once', 0);
    else this.#succeed();
  }

  #event({ type, object: sent }: WatchEvent): void {
    if (type === 'BOOKMARK') {
      const { metadata } = (sent ?? {}) as { readonly metadata?: { readonly resourceVersion?: unknown } };
      if (typeof metadata?.resourceVersion === 'string' && metadata.resourceVersion !== '')
        this.#place.moveTo(metadata.resourceVersion);
      return;
    }
    const object = readObject(sent, this.#options.kind, this.#apiVersion);
    if (type === 'DELETED') this.#copy.remove(object);
    else this.#copy.apply(object);
    this.#place.moveTo(object.metadata.resourceVersion ?? this.#place.version);
  }

  async #checkPlace(): Promise<void> {
    const version = await currentVersion(this.#options, { signal: this.#stopped.signal, timers: this.#timers });
    this.#heard();
    this.#place.compare(version);
  }

  #judge(error: unknown): void {
    const status = error instanceof KubeError ? error.status : 0;
    const isGarbled = error instanceof GarbledError || !(error instanceof KubeError);
    if (status === GONE || status === BAD_REQUEST || isGarbled) this.#place.forget();
    this.#place.doubt(status);
    // A version that is forgotten is nobody's failure, unless listing does not help.
    const isFresh = this.#isListing || this.#options.clock.monotonicMs() - this.#listedMs < HASTY_MS;
    if (status === GONE && this.#pauseMs === undefined && !isFresh) return;
    this.#fail(reasonOf(error), status);
  }

  #fail(why: string, status: number): void {
    this.#pauseMs = this.#retries.failed(status);
    this.#options.onError(why, status);
  }

  #succeed(): void {
    this.#pauseMs = undefined;
    this.#retries.clear();
  }

  #heard(): void {
    this.#heardMs = this.#options.clock.monotonicMs();
  }
}
