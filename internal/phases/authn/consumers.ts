import { hash } from 'node:crypto';
import type { Breathe } from '../../core/breather.ts';
import type { ConsumerIndex } from '../../core/evaluation.ts';
import { type Identity, identityId } from '../../core/identity.ts';
import { ProblemList } from '../../core/problem.ts';

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
      readonly reason: 'SecretNotFound' | 'SecretNotOffered' | 'SecretsNotReadable' | 'Invalid';
      readonly message: string;
    };

interface Key {
  readonly consumer: Consumer;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A consumer with its identities by method, so that what is derived from an identity is derived once. */
interface Consumer {
  readonly name: string;
  readonly groups: readonly string[];
  readonly identities: Map<string, Identity>;
}

export interface CompiledConsumers {
  readonly index: ConsumerIndex;
  readonly problems: ReadonlyMap<string, ProblemList>;
}

interface Holding {
  readonly digest: string;
  readonly key: Key;
  readonly at: ProblemList;
  readonly isUnread: boolean;
}

export interface ConsumerOptions {
  readonly secrets: SecretLookup;
  readonly namespace: string;
  /** Those over a budget, each `isUnread`: as if they were not there, but that no key of theirs becomes another's. */
  readonly uncounted?: Iterable<ConsumerInput>;
  /** Awaited between consumers, so that compiling never keeps a check waiting. */
  readonly breathe: Breathe;
}

/** Shortest plain key that a Secret may hold, in bytes. */
export const MIN_SECRET_BYTES = 16;
const NO_SCOPES: readonly string[] = Object.freeze([]);
const EMPTY_DIGEST = hash('sha256', '', 'hex');

/**
 * Builds the live index of one namespace's API keys, by digest: a look-up costs the same whatever the number of keys,
 * and what it compares are digests, so its time tells nothing of a key. A digest that two consumers hold matches
 * neither, also when the spec of one of them cannot be read.
 */
export async function compileConsumers(
  consumers: readonly ConsumerInput[],
  { secrets, namespace, breathe, uncounted = [] }: ConsumerOptions,
): Promise<CompiledConsumers> {
  const problems = new Map<string, ProblemList>();
  const held = new Map<string, Holding[]>();
  for (const consumer of consumers) {
    await breathe();
    const list = new ProblemList();
    problems.set(consumer.name, list);
    for (const holding of holdingsOf(consumer, secrets, list.at('keys'))) {
      const holders = held.get(holding.digest);
      if (holders === undefined) held.set(holding.digest, [holding]);
      else holders.push(holding);
    }
  }
  for (const consumer of uncounted) {
    await breathe();
    for (const holding of holdingsOf(consumer, secrets, new ProblemList())) spoil(held.get(holding.digest), holding);
  }
  return { index: new NamespaceConsumers(await keysOf(held, breathe), namespace), problems };
}

function* holdingsOf(
  { name, groups, keys, isUnread = false }: ConsumerInput,
  secrets: SecretLookup,
  list: ProblemList,
): Iterable<Holding> {
  const consumer: Consumer = { name, groups: Object.freeze([...groups]), identities: new Map() };
  for (const [index, input] of keys.entries()) {
    const at = list.at(index);
    // What is wrong with an unread spec was said already.
    const digest = digestOf(input, { secrets, consumer: name, at: isUnread ? new ProblemList() : at });
    if (digest === undefined) continue;
    const key = {
      consumer,
      notBeforeMs: timeOf(input.notBefore, -Infinity),
      notAfterMs: timeOf(input.notAfter, Infinity),
    };
    yield { digest, key, at, isUnread };
  }
}

/** A key that somebody holds is one of somebody else as well. Nothing is kept of others, nor of more than one of these. */
function spoil(holders: Holding[] | undefined, holding: Holding): void {
  const isShared = holders?.at(-1)?.key.consumer.name !== holders?.[0]?.key.consumer.name;
  if (!isShared) holders?.push(holding);
}

/** The keys that are one consumer's; the holders of the others are told. */
async function keysOf(
  held: ReadonlyMap<string, readonly Holding[]>,
  breathe: Breathe,
): Promise<ReadonlyMap<string, readonly Key[]>> {
  const keys = new Map<string, readonly Key[]>();
  for (const [digest, holders] of held) {
    await breathe();
    const names = [...new Set(holders.map(({ key }) => key.consumer.name))];
    const own = holders.filter(({ isUnread }) => !isUnread).map(({ key }) => key);
    if (names.length === 1 && own.length > 0) keys.set(digest, own);
    if (names.length === 1) continue;
    const message = `${names.map((name) => `"${name}"`).join(' and ')} hold the same key, so it is nobody's: give each its own`;
    for (const { at } of holders) at.reference('DuplicateDigest', message);
  }
  return keys;
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
    at.at('sha256').reference(
      'Invalid',
      'This is the digest of an empty key: "postern keys new" makes a key and its digest',
    );
    return undefined;
  }
  if (input.secretRef === undefined) return undefined;
  const secret = secrets(input.secretRef, consumer);
  const path = at.at('secretRef');
  if ('reason' in secret) {
    path.reference(secret.reason, secret.message);
    return undefined;
  }
  const key = withoutNewline(secret);
  if (key.length >= MIN_SECRET_BYTES) return hash('sha256', key, 'hex');
  path.reference('Invalid', `The key has ${key.length} bytes: use at least ${MIN_SECRET_BYTES}`);
  return undefined;
}

/** Editors and `echo` end what they write with one newline, LF or CR LF. */
function withoutNewline(secret: Uint8Array): Uint8Array {
  if (secret.at(-1) !== 0x0a) return secret;
  return secret.subarray(0, secret.at(-2) === 0x0d ? -2 : -1);
}

/** Who vouches for the API keys of a namespace. */
export const issuerOfKeys = (namespace: string): string => `postern.dev/${namespace}`;

class NamespaceConsumers implements ConsumerIndex {
  readonly #keys: ReadonlyMap<string, readonly Key[]>;
  readonly #issuer: string;

  constructor(keys: ReadonlyMap<string, readonly Key[]>, namespace: string) {
    this.#keys = keys;
    this.#issuer = issuerOfKeys(namespace);
  }

  find(key: string, methodName: string, wallMs: number): Identity | 'unknown' | 'expired' {
    const candidates = this.#keys.get(hash('sha256', key, 'hex'));
    if (candidates === undefined) return 'unknown';
    for (const { consumer, notBeforeMs, notAfterMs } of candidates) {
      if (wallMs >= notBeforeMs && wallMs < notAfterMs) return this.#identity(consumer, methodName);
    }
    return 'expired';
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
