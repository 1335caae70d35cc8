import type { SecretLookup } from '../phases/authn/consumers.ts';

/** What a look-up of one key in one Secret found for one consumer. */
export interface SecretAnswer {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly consumer: string;
  readonly found: ReturnType<SecretLookup>;
}

type Asked = Omit<SecretAnswer, 'found'>;

/** Every part is a name of Kubernetes or a data key: none holds a space. */
const textOf = ({ namespace, name, key, consumer }: Asked): string => `${namespace} ${name} ${key} ${consumer}`;

/** What builds were told of Secrets, for processes that do not read them: they find the same, not what came since. */
export class SecretAnswers {
  readonly #known = new Map<string, SecretAnswer>();
  /** Answers that nobody was told of yet. */
  #untold = new Map<string, SecretAnswer>();

  /** The same look-up; what it finds is remembered. */
  recording(namespace: string, secrets: SecretLookup): SecretLookup {
    return (ref, consumer) => {
      const found = secrets(ref, consumer);
      const answer: SecretAnswer = { namespace, name: ref.name, key: ref.key, consumer, found };
      const text = textOf(answer);
      this.#known.set(text, answer);
      this.#untold.set(text, answer);
      return found;
    };
  }

  /** Everything of a namespace is looked up again in the next build. */
  forget(namespace: string): void {
    for (const [text, answer] of this.#known) if (answer.namespace === namespace) this.#known.delete(text);
  }

  takeUntold(): readonly SecretAnswer[] {
    const untold = [...this.#untold.values()];
    this.#untold = new Map();
    return untold;
  }

  get all(): readonly SecretAnswer[] {
    return [...this.#known.values()];
  }
}

/** Nothing is known of a Secret that no build of the main process asked for: its key matches nothing. */
const UNTOLD: ReturnType<SecretLookup> = Object.freeze({
  reason: 'SecretNotFound',
  message: 'The main process of this instance has told nothing of this Secret',
});

/** The answers again, in another process. */
export class ToldSecrets {
  readonly #known = new Map<string, SecretAnswer['found']>();

  tell(answers: Iterable<SecretAnswer>): void {
    for (const answer of answers) this.#known.set(textOf(answer), answer.found);
  }

  secrets(namespace: string): SecretLookup {
    return ({ name, key }, consumer) => this.#known.get(textOf({ namespace, name, key, consumer })) ?? UNTOLD;
  }
}
