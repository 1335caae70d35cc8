import type { Log } from '../telemetry/log.ts';

/** Something of the API server that cannot be read or written now. */
export interface Trouble {
  /** What is asked for: `apipolicies`, `secrets`, `leases`. */
  readonly resource: string;
  /** Where: a namespace, an object; empty for the whole cluster. */
  readonly place: string;
  readonly why: string;
}

interface Lasting {
  trouble: Trouble;
  /** What the log was told of it. */
  readonly said: Set<string>;
}

/**
 * Troubles with the API server, from when they begin until they end: each is one line of the log then, and what is wrong
 * in between is one more only when it is something new.
 */
export class SourceTroubles {
  /** Everything was read once: there is something that goes on serving. */
  isSynced = false;
  readonly #log: Log;
  readonly #lasting = new Map<string, Lasting>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** What lasts now, for people. */
  get lines(): readonly string[] {
    return [...this.#lasting.values()].map(({ trouble: { resource, place, why } }) =>
      place === '' ? `${resource}: ${why}` : `${resource} ${place}: ${why}`,
    );
  }

  begin(trouble: Trouble): void {
    const key = keyOf(trouble);
    const known = this.#lasting.get(key) ?? { trouble, said: new Set() };
    this.#lasting.set(key, known);
    known.trouble = trouble;
    if (known.said.has(trouble.why)) return;
    known.said.add(trouble.why);
    const serves = this.isSynced ? 'what is known serves' : 'until everything was read once, every request is refused';
    this.#log.warn(`The API server did not answer as it should; ${serves}`, { ...trouble });
  }

  end(where: Omit<Trouble, 'why'>): void {
    if (!this.#lasting.delete(keyOf(where))) return;
    const { resource, place } = where;
    this.#log.info('The API server answers as it should again', { resource, place });
  }
}

const keyOf = ({ resource, place }: Omit<Trouble, 'why'>): string => `${resource} ${place}`;
