import type { SecretLookup } from '../phases/authn/consumers.ts';
import { unreadConsumer } from '../policy/unread-spec.ts';
import type { Change } from './change.ts';

/** What a look-up of one key in one Secret found for one consumer. */
export interface SecretAnswer {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly consumer: string;
  readonly found: ReturnType<SecretLookup>;
}

type Asked = Omit<SecretAnswer, 'found'>;
type Ref = Pick<SecretAnswer, 'name' | 'key'>;

/** Every part is a name of Kubernetes or a data key: none holds a space. */
const refText = ({ name, key }: Ref): string => `${name} ${key}`;
const consumerText = ({ namespace, consumer }: Pick<Asked, 'namespace' | 'consumer'>): string =>
  `${namespace} ${consumer}`;

/** Answers by consumer: those of keys that it has no longer go, and all of them with it. */
class KeptAnswers {
  readonly #byConsumer = new Map<string, Map<string, SecretAnswer>>();
  /** What consumers name that were changed since a store last served all it was given; nothing for those that are gone. */
  readonly #changed = new Map<string, ReadonlySet<string>>();

  keep(answer: SecretAnswer): void {
    const text = consumerText(answer);
    const answers = this.#byConsumer.get(text) ?? new Map<string, SecretAnswer>();
    this.#byConsumer.set(text, answers.set(refText(answer), answer));
  }

  of(asked: Asked): SecretAnswer | undefined {
    return this.#byConsumer.get(consumerText(asked))?.get(refText(asked));
  }

  get all(): readonly SecretAnswer[] {
    return [...this.#byConsumer.values()].flatMap((answers) => [...answers.values()]);
  }

  forget(namespace: string): void {
    for (const text of this.#byConsumer.keys()) if (text.startsWith(`${namespace} `)) this.#byConsumer.delete(text);
  }

  /** Of a consumer that changes; of all else there is nothing to know. */
  note(change: Change): void {
    if (change.kind === 'apply' && change.object.kind === 'APIConsumer') {
      const { namespace, name } = change.object.metadata;
      this.#changed.set(consumerText({ namespace, consumer: name }), refsOf(change.object));
    } else if (change.kind === 'delete' && change.of === 'APIConsumer') {
      const { namespace, name } = change.meta;
      this.#changed.set(consumerText({ namespace, consumer: name }), NO_REFS);
    }
  }

  /** All that was noted serves: not before, for until then a store may ask for what was. */
  settled(): void {
    for (const [text, refs] of this.#changed) {
      const answers = this.#byConsumer.get(text);
      for (const ref of answers?.keys() ?? []) if (!refs.has(ref)) answers?.delete(ref);
      if (answers?.size === 0) this.#byConsumer.delete(text);
    }
    this.#changed.clear();
  }
}

const NO_REFS: ReadonlySet<string> = new Set();

/** As they stand, like what a namespace follows: they are judged when the consumer is compiled. */
const refsOf = (object: Parameters<typeof unreadConsumer>[0]): ReadonlySet<string> =>
  new Set(
    unreadConsumer(object).keys.flatMap(({ secretRef }) => (secretRef === undefined ? [] : [refText(secretRef)])),
  );

/** What builds were told of Secrets, for processes that do not read them: they find the same, not what came since. */
export class SecretAnswers {
  readonly #known = new KeptAnswers();
  /** Answers that nobody was told of yet. */
  #untold = new KeptAnswers();

  /** The same look-up; what it finds is remembered. */
  recording(namespace: string, secrets: SecretLookup): SecretLookup {
    return ({ name, key }, consumer) => {
      const found = secrets({ name, key }, consumer);
      const answer: SecretAnswer = { namespace, name, key, consumer, found };
      this.#known.keep(answer);
      this.#untold.keep(answer);
      return found;
    };
  }

  /** What is given to the store; everything of a namespace whose Secrets changed is looked up again in the next build. */
  note(change: Change): void {
    this.#known.note(change);
    if (change.kind === 'secretChanged') this.#known.forget(change.namespace);
  }

  /** The store serves all that was noted. */
  settled(): void {
    this.#known.settled();
  }

  takeUntold(): readonly SecretAnswer[] {
    const untold = this.#untold.all;
    this.#untold = new KeptAnswers();
    return untold;
  }

  get all(): readonly SecretAnswer[] {
    return this.#known.all;
  }
}

/** Nothing is known of a Secret that no build of the main process asked for: its key matches nothing. */
const UNTOLD: ReturnType<SecretLookup> = Object.freeze({
  reason: 'SecretNotFound',
  message: 'The main process of this instance has told nothing of this Secret',
});

/** The answers again, in another process. */
export class ToldSecrets {
  readonly #known = new KeptAnswers();

  tell(answers: Iterable<SecretAnswer>): void {
    for (const answer of answers) this.#known.keep(answer);
  }

  note(change: Change): void {
    this.#known.note(change);
  }

  settled(): void {
    this.#known.settled();
  }

  /** How many it holds. */
  get size(): number {
    return this.#known.all.length;
  }

  secrets(namespace: string): SecretLookup {
    return ({ name, key }, consumer) => this.#known.of({ namespace, name, key, consumer })?.found ?? UNTOLD;
  }
}
