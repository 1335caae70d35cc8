// Asks: takes of one call, and what is given back, with rates in full, so that who owns the counters needs no policies.
import type { Calendar, Moment, Rate, Take } from '../../phases/ratelimit/counter-store.ts';
import type { FrameWriter } from './frame-writer.ts';
import { CALENDAR, FIXED, GCRA, GIVE_BACK, NonsenseError, SLIDING, TAKE } from './frames.ts';

export interface Ask {
  readonly kind: typeof TAKE | typeof GIVE_BACK;
  readonly id: number;
  /** Its monotonic clock is the machine's. */
  readonly moment: Moment;
  readonly takes: readonly Take[];
}

/** @throws {RangeError} for what cannot be said in a frame; nothing of it goes out then */
export function writeAsk(to: FrameWriter, { kind, id, moment, takes }: Ask): void {
  to.begin();
  to.uint8(kind);
  to.uint32(id);
  to.float64(moment.monotonicMs);
  to.float64(moment.wallMs);
  to.uint16(takes.length);
  for (let i = 0; i < takes.length; i += 1) {
    const take = takes[i];
    if (take === undefined) throw new RangeError('A list of takes has a hole');
    to.text(take.key);
    to.text(take.namespace);
    to.float64(take.cost);
    writeRate(to, take.rate);
  }
  to.end();
}

function writeRate(to: FrameWriter, rate: Rate): void {
  switch (rate.algorithm) {
    case 'GCRA':
      to.uint8(GCRA);
      to.float64(rate.requests);
      to.float64(rate.windowMs);
      to.float64(rate.burst);
      break;
    case 'SlidingWindow':
    case 'FixedWindow':
      to.uint8(rate.algorithm === 'SlidingWindow' ? SLIDING : FIXED);
      to.float64(rate.requests);
      to.float64(rate.windowMs);
      break;
    case 'Calendar':
      to.uint8(CALENDAR);
      to.float64(rate.requests);
      to.text(rate.calendarName);
      break;
  }
}

/** @returns undefined for a name that is none of a calendar */
export type CalendarNamed = (name: string) => Calendar | undefined;

/** Reads asks, one after the other. */
export class AskReader {
  readonly #calendarNamed: CalendarNamed;
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;

  constructor(calendarNamed: CalendarNamed) {
    this.#calendarNamed = calendarNamed;
  }

  /** @throws {NonsenseError} for bytes that `writeAsk` would not have written */
  read(bytes: Buffer, from: number, to: number): Ask {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.#at = from;
    this.#end = to;
    const kind = this.#uint8();
    if (kind !== TAKE && kind !== GIVE_BACK) throw new NonsenseError(`an ask of kind ${kind}`);
    const id = this.#view.getUint32(this.#move(4), true);
    const moment = { monotonicMs: this.#number(), wallMs: this.#number() };
    const takes = new Array<Take>(this.#view.getUint16(this.#move(2), true));
    for (let i = 0; i < takes.length; i += 1) takes[i] = this.#take();
    if (this.#at !== this.#end) throw new NonsenseError('an ask that is longer than what it says');
    return { kind, id, moment, takes };
  }

  #take(): Take {
    const key = this.#text();
    const namespace = this.#text();
    const cost = this.#number();
    if (cost < 0) throw new NonsenseError('a cost below 0');
    // The owner is found: nobody asks any more for what the tag says.
    return { key, namespace, cost, rate: this.#rate(), tag: 0 };
  }

  #rate(): Rate {
    const algorithm = this.#uint8();
    const requests = this.#positive();
    switch (algorithm) {
      case GCRA:
        return { algorithm: 'GCRA', requests, windowMs: this.#positive(), burst: this.#positive() };
      case SLIDING:
        return { algorithm: 'SlidingWindow', requests, windowMs: this.#positive() };
      case FIXED:
        return { algorithm: 'FixedWindow', requests, windowMs: this.#positive() };
      case CALENDAR: {
        const calendarName = this.#text();
        const calendar = this.#calendarNamed(calendarName);
        if (calendar === undefined) throw new NonsenseError('a calendar that there is not');
        return { algorithm: 'Calendar', requests, calendar, calendarName };
      }
      default:
        throw new NonsenseError(`an algorithm ${algorithm}`);
    }
  }

  #uint8(): number {
    return this.#view.getUint8(this.#move(1));
  }

  #positive(): number {
    const value = this.#number();
    if (value <= 0) throw new NonsenseError('a rate of nothing');
    return value;
  }

  #number(): number {
    const value = this.#view.getFloat64(this.#move(8), true);
    if (!Number.isFinite(value)) throw new NonsenseError('no number');
    return value;
  }

  #text(): string {
    const length = this.#uint8();
    const from = this.#move(length);
    return this.#bytes.toString('latin1', from, from + length);
  }

  /** @returns where it was */
  #move(by: number): number {
    const at = this.#at;
    if (at + by > this.#end) throw new NonsenseError('an ask that is shorter than what it says');
    this.#at = at + by;
    return at;
  }
}
