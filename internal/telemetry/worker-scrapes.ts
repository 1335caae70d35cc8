import { WORKER_STATES } from './metric-table.ts';
import type { Metrics } from './metrics.ts';
import type { MetricsExport } from './metrics-export.ts';

/** A worker process, as the scrape of the main process sees it. */
export interface ScrapedWorker {
  /** One number for each process; one that was replaced by another has another. */
  readonly id: number;
  readonly isServing: boolean;
  /** It serves until it ends, which it was told to. */
  readonly isEnding: boolean;
  /** Asks for its `Metrics.export()`; rejects when it has ended. */
  readonly ask: () => Promise<MetricsExport>;
}

export interface WorkerScrapesOptions {
  /** Of the main process, made with `hasWorkers`. */
  readonly metrics: Metrics;
  /** Those that there are now. */
  readonly workers: () => Iterable<ScrapedWorker>;
  /** How many there should be. */
  readonly count: number;
  /** How long a scrape waits for them: less than any scraper's timeout. */
  readonly waitMs?: number;
}

const WAIT_MS = 2000;

/**
 * Makes `/metrics` of the main process one page for all: each scrape asks the workers, and adds what they counted. One that
 * does not answer in time is told as `silent`; it is not asked again until it has, and what it counted comes with that.
 */
export class WorkerScrapes {
  readonly #options: WorkerScrapesOptions;
  /** Those that were asked and have not answered. */
  readonly #asked = new Set<number>();

  constructor(options: WorkerScrapesOptions) {
    this.#options = options;
    options.metrics.beforeScrape(() => this.gather());
  }

  /** Asks all workers, and waits for their answers, but not for long; never rejects. */
  async gather(): Promise<void> {
    const { metrics, workers, waitMs = WAIT_MS } = this.#options;
    const all = [...workers()];
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, waitMs);
    await Promise.race([Promise.all(all.map((worker) => this.#ask(worker))), late.promise]);
    clearTimeout(timer);
    const counts = { starting: 0, serving: 0, silent: 0, ending: 0, waiting: this.#options.count };
    for (const { id, isServing, isEnding } of workers()) {
      counts.waiting -= 1;
      if (isEnding) counts.ending += 1;
      else if (!isServing) counts.starting += 1;
      else if (this.#asked.has(id)) counts.silent += 1;
      else counts.serving += 1;
    }
    for (const state of WORKER_STATES) metrics.set('postern_workers', counts[state], state);
  }

  /** A worker has ended: its gauges go, what it counted stays. */
  ended(id: number): void {
    this.#asked.delete(id);
    this.#options.metrics.workerEnded(id);
  }

  /** A worker was replaced. */
  restarted(): void {
    this.#options.metrics.count('postern_worker_restarts_total');
  }

  async #ask({ id, ask }: ScrapedWorker): Promise<void> {
    // Asked before and silent since: a second question would only wait behind the first.
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    try {
      const exported = await ask();
      await this.#options.metrics.absorb(id, exported);
      // It ended meanwhile: these are its last words.
      if (!this.#asked.delete(id)) this.#options.metrics.workerEnded(id);
    } catch {
      this.#asked.delete(id);
    }
  }
}
