import type { Breathe } from '../../core/breather.ts';
import type { ConsumerIndex } from '../../core/evaluation.ts';
import { ProblemList } from '../../core/problem.ts';
import {
  type Consumer,
  type ConsumerInput,
  type Held,
  type Holding,
  holdingsOf,
  NamespaceConsumers,
  type SecretLookup,
} from './consumers.ts';
import { LayeredMap } from './layered-map.ts';

export interface CompiledConsumers {
  readonly index: ConsumerIndex;
  readonly problems: ReadonlyMap<string, ProblemList>;
}

export interface ConsumerOptions {
  readonly secrets: SecretLookup;
  /** Another one than the last time when what `secrets` finds may be another; taken before any is looked up. */
  readonly secretsVersion: number;
  /** Those over a budget, each `isUnread`: as if they were not there, but that no key of theirs becomes another's. */
  readonly uncounted?: Iterable<ConsumerInput>;
  /** Awaited between consumers, so that compiling never keeps a check waiting. */
  readonly breathe: Breathe;
}

/** What is known of one consumer. */
interface Known {
  readonly input: ConsumerInput;
  readonly consumer: Consumer;
  readonly holdings: readonly Holding[];
  /** But for keys that others hold as well. */
  readonly own: ProblemList;
  readonly usesSecrets: boolean;
}

/** What one compilation leaves to the next. */
interface State {
  readonly known: Map<string, Known>;
  readonly problems: Map<string, ProblemList>;
  readonly keys: LayeredMap<Held>;
  readonly secretsVersion: number | undefined;
  /** By digest of a key that one consumer holds: a consumer that does not count and holds it as well. */
  readonly spoilers: ReadonlyMap<string, string>;
}

/** What became another since the last time. */
interface Changes {
  /** By digest, whom it came to; one that somebody gave up is here too. */
  readonly digests: Map<string, Holding[]>;
  readonly gone: Set<Consumer>;
  /** Names of those that were read again. */
  readonly names: Set<string>;
}

/** Of more holders of one key none is named: or each that comes or goes would be another status for all the others. */
const MOST_NAMED = 8;

/**
 * The API keys of one namespace. A digest that two consumers hold matches neither, also when the spec of one of them
 * cannot be read. Only what changed is compiled again: who edits one of 30,000 consumers delays nobody's policies.
 */
export class ConsumerKeys {
  readonly #namespace: string;
  /** Undefined before the first time, and after one that failed half-way: then all is compiled. */
  #state: State | undefined = undefined;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** @param consumers one for each name; one that is the same object as the last time is taken for unchanged */
  async compile(consumers: readonly ConsumerInput[], options: ConsumerOptions): Promise<CompiledConsumers> {
    const { breathe, secretsVersion } = options;
    const before = this.#state ?? begin();
    this.#state = undefined;
    const changes = await readChanges(before, consumers, options);
    const { known, problems } = before;
    const held = await HoldersNow.of(before.keys, changes, breathe);
    const spoilers = await spoiledBy(held, options);
    touchSpoiled(before.spoilers, spoilers, changes);
    const entries = new Map<string, Held | undefined>();
    for (const digest of changes.digests.keys()) {
      await breathe();
      const entry = heldBy(held.of(digest), spoilers.get(digest));
      entries.set(digest, entry);
      if (entry?.shared === before.keys.get(digest)?.shared) continue;
      for (const { consumer } of entry?.holders ?? []) changes.names.add(consumer.name);
    }
    const keys = await before.keys.with(entries, breathe);
    for (const name of changes.names) {
      await breathe();
      const one = known.get(name);
      if (one === undefined) problems.delete(name);
      else problems.set(name, problemsOf(one, keys));
    }
    this.#state = { known, problems, keys, secretsVersion, spoilers };
    return { index: new NamespaceConsumers(keys, this.#namespace), problems: new Map(problems) };
  }
}

const begin = (): State => ({
  known: new Map(),
  problems: new Map(),
  keys: new LayeredMap(),
  secretsVersion: undefined,
  spoilers: new Map(),
});

/** Reads consumers that changed, and forgets those that are gone. */
async function readChanges(
  { known, secretsVersion: before }: State,
  consumers: readonly ConsumerInput[],
  { secrets, secretsVersion, breathe }: ConsumerOptions,
): Promise<Changes> {
  const changes: Changes = { digests: new Map(), gone: new Set(), names: new Set() };
  const names = new Set<string>();
  for (const input of consumers) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    names.add(input.name);
    const one = known.get(input.name);
    if (one?.input === input && !(secretsVersion !== before && one.usesSecrets)) continue;
    if (one !== undefined) leave(one, changes);
    const own = new ProblemList();
    const { consumer, holdings } = holdingsOf(input, secrets, own.at('keys'));
    const usesSecrets = input.keys.some(({ secretRef }) => secretRef !== undefined);
    known.set(input.name, { input, consumer, holdings, own, usesSecrets });
    for (const holding of holdings) touched(holding.digest, changes).push(holding);
    changes.names.add(input.name);
  }
  for (const [name, one] of known) {
    if (names.has(name)) continue;
    leave(one, changes);
    known.delete(name);
  }
  return changes;
}

/** All that it held is looked at again. */
function leave({ consumer, holdings }: Known, changes: Changes): void {
  changes.gone.add(consumer);
  changes.names.add(consumer.name);
  for (const { digest } of holdings) touched(digest, changes);
}

function touched(digest: string, { digests }: Changes): Holding[] {
  const added = digests.get(digest) ?? [];
  digests.set(digest, added);
  return added;
}

function touchSpoiled(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>, changes: Changes): void {
  for (const [digest, name] of now) if (before.get(digest) !== name) touched(digest, changes);
  for (const digest of before.keys()) if (!now.has(digest)) touched(digest, changes);
}

/** Who holds each key now. */
class HoldersNow {
  readonly #keys: LayeredMap<Held>;
  readonly #changed: ReadonlyMap<string, readonly Holding[]>;

