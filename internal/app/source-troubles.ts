import { systemTimers, type Timers } from '../kube/timers.ts';
import type { Log } from '../telemetry/log.ts';

/** Something of the API server that cannot be read or written now. */
export interface Trouble {
  /** What is asked for: `apipolicies`, `secrets`, `leases`. */
  readonly resource: string;
  /** Where: a namespace, an object; empty for the whole cluster. */
  readonly place: string;
  readonly why: string;
  /** Whatever is asked for fails so: by what cause. Undefined where it is about this one thing. */
  readonly outage?: string | undefined;
}

interface Lasting {
  trouble: Trouble;
  /** What the log was told of it. */
  readonly said: Set<string>;
  /** Takes back that it will be said. */
  cancelSaying?: (() => void) | undefined;
}

/** The first cause is mostly that a connection ended; why none comes about shows a moment later. */
const SETTLE_MS = 1000;
/**
 * An API server that starts refuses what it will grant in a moment. Whoever it refused asks again within half a minute:
 * what is wrong with one thing then is wrong.
 */
const STARTING_MS = 45_000;
/** More than these are not named in a line. */
const MAX_NAMED = 5;
const AGAIN = 'The API server answers as it should again';

/**
 * Troubles with the API server, from when they begin until they end: each is one line of the log then, and what is wrong
 * in between is one more only when it is something new. An outage is one trouble, however much is watched, and none where
 * it is over in a moment.
 */
export class SourceTroubles {
  /** Everything was read once: there is something that goes on serving. */
  isSynced = false;
  readonly #log: Log;
  readonly #timers: Timers;
  readonly #lasting = new Map<string, Lasting>();
  /** What fails by an outage, and what was said of it. */
  readonly #out = new Set<string>();
  readonly #saidOfOutage = new Set<string>();
  #cause = '';
  #cancelSaying: (() => void) | undefined = undefined;
  #cancelStarting: (() => void) | undefined = undefined;

  constructor(log: Log, timers: Timers = systemTimers) {
    this.#log = log;
    this.#timers = timers;
  }

  /** What lasts now, for people. */
  get lines(): readonly string[] {
    return [...this.#lasting.values()].map(({ trouble }) => `${nameOf(trouble)}: ${trouble.why}`);
  }

  /** What is wrong now, each cause once: an outage is one. */
  get causes(): readonly string[] {
    const all = [...this.#lasting.values()].map(({ trouble }) => trouble);
    return [...new Set(all.map((trouble) => trouble.outage ?? `${nameOf(trouble)}: ${trouble.why}`))];
  }

  begin(trouble: Trouble): void {
    const key = keyOf(trouble);
    const known: Lasting = this.#lasting.get(key) ?? { trouble, said: new Set() };
    this.#lasting.set(key, known);
    known.trouble = trouble;
    if (trouble.outage !== undefined) {
      known.cancelSaying?.();
      known.cancelSaying = undefined;
      this.#beginOutage(key, trouble.outage);
    } else if (this.#out.size === 0 && this.#cancelStarting === undefined) this.#say(known);
    else known.cancelSaying ??= this.#timers.after(STARTING_MS, () => this.#sayLate(key, known));
  }

  end(where: Pick<Trouble, 'resource' | 'place'>): void {
    const known = this.#lasting.get(keyOf(where));
    this.forget(where);
    if (known === undefined || known.said.size === 0) return;
    const { resource, place } = where;
    this.#log.info(AGAIN, { resource, place });
  }

  /** It is nobody's here any more, though it may last: as `end`, without a word. */
  forget(where: Pick<Trouble, 'resource' | 'place'>): void {
    const key = keyOf(where);
    this.#lasting.get(key)?.cancelSaying?.();
    this.#lasting.delete(key);
    this.#endOutage(key);
  }

  stop(): void {
    this.#cancelSaying?.();
    this.#cancelStarting?.();
    for (const { cancelSaying } of this.#lasting.values()) cancelSaying?.();
  }

  #say({ trouble: { outage: _, ...trouble }, said }: Lasting): void {
    if (said.has(trouble.why)) return;
    said.add(trouble.why);
    this.#warn(trouble);
  }

  /** What was refused while the API server started is refused for good. */
  #sayLate(key: string, known: Lasting): void {
    known.cancelSaying = undefined;
    this.#endOutage(key);
    this.#say(known);
  }

  #beginOutage(key: string, cause: string): void {
    this.#out.add(key);
    this.#cause = cause;
    if (this.#saidOfOutage.has(cause)) return;
    // Another cause can be that it starts: it is said if it lasts.
    const waitMs = this.#saidOfOutage.size === 0 ? SETTLE_MS : STARTING_MS;
    this.#cancelSaying ??= this.#timers.after(waitMs, () => this.#sayOutage());
  }

  #sayOutage(): void {
    this.#cancelSaying = undefined;
    if (this.#saidOfOutage.has(this.#cause)) return;
    this.#saidOfOutage.add(this.#cause);
    const names = [...this.#out].map((key) => this.#lasting.get(key)).flatMap((one) => one && nameOf(one.trouble));
    const more = names.length - MAX_NAMED;
    const affects = more > 0 ? [...names.slice(0, MAX_NAMED), `${more} more`] : names;
    this.#warn({ why: this.#cause, affects });
  }

  #endOutage(key: string): void {
    if (!this.#out.delete(key) || this.#out.size > 0) return;
    this.#cancelSaying?.();
    this.#cancelSaying = undefined;
    if (this.#saidOfOutage.size > 0) this.#log.info(AGAIN);
    this.#saidOfOutage.clear();
    this.#cancelStarting?.();
    this.#cancelStarting = this.#timers.after(STARTING_MS, () => {
      this.#cancelStarting = undefined;
    });
  }

  #warn(fields: Readonly<Record<string, unknown>>): void {
    const serves = this.isSynced ? 'what is known serves' : 'until everything was read once, every request is refused';
    this.#log.warn(`The API server did not answer as it should; ${serves}`, { ...fields });
  }
}

const keyOf = ({ resource, place }: Pick<Trouble, 'resource' | 'place'>): string => `${resource} ${place}`;
const nameOf = ({ resource, place }: Trouble): string => (place === '' ? resource : `${resource} ${place}`);
