import { machineMonotonicMs } from '../../core/clock.ts';
import type { CounterState, CounterStore, Moment, Take } from '../../phases/ratelimit/counter-store.ts';
import type { CalendarNamed } from './ask-frames.ts';
import { keepCalendars } from './named-calendars.ts';
import { OwnerLink } from './owner-link.ts';
import { type OwnCounters, OwnerServer } from './owner-server.ts';
import { PEER_BOUNDS, type PeerBounds, socketPathOf } from './peer-bounds.ts';

export interface PeerCountersOptions {
  /** Which worker this is, from 0, of how many. */
  readonly index: number;
  readonly count: number;
  /** How often each worker was replaced, by index: part of the name of its socket. */
  readonly generations: readonly number[];
  /** Of their sockets: for this user alone. */
  readonly directory: string;
  /** The counters that this worker owns, and nobody else's. */
  readonly local: OwnCounters;
  readonly calendarNamed: CalendarNamed;
  /** Told of a connection between workers that had to be ended. */
  readonly onTrouble: (why: string) => void;
  readonly bounds?: Partial<PeerBounds>;
}

/**
 * Counters that several workers share: each limit's owner (`Take.tag`) has its counters in one worker, which the others
 * ask. So limits are exact, however connections are spread. What this worker owns is taken at once, as without others.
 *
 * An owner that is away, stalled or asked too much is not waited for: the take throws or rejects at once, and the limit's
 * `onFault` decides. One that was replaced begins with empty counters, as a process that was restarted does.
 */
export class PeerCounters implements CounterStore {
  readonly #options: PeerCountersOptions;
  readonly #generations: number[];
  readonly #links: readonly OwnerLink[];
  readonly #server: OwnerServer;
  /** Where limits of others' counters count while those cannot be asked. Their keys are never those of its own. */
  readonly spare: CounterStore;

  constructor(options: PeerCountersOptions) {
    const { count, generations, local, onTrouble } = options;
    this.#options = options;
    this.spare = local;
    this.#generations = Array.from({ length: count }, (_, index) => generations[index] ?? 0);
    const bounds = { ...PEER_BOUNDS, ...options.bounds };
    const linkTo = (index: number): OwnerLink =>
      new OwnerLink({ bounds, onTrouble: (why) => onTrouble(`worker ${index + 1}: ${why}`) });
    this.#links = Array.from({ length: count }, (_, index) => linkTo(index));
    this.#server = new OwnerServer({ local, calendarNamed: keepCalendars(options.calendarNamed), onTrouble });
  }

  /** Listens for the others, and begins to connect to them. */
  async open(): Promise<void> {
    await this.#server.listen(this.#pathOf(this.#options.index));
    for (const [index, link] of this.#others()) link.connectTo(this.#pathOf(index));
  }

  /** Resolves when every other worker is connected. */
  async connected(): Promise<void> {
    await Promise.all([...this.#others()].map(([, link]) => link.opened));
  }

  /** Whether every other worker is connected now. */
  get isConnected(): boolean {
    return [...this.#others()].every(([, link]) => link.isOpen);
  }

  /** A worker was replaced: its place is taken by another process, with another socket. */
  peerChanged(index: number, generation: number): void {
    if (index === this.#options.index) return;
    this.#generations[index] = generation;
    this.#links[index]?.connectTo(this.#pathOf(index));
  }

  /** Takes that others ask of this worker fail from then on: none of them should be answering checks any more. */
  async close(): Promise<void> {
    for (const link of this.#links) link.close();
    await this.#server.close();
  }

  take(takes: readonly Take[], moment: Moment): readonly CounterState[] | Promise<readonly CounterState[]> {
    const link = this.#linkOf(takes);
    return link === undefined ? this.#options.local.take(takes, moment) : link.take(takes, onMachine(moment));
  }

  giveBack(takes: readonly Take[], taken: Moment): void {
    const link = this.#linkOf(takes);
    if (link === undefined) this.#options.local.giveBack(takes, taken);
    else link.giveBack(takes, onMachine(taken));
  }

  /** @returns undefined for takes from counters of this worker */
  #linkOf(takes: readonly Take[]): OwnerLink | undefined {
    const tag = takes[0]?.tag;
    if (tag === undefined) return undefined;
    for (let i = 1; i < takes.length; i += 1)
      if (takes[i]?.tag !== tag) throw new Error('Takes of one call are of different owners');
    const { index, count } = this.#options;
    const owner = tag % count;
    if (owner === index) return undefined;
    const link = this.#links[owner];
    // A tag that is no whole number has no owner, and must not be counted for itself in each worker.
    if (link === undefined) throw new Error(`Counters of the tag ${tag} have no owner`);
    return link;
  }

  #others(): [number, OwnerLink][] {
    return [...this.#links.entries()].filter(([index]) => index !== this.#options.index);
  }

  #pathOf(index: number): string {
    return socketPathOf(this.#options.directory, index, this.#generations[index] ?? 0);
  }
}

const onMachine = ({ monotonicMs, wallMs }: Moment): Moment => ({
  monotonicMs: monotonicMs + machineMonotonicMs,
  wallMs,
});