  private constructor(keys: LayeredMap<Held>, changed: ReadonlyMap<string, readonly Holding[]>) {
    this.#keys = keys;
    this.#changed = changed;
  }

  static async of(keys: LayeredMap<Held>, { digests, gone }: Changes, breathe: Breathe): Promise<HoldersNow> {
    const changed = new Map<string, readonly Holding[]>();
    for (const [digest, added] of digests) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      const stayed = (keys.get(digest)?.holders ?? []).filter(({ consumer }) => !gone.has(consumer));
      changed.set(digest, [...stayed, ...added]);
    }
    return new HoldersNow(keys, changed);
  }

  of(digest: string): readonly Holding[] {
    return this.#changed.get(digest) ?? this.#keys.get(digest)?.holders ?? [];
  }
}

/** A key that somebody holds is one of somebody else as well. Nothing is kept of others, nor of more than one of these. */
async function spoiledBy(
  held: HoldersNow,
  { uncounted = [], secrets, breathe }: ConsumerOptions,
): Promise<ReadonlyMap<string, string>> {
  const spoilers = new Map<string, string>();
  for (const input of uncounted) {
    await breathe();
    for (const { digest } of holdingsOf(input, secrets, new ProblemList()).holdings)
      if (!spoilers.has(digest) && isOnes(held.of(digest))) spoilers.set(digest, input.name);
  }
  return spoilers;
}

const isOnes = (holders: readonly Holding[]): boolean =>
  holders.length > 0 && holders.every(({ consumer }) => consumer === holders[0]?.consumer);

function heldBy(holders: readonly Holding[], spoiler: string | undefined): Held | undefined {
  if (holders.length === 0) return undefined;
  const names = new Set(spoiler === undefined ? [] : [spoiler]);
  for (const { consumer } of holders) {
    names.add(consumer.name);
    if (names.size > MOST_NAMED) break;
  }
  if (names.size === 1) return { holders, shared: undefined };
  const who =
    names.size > MOST_NAMED
      ? `More than ${MOST_NAMED} consumers`
      : [...names]
          .toSorted()
          .map((name) => `"${name}"`)
          .join(' and ');
  return { holders, shared: `${who} hold the same key, so it is nobody's: give each its own` };
}

function problemsOf({ own, holdings }: Known, keys: LayeredMap<Held>): ProblemList {
  const list = new ProblemList(own.path, [...own.problems]);
  for (const { digest, path } of holdings) {
    const shared = keys.get(digest)?.shared;
    if (shared !== undefined) new ProblemList(path, list.problems).reference('DuplicateDigest', shared);
  }
  return list;
}
