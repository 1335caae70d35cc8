import { hash } from 'node:crypto';
import type { ConsumerIndex } from '../../core/evaluation.ts';
import { type Identity, identityId } from '../../core/identity.ts';
import { ProblemList } from '../../core/problem.ts';

/** One APIConsumer, with what its Secrets hold. */
export interface ConsumerInput {
  readonly name: string;
  readonly groups: readonly string[];
  readonly keys: readonly KeyInput[];
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
) => Uint8Array | { readonly reason: 'SecretNotFound' | 'SecretNotOffered' | 'SecretsNotReadable'; readonly message: string };

interface Key {
  readonly consumer: ConsumerInput;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CompiledConsumers {
  readonly index: ConsumerIndex;
  readonly problems: ReadonlyMap<string, ProblemList>;
}

/** Shortest plain key that a Secret may hold, in bytes. */
export const MIN_SECRET_BYTES = 16;
const EMPTY_DIGEST = hash('sha256', '', 'hex');

/**
 * Builds the live index of one namespace's API keys, by digest: a look-up costs the same whatever the number of keys,
 * and what it compares are digests, so its time tells nothing of a key. A digest that two consumers hold matches
 * neither.
 */
export function compileConsumers(
  consumers: readonly ConsumerInput[],
  secrets: SecretLookup,
  namespace: string,
): CompiledConsumers {
  const problems = new Map<string, ProblemList>();
  const held = new Map<string, { readonly key: Key; readonly at: ProblemList }[]>();
  for (const consumer of consumers) {
    const list = new ProblemList();
    problems.set(consumer.name, list);
    for (const [index, input] of consumer.keys.entries()) {
      const at = list.at('keys').at(index);
      const digest = digestOf(input, { secrets, consumer: consumer.name, at });
      if (digest === undefined) continue;
      const key = { consumer, notBeforeMs: timeOf(input.notBefore, -Infinity), notAfterMs: timeOf(input.notAfter, Infinity) };
      const holders = held.get(digest);
      if (holders === undefined) held.set(digest, [{ key, at }]);
      else holders.push({ key, at });
    }
  }
  const keys = new Map<string, readonly Key[]>();
  for (const [digest, holders] of held) {
    if (new Set(holders.map(({ key }) => key.consumer.name)).size === 1) {
      keys.set(digest, holders.map(({ key }) => key));
      continue;
    }
    const names = [...new Set(holders.map(({ key }) => key.consumer.name))].join(' and ');
    for (const { at } of holders) at.reference('DuplicateDigest', `${names} hold the same key, so it is nobody's: give each its own`);
  }
  return { index: new NamespaceConsumers(keys, namespace), problems };
}

/** A time that cannot be read makes the key invalid, not eternal. */
function timeOf(text: string | undefined, absent: number): number {
  return text === undefined ? absent : Date.parse(text);
}

interface DigestContext {
  readonly secrets: SecretLookup;
  readonly consumer: string;
  readonly at: ProblemList;
}

function digestOf(input: KeyInput, { secrets, consumer, at }: DigestContext): string | undefined {
  if (input.sha256 !== undefined) {
    if (input.sha256 !== EMPTY_DIGEST) return input.sha256;
    at.at('sha256').reference('Invalid', 'This is the digest of an empty key: "postern keys new" makes a key and its digest');
    return undefined;
  }
  if (input.secretRef === undefined) return undefined;
  const secret = secrets(input.secretRef, consumer);
  const path = at.at('secretRef');
  if ('reason' in secret) {
    path.reference(secret.reason, secret.message);
    return undefined;
  }
  const key = secret.at(-1) === 0x0a ? secret.subarray(0, -1) : secret;
  if (key.length >= MIN_SECRET_BYTES) return hash('sha256', key, 'hex');
  path.reference('Invalid', `The key has ${key.length} bytes: use at least ${MIN_SECRET_BYTES}`);
  return undefined;
}

class NamespaceConsumers implements ConsumerIndex {
  readonly #keys: ReadonlyMap<string, readonly Key[]>;
  readonly #issuer: string;
  /** One identity for each consumer and method, so that what is derived from it is derived once. */
  readonly #identities = new Map<string, Identity>();

  constructor(keys: ReadonlyMap<string, readonly Key[]>, namespace: string) {
    this.#keys = keys;
    this.#issuer = `postern.dev/${namespace}`;
  }

  find(key: string, methodName: string, wallMs: number): Identity | 'unknown' | 'expired' {
    const candidates = this.#keys.get(hash('sha256', key, 'hex'));
    if (candidates === undefined) return 'unknown';
    for (const { consumer, notBeforeMs, notAfterMs } of candidates) {
      if (wallMs >= notBeforeMs && wallMs < notAfterMs) return this.#identity(consumer, methodName);
    }
    return 'expired';
  }

  #identity(consumer: ConsumerInput, method: string): Identity {
    const cacheKey = `${method}/${consumer.name}`;
    const known = this.#identities.get(cacheKey);
    if (known !== undefined) return known;
    const identity: Identity = Object.freeze({
      kind: 'apiKey',
      issuer: this.#issuer,
      subject: consumer.name,
      id: identityId('apiKey', this.#issuer, consumer.name),
      groups: Object.freeze([...consumer.groups]),
      scopes: Object.freeze([]),
      claims: null,
      consumer: consumer.name,
      authTimeMs: null,
      method,
    });
    this.#identities.set(cacheKey, identity);
    return identity;
  }
}
