import { hash } from 'node:crypto';
import type { ConsumerIndex } from '../../core/evaluation.ts';
import { type Identity, identityId } from '../../core/identity.ts';
import { ProblemList } from '../../core/problem.ts';
import { digestOf } from './key-digest.ts';
import type { LayeredMap } from './layered-map.ts';

/** One APIConsumer, with what its Secrets hold. */
export interface ConsumerInput {
  readonly name: string;
  readonly groups: readonly string[];
  readonly keys: readonly KeyInput[];
  /** Its spec is wrong: it can use no key, but what can be read of its keys stays taken. */
  readonly isUnread?: boolean | undefined;
}

export interface KeyInput {
  readonly name: string;
  readonly sha256?: string | undefined;
  readonly secretRef?: { readonly name: string; readonly key: string } | undefined;
  readonly notBefore?: string | undefined;
  readonly notAfter?: string | undefined;
}

/** The plain key of a Secret, or why it may not be used. */
export type SecretLookup = (
  ref: { readonly name: string; readonly key: string },
  consumer: string,
) =>
  | Uint8Array
  | {
      readonly reason: 'SecretNotFound' | 'SecretNotOffered' | 'SecretsNotReadable' | 'QuotaExceeded' | 'Invalid';
      readonly message: string;
    };

/** A consumer with its identities by method, so that what is derived from an identity is derived once. */
export interface Consumer {
  readonly name: string;
  readonly groups: readonly string[];
  readonly identities: Map<string, Identity>;
}

/** A key as one consumer holds it. */
export interface Holding {
  readonly digest: string;
  readonly consumer: Consumer;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Where its author wrote it. */
  readonly path: string;
  readonly isUnread: boolean;
}

/** A key of the namespace. */
export interface Held {
  readonly holders: readonly Holding[];
  /** Why it is nobody's, when several hold it. */
  readonly shared: string | undefined;
}

const NO_SCOPES: readonly string[] = Object.freeze([]);

/** The keys of one consumer. What is wrong with them goes to `list`, unless it was said with its spec already. */
export function holdingsOf(
  { name, groups, keys, isUnread = false }: ConsumerInput,
  secrets: SecretLookup,
  list: ProblemList,
): { readonly consumer: Consumer; readonly holdings: readonly Holding[] } {
  const consumer: Consumer = { name, groups: Object.freeze([...groups]), identities: new Map() };
  const holdings: Holding[] = [];
  for (const [index, input] of keys.entries()) {
    const at = list.at(index);
    const digest = digestOf(input, { secrets, consumer: name, at: isUnread ? new ProblemList() : at });
    if (digest === undefined) continue;
    holdings.push({
      digest,
      consumer,
      notBeforeMs: timeOf(input.notBefore, -Infinity),
      notAfterMs: timeOf(input.notAfter, Infinity),
      path: at.path,
      isUnread,
    });
  }
  return { consumer, holdings };
}

/** A time that cannot be read makes the key invalid, not eternal. */
function timeOf(text: string | undefined, absent: number): number {
  return text === undefined ? absent : Date.parse(text);
}

/** Who vouches for the API keys of a namespace. */
export const issuerOfKeys = (namespace: string): string => `postern.dev/${namespace}`;

/**
 * The live index of one namespace's API keys, by digest: a look-up costs the same whatever the number of keys, and what
 * it compares are digests, so its time tells nothing of a key.
 */
export class NamespaceConsumers implements ConsumerIndex {
  readonly #keys: LayeredMap<Held>;
  readonly #issuer: string;

  constructor(keys: LayeredMap<Held>, namespace: string) {
    this.#keys = keys;
    this.#issuer = issuerOfKeys(namespace);
  }

  find(key: string, methodName: string, wallMs: number): Identity | 'unknown' | 'expired' {
    const held = this.#keys.get(hash('sha256', key, 'hex'));
    if (held === undefined || held.shared !== undefined) return 'unknown';
    let found: 'unknown' | 'expired' = 'unknown';
    for (const { consumer, notBeforeMs, notAfterMs, isUnread } of held.holders) {
      if (isUnread) continue;
      if (wallMs >= notBeforeMs && wallMs < notAfterMs) return this.#identity(consumer, methodName);
      found = 'expired';
    }
    return found;
  }

  #identity({ name, groups, identities }: Consumer, method: string): Identity {
    const known = identities.get(method);
    if (known !== undefined) return known;
    const identity: Identity = Object.freeze({
      kind: 'apiKey',
      issuer: this.#issuer,
      subject: name,
      id: identityId('apiKey', this.#issuer, name),
      groups,
      scopes: NO_SCOPES,
      claims: null,
      consumer: name,
      authTimeMs: null,
      method,
    });
    identities.set(method, identity);
    return identity;
  }
}
