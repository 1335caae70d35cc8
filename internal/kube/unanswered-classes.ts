import type { KubeConfig } from '@kubernetes/client-node';
import { member } from '../core/member.ts';
import { GROUP, KINDS, VERSION } from '../policy/resource/kinds.ts';
import { listPages } from './list-pages.ts';
import { systemTimers, type Timers } from './timers.ts';

/** A class that policies name of which no instance has said anything. */
export interface UnansweredClass {
  readonly className: string;
  /** They select Pods by `workloadSelector`: their class is one of sidecars. Such a class has an entry apart. */
  readonly isForPods: boolean;
  /** Other policies of the class have a status: an instance serves it, and these not. */
  readonly isServed: boolean;
  readonly count: number;
  /** The first of them, `namespace/name` each. */
  readonly policies: readonly string[];
}

export interface UnansweredClassesOptions {
  readonly config: KubeConfig;
  readonly timers?: Timers;
  /** The one that is served here. */
  readonly className: string;
  /** Where it is served; empty: everywhere. */
  readonly namespaces: readonly string[];
  /** Whether this replica is the one that speaks for its class. */
  readonly isSpeaker: () => boolean;
  /** Told when it is something else than before. */
  readonly onChange: (classes: readonly UnansweredClass[]) => void;
}

/** For each request that a look took: however many policies there are, fewer than one a minute. */
const LOOK_MS = 75_000;
const MAX_WAIT_MS = 30 * 60_000;
/** More policies than these are not remembered from one look to the next. */
const MAX_REMEMBERED = 1000;
const MAX_NAMED = 3;
const MAX_CLASSES = 16;
const POLICIES = { group: GROUP, version: VERSION, plural: KINDS.APIPolicy.plural };

/**
 * Looks for policies of other classes that have no status: a watch of one class shows none of them, so nobody would tell
 * their authors. Whoever serves such a class writes within seconds; only what two looks find is told.
 */
export class UnansweredClasses {
  readonly #options: UnansweredClassesOptions;
  readonly #timers: Timers;
  readonly #stopped = new AbortController();
  #seen: ReadonlySet<string> = new Set();
  #said = '[]';
  #cancel: () => void = () => {};

  constructor(options: UnansweredClassesOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
  }

  start(): void {
    this.#lookIn(LOOK_MS);
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancel();
  }

  #lookIn(ms: number): void {
    if (this.#stopped.signal.aborted) return;
    this.#cancel = this.#timers.after(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { isSpeaker, onChange } = this.#options;
    if (!isSpeaker()) {
      this.#seen = new Set();
      this.#lookIn(LOOK_MS);
      return;
    }
    const found = new Finding(this.#options.className, this.#seen);
    try {
      for (const namespace of this.#places()) await this.#read(namespace, found);
    } catch {
      // Those that watch say what is wrong with the API server.
      this.#lookIn(LOOK_MS);
      return;
    }
    if (this.#stopped.signal.aborted) return;
    this.#seen = found.unanswered;
    const classes = found.classes();
    const said = JSON.stringify(classes);
    if (said !== this.#said) onChange(classes);
    this.#said = said;
    this.#lookIn(Math.min(LOOK_MS * Math.max(1, found.pages), MAX_WAIT_MS));
  }

  #places(): readonly (string | undefined)[] {
    const { namespaces } = this.#options;
    return namespaces.length === 0 ? [undefined] : namespaces;
  }

  async #read(namespace: string | undefined, found: Finding): Promise<void> {
    const { config, className } = this.#options;
    const scope = { config, resource: POLICIES, namespace, fieldSelector: `spec.className!=${className}` };
    for await (const { items } of listPages(scope, { signal: this.#stopped.signal, timers: this.#timers })) {
      found.pages += 1;
      for (const item of items) found.take(item);
    }
  }
}

/** What one look found. */
class Finding {
  pages = 0;
  readonly unanswered = new Set<string>();
  readonly #own: string;
  readonly #before: ReadonlySet<string>;
  readonly #classes = new Map<string, Omit<UnansweredClass, 'isServed'> & { count: number; policies: string[] }>();
  readonly #served = new Set<string>();

  constructor(own: string, before: ReadonlySet<string>) {
    this.#own = own;
    this.#before = before;
  }

  take(item: unknown): void {
    const metadata = member(item, 'metadata');
    const [uid, className] = [member(metadata, 'uid'), member(member(item, 'spec'), 'className') ?? 'postern'];
    const conditions = member(member(item, 'status'), 'conditions');
    if (typeof uid !== 'string' || typeof className !== 'string' || className === this.#own) return;
    if (Array.isArray(conditions) && conditions.length > 0) {
      if (this.#served.size < MAX_REMEMBERED) this.#served.add(className);
      return;
    }
    if (this.unanswered.size >= MAX_REMEMBERED) return;
    this.unanswered.add(uid);
    if (!this.#before.has(uid)) return;
    const isForPods = member(member(member(item, 'spec'), 'target'), 'workloadSelector') !== undefined;
    const key = `${className} ${isForPods}`;
    const known = this.#classes.get(key) ?? { className, isForPods, count: 0, policies: [] };
    if (!this.#classes.has(key) && this.#classes.size >= MAX_CLASSES) return;
    this.#classes.set(key, known);
    known.count += 1;
    if (known.policies.length < MAX_NAMED)
      known.policies.push(`${String(member(metadata, 'namespace'))}/${String(member(metadata, 'name'))}`);
  }

  /** By their names: in whatever order they are listed, they are the same. */
  classes(): readonly UnansweredClass[] {
    const all = [...this.#classes].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return all.map(([, found]) => ({ ...found, isServed: this.#served.has(found.className) }));
  }
}
