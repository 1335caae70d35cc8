import type { RecordedSpec } from '../policy/recorded-spec.ts';
import type { PolicyFeed, PolicyStore } from '../policy/store.ts';
import { giveChange } from './change.ts';
import type { ToWorker } from './messages.ts';
import type { ToldSecrets } from './secret-answers.ts';

export interface FedStoreOptions {
  readonly store: PolicyFeed & Pick<PolicyStore, 'isSettled'>;
  readonly secrets: ToldSecrets;
  /** The store serves this batch. */
  readonly onServed: (number: number) => void;
}

interface Told {
  readonly number: number;
  readonly messages: readonly ToWorker[];
}

const NO_RECORDS: ReadonlyMap<string, RecordedSpec> = new Map();

/** Feeds the store of a worker with the batches of the main process, one build each, in their order. */
export class FedStore {
  readonly #options: FedStoreOptions;
  readonly #batches: Told[] = [];
  #messages: ToWorker[] = [];
  #records = NO_RECORDS;
  /** The batch that is being built. */
  #building: number | undefined = undefined;

  constructor(options: FedStoreOptions) {
    this.#options = options;
  }

  /** The last spec of an object that the main process accepted before this worker began; known until it serves. */
  recordedSpec(uid: string): RecordedSpec | undefined {
    return this.#records.get(uid);
  }

  /** Takes what is for the store; nothing of a batch counts before it is whole. */
  take(message: ToWorker): void {
    if (message.kind !== 'changes' && message.kind !== 'secrets' && message.kind !== 'build') return;
    this.#messages.push(message);
    if (message.kind !== 'build') return;
    this.#batches.push({ number: message.number, messages: this.#messages });
    this.#messages = [];
    this.#next();
  }

  /** The store has nothing left to build. */
  settled(): void {
    this.#served();
  }

  #served(): void {
    const number = this.#building;
    if (number === undefined) return;
    this.#building = undefined;
    // What they were for serves. Later this store knows as much as the main process, which has none.
    this.#records = NO_RECORDS;
    this.#options.secrets.settled();
    this.#options.onServed(number);
    this.#next();
  }

  #next(): void {
    if (this.#building !== undefined) return;
    const batch = this.#batches.shift();
    if (batch === undefined) return;
    this.#building = batch.number;
    for (const message of batch.messages) this.#give(message);
    // What the store took for nothing new brings about no build.
    if (this.#options.store.isSettled) this.#served();
  }

  #give(message: ToWorker): void {
    const { store, secrets } = this.#options;
    if (message.kind === 'secrets') secrets.tell(message.secrets);
    else if (message.kind === 'changes')
      for (const change of message.changes) {
        secrets.note(change);
        giveChange(store, change);
      }
    else if (message.kind === 'build' && message.records !== undefined) {
      this.#records = message.records;
      store.complete();
    }
  }
}
