import type { KubeConfig } from '@kubernetes/client-node';
import { GROUP, KINDS, VERSION } from '../policy/resource/kinds.ts';
import { listPages, type Page } from './list-pages.ts';
import { systemTimers, type Timers } from './timers.ts';
import { type UnansweredClass, UnansweredFinding } from './unanswered-finding.ts';

export type { UnansweredClass } from './unanswered-finding.ts';

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
  /** Told when another replica speaks, so that what was told here counts no more. */
  readonly onLeave: () => void;
}

/**
 * For each request of a look, of which there is one for each page of a list and for each namespace at the least: however
 * many these are, there are fewer than one request a minute.
 */
const LOOK_MS = 75_000;
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
  #said = NOTHING;
  /** Times that `LOOK_MS` have to pass before the next look. */
  #turns = 0;
  #cancel: () => void = () => {};

  constructor(options: UnansweredClassesOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
  }

  start(): void {
    if (this.#stopped.signal.aborted) return;
    this.#cancel = this.#timers.after(LOOK_MS, () => void this.#turn().then(() => this.start()));
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancel();
  }

  /** Never rejects. */
  async #turn(): Promise<void> {
    if (!this.#options.isSpeaker()) {
      this.#leave();
      return;
    }
    this.#turns -= 1;
    if (this.#turns <= 0) this.#turns = await this.#look();
  }

  /** What another replica finds does not come here, so what was found here says nothing any more. */
  #leave(): void {
    this.#turns = 0;
    this.#seen = new Set();
    if (this.#said === NOTHING) return;
    this.#said = NOTHING;
    this.#options.onLeave();
  }

  /** @returns how many requests it took */
  async #look(): Promise<number> {
    const { isSpeaker, onChange, className } = this.#options;
    const found = new UnansweredFinding(className, this.#seen);
    let requests = 0;
    try {
      for (const namespace of this.#places()) {
        for await (const { items } of this.#pages(namespace)) {
          requests += 1;
          for (const item of items) found.take(item);
        }
      }
    } catch {
      // Those that watch say what is wrong with the API server.
      return requests + 1;
    }
    if (this.#stopped.signal.aborted || !isSpeaker()) return requests;
    this.#seen = found.unanswered;
    const classes = found.classes();
    const said = JSON.stringify(classes);
    if (said !== this.#said) onChange(classes);
    this.#said = said;
    return requests;
  }

  #places(): readonly (string | undefined)[] {
    const { namespaces } = this.#options;
    return namespaces.length === 0 ? [undefined] : namespaces;
  }

  #pages(namespace: string | undefined): AsyncGenerator<Page> {
    const { config, className } = this.#options;
    const scope = { config, resource: POLICIES, namespace, fieldSelector: `spec.className!=${className}` };
    return listPages(scope, { signal: this.#stopped.signal, timers: this.#timers });
  }
}

/** As JSON: no class. */
const NOTHING = '[]';
