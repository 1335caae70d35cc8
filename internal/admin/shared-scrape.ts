import type { Clock } from '../core/clock.ts';
import type { Format } from '../telemetry/exposition.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface SharedScrapeOptions {
  readonly metrics: Pick<Metrics, 'scrape'>;
  readonly clock: Clock;
}

/** How long a text answers who asks after it was made: far less than the interval of any scraper. */
export const KEEP_MS = 1000;
/** Texts of one form that readers may be taking. One that falls further behind loses its own: it may not hold them all. */
const MOST_TEXTS = 3;

/**
 * The text of the metrics, made once for all who ask while it is made and shortly after, and one at a time: however
 * many read `/metrics`, checks lose no more than one scrape takes.
 */
export class SharedScrape {
  readonly #options: SharedScrapeOptions;
  readonly #newest = new Map<Format, Made>();
  /** Weak: only readers keep a text that is no longer the newest. */
  readonly #older = new Map<Format, WeakRef<ScrapeText>[]>();
  /** Resolves when nothing is being made; never rejects. */
  #idle: Promise<unknown> = Promise.resolve();

  constructor(options: SharedScrapeOptions) {
    this.#options = options;
  }

  take(format: Format): Promise<ScrapeText> {
    const { clock } = this.#options;
    const known = this.#newest.get(format);
    if (known !== undefined && clock.monotonicMs() < known.untilMs) return known.text;
    const made: Made = { text: this.#idle.then(() => this.#make(format)), untilMs: Number.POSITIVE_INFINITY };
    this.#newest.set(format, made);
    this.#idle = made.text.then(
      () => {
        made.untilMs = clock.monotonicMs() + KEEP_MS;
      },
      // Whoever waited is told; the next to ask tries again.
      () => this.#newest.delete(format),
    );
    return made.text;
  }

  async #make(format: Format): Promise<ScrapeText> {
    const pieces: Buffer[] = [];
    for await (const piece of this.#options.metrics.scrape(format)) pieces.push(Buffer.from(piece));
    const text = new ScrapeText(pieces);
    const texts = [...(this.#older.get(format) ?? []), new WeakRef(text)];
    while (texts.length > MOST_TEXTS) texts.shift()?.deref()?.drop();
    this.#older.set(format, texts);
    return text;
  }
}

interface Made {
  readonly text: Promise<ScrapeText>;
  /** Monotonic; without end while the text is being made. */
  untilMs: number;
}

/** One scrape as bytes, which all its readers share. */
export class ScrapeText implements Iterable<Buffer> {
  #pieces: readonly Buffer[] | undefined;

  constructor(pieces: readonly Buffer[]) {
    this.#pieces = pieces;
  }

  /** Frees its bytes, whoever is still reading. */
  drop(): void {
    this.#pieces = undefined;
  }

  *[Symbol.iterator](): Iterator<Buffer> {
    for (let index = 0; ; index += 1) {
      if (this.#pieces === undefined) throw new Error('A reader of the metrics was too slow');
      const piece = this.#pieces[index];
      if (piece === undefined) return;
      yield piece;
    }
  }
}
