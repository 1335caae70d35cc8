import type { ObjectMeta, SourceObject } from '../policy/object.ts';
import { type Build, type Horizon, type PolicyFeed, type PolicyStore, restAfterMs } from '../policy/store.ts';
import type { PodLabels } from '../policy/workload.ts';
import { type Change, giveChange } from './change.ts';
import type { SecretAnswer, SecretAnswers } from './secret-answers.ts';
import { type Records, ServingState } from './serving-state.ts';

/** What one build took in, or several that led to each other: another store that is given it comes to the same. */
export interface Batch {
  readonly number: number;
  readonly changes: readonly Change[];
  readonly secrets: readonly SecretAnswer[];
  /** Only in a batch that is all there is, for who begins with it. */
  readonly records?: Records;
}

export interface WorkerFeedOptions {
  readonly store: PolicyFeed & Pick<PolicyStore, 'isSettled'>;
  readonly answers: SecretAnswers;
  /** How far the source has come; only where it has a history. */
  readonly horizon?: (() => Horizon | undefined) | undefined;
  /** The store has built it, in so long: now others may. */
  readonly onBatch: (batch: Batch, tookMs: number) => void;
  /** All who answer checks serve what this build made. */
  readonly onServed: (build: Build) => void;
  /** Waits between builds; never rejects. */
  readonly rest: (ms: number) => Promise<void>;
}

interface Unserved {
  readonly number: number;
  /** How many changes had been given up to it. */
  readonly upTo: number;
  readonly builds: readonly Build[];
}

/**
 * Stands between a source and the store of the main process, so that workers pass through the builds that it passes
 * through: what comes while it builds is held back until it has, and what a build took in is one batch for all of them.
 */
export class WorkerFeed implements PolicyFeed {
  readonly #options: WorkerFeedOptions;
  readonly #state = new ServingState();
  /** Held back; each with its number. */
  #pending: Change[] = [];
  #batch: Change[] = [];
  #builds: Build[] = [];
  #isHolding = false;
  #horizon: Horizon | undefined = undefined;
  #number = 0;
  #asked = 0;
  #upTo = 0;
  readonly #unserved: Unserved[] = [];
  #waiting: { readonly upTo: number; readonly resolve: () => void }[] = [];

  constructor(options: WorkerFeedOptions) {
    this.#options = options;
  }

  apply(object: SourceObject): void {
    this.#take({ kind: 'apply', object });
  }

  delete(kind: string, { namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): void {
    this.#take({ kind: 'delete', of: kind, meta: { namespace, name } });
  }

  secretChanged(namespace: string): void {
    this.#take({ kind: 'secretChanged', namespace });
  }

  setUnread(hasUnread: boolean): void {
    this.#take({ kind: 'setUnread', hasUnread });
  }

  relabel(labels: PodLabels): void {
    this.#take({ kind: 'relabel', labels });
  }

  complete(): void {
    this.#options.store.complete();
  }

  secretNames(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#options.store.secretNames();
  }

  /** Resolves when all workers serve what was given so far; never rejects. */
  caughtUp(): Promise<void> {
    const last = this.#unserved.at(-1);
    if (last === undefined && this.#isAtRest) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    // What the store took for nothing new is in no batch, until another one comes.
    this.#waiting.push({ upTo: last !== undefined && this.#isAtRest ? last.upTo : this.#asked, resolve });
    return promise;
  }

  /** Everything that serves, for a worker that begins; undefined while a build may change it. */
  get whole(): Batch | undefined {
    if (this.#number === 0 || !this.#options.store.isSettled) return undefined;
    const { changes, records } = this.#state;
    return { number: this.#number, changes, secrets: this.#options.answers.all, records };
  }

  /** The store begins to build. */
  began(): void {
    // What is held back comes to the store later, and the source has gone beyond it.
    if (this.#pending.length === 0) this.#horizon = this.#options.horizon?.();
    this.#isHolding = true;
  }

  /** How far what the store was given goes, as it began to build. */
  get horizon(): Horizon | undefined {
    return this.#horizon;
  }

  /** The store has built; more may follow from it. */
  built(build: Build): void {
    this.#builds.push(build);
  }

  /** What cannot be built must not keep back what may mend it. */
  failed(): void {
    this.#release();
  }

  /** The store has nothing left to build. */
  settled(): void {
    const builds = this.#builds;
    const last = builds.at(-1);
    if (last === undefined) {
      this.#release();
      return;
    }
    this.#number += 1;
    this.#state.built(last);
    this.#options.answers.settled();
    const batch: Batch = { number: this.#number, changes: this.#batch, secrets: this.#options.answers.takeUntold() };
    this.#unserved.push({ number: this.#number, upTo: this.#upTo, builds });
    this.#batch = [];
    this.#builds = [];
    const hasMore = this.#pending.length > 0;
    if (!hasMore) this.#isHolding = false;
    this.#options.onBatch(batch, Math.max(...builds.map(({ tookMs }) => tookMs)));
    if (hasMore) void this.#options.rest(restAfterMs(last.tookMs)).then(() => this.#release());
  }

  /** Every worker serves the batches up to this one. */
  served(number: number): void {
    while ((this.#unserved[0]?.number ?? Infinity) <= number) {
      const one = this.#unserved.shift();
      if (one === undefined) return;
      const isDone = (each: { readonly upTo: number }): boolean => each.upTo <= one.upTo;
      const done = this.#waiting.filter(isDone);
      this.#waiting = this.#waiting.filter((each) => !isDone(each));
      for (const build of one.builds) this.#options.onServed(build);
      for (const { resolve } of done) resolve();
    }
  }

  get #isAtRest(): boolean {
    return !this.#isHolding && this.#pending.length === 0 && this.#options.store.isSettled;
  }

  #take(change: Change): void {
    this.#asked += 1;
    if (this.#isHolding) this.#pending.push(change);
    else this.#give(change);
  }

  #give(change: Change): void {
    this.#upTo += 1;
    this.#batch.push(change);
    this.#state.note(change);
    this.#options.answers.note(change);
    giveChange(this.#options.store, change);
  }

  #release(): void {
    this.#isHolding = false;
    for (const change of this.#pending.splice(0)) this.#give(change);
  }
}
