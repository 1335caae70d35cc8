import { openStream, pathOf, serverOf } from './client.ts';
import { GarbledError, KubeError, unreachable } from './kube-error.ts';
import { linesOf } from './lines.ts';
import { type Scope, selectorsOf } from './list-pages.ts';
import type { Timers } from './timers.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: unknown;
}

export interface WatchOptions {
  /** Resource version after which events are wanted. */
  readonly version: string;
  readonly signal: AbortSignal;
  readonly timers: Timers;
  /** A stream that says nothing for so long has died without a word: it ends. */
  readonly silenceMs: number;
  /** Asked of the server, so that streams end one after the other and spread anew over its replicas. */
  readonly timeoutS: number;
  /** The API server accepted the watch. */
  readonly onOpen: () => void;
}

/** Objects in etcd are at most 1.5 MiB; as JSON on one line they may be longer, but not by much. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** An answer's head comes at once or something is wrong. */
const OPEN_MS = 15_000;
const TYPES: ReadonlySet<string> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/**
 * The events after a resource version, until the server ends the stream or is silent for too long.
 *
 * @returns `silent` when it ended for silence, else `ended`
 * @throws {KubeError} with the status of a refusal or of an ERROR event (410: the version is forgotten); status 0 when
 *   the connection broke
 * @throws {GarbledError} for a line that cannot be read
 */
export async function* watchEvents(
  scope: Scope,
  options: WatchOptions,
): AsyncGenerator<WatchEvent, 'silent' | 'ended'> {
  const { version, timeoutS, onOpen } = options;
  const query = {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(Math.round(timeoutS)),
    ...selectorsOf(scope),
  };
  const watchdog = new Watchdog(options);
  try {
    watchdog.feed(OPEN_MS, `the API server did not answer in ${OPEN_MS / 1000} s`);
    const call = {
      method: 'GET',
      path: pathOf(scope.resource, scope.namespace),
      query,
      signal: watchdog.signal,
    } as const;
    const { body } = await openStream(scope.config, call);
    onOpen();
    watchdog.feed(options.silenceMs, 'silent');
    for await (const line of linesOf(watchdog.over(body, options.silenceMs), MAX_LINE_BYTES)) {
      if (line !== '') yield readEvent(line);
    }
    return 'ended';
  } catch (error) {
    if (watchdog.bark === 'silent') return 'silent';
    // A connection that breaks in the middle loses no place: what was read is whole.
    throw watchdog.bark === undefined ? unreachable(serverOf(scope.config), error) : new KubeError(0, watchdog.bark);
  } finally {
    watchdog.stop();
  }
}

/** Aborts what it watches over when it is not fed in time, or when its owner stops. */
class Watchdog {
  readonly #controller = new AbortController();
  readonly #timers: Timers;
  readonly #parent: AbortSignal;
  #cancel: () => void = () => {};
  readonly #cancelLife: () => void;
  /** Why it aborted; undefined while all is well, or when the owner stopped. */
  bark: string | undefined = undefined;

  constructor({ timers, signal, timeoutS }: WatchOptions) {
    this.#timers = timers;
    this.#parent = signal;
    if (signal.aborted) this.#abort();
    signal.addEventListener('abort', this.#abort);
    // A server that does not keep its word, or sends a byte now and then, is left all the same.
    this.#cancelLife = timers.after(timeoutS * 1000 + OPEN_MS, () => this.#give('silent'));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  feed(ms: number, bark: string): void {
    this.#cancel();
    this.#cancel = this.#timers.after(ms, () => this.#give(bark));
  }

  /** Any byte is a sign of life, a half event too. */
  async *over(body: AsyncIterable<Uint8Array>, silenceMs: number): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      this.feed(silenceMs, 'silent');
      yield chunk;
    }
  }

  stop(): void {
    this.#cancel();
    this.#cancelLife();
    this.#parent.removeEventListener('abort', this.#abort);
    this.#abort();
  }

  #give(bark: string): void {
    this.bark = bark;
    this.#abort();
  }

  readonly #abort = (): void => this.#controller.abort();
}

function readEvent(line: string): WatchEvent {
  let event: { readonly type?: unknown; readonly object?: unknown } | null;
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    throw new GarbledError('The API server sent an event that is not JSON', error);
  }
  const { type, object } = event ?? {};
  if (type === 'ERROR') throw errorOf(object);
  if (typeof type !== 'string' || !TYPES.has(type))
    throw new GarbledError('The API server sent an event of no known type');
  return { type: type as WatchEvent['type'], object };
}

function errorOf(status: unknown): KubeError {
  const { code, message } = (status ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  return new KubeError(typeof code === 'number' ? code : 0, typeof message === 'string' ? message : 'the watch failed');
}
