import type { PolicyRef } from '../core/decision.ts';
import { REASONS, type ReasonName } from '../core/reasons.ts';
import { type Family, type Format, headOf, labelText } from './exposition.ts';
import type { Cell, PolicyRow, PolicyRows } from './policy-rows.ts';

const REASON_NAMES = Object.freeze(Object.keys(REASONS) as ReasonName[]);
const REASON_INDEX = Object.freeze(
  Object.fromEntries(REASON_NAMES.map((name, index) => [name, index])) as Record<ReasonName, number>,
);

/** Most series of one family; what comes later is counted under the policy `other`. */
const MAX_SERIES = 50_000;
/** Lines written before other work gets its turn: a scrape of all series must not hold up a check. */
const LINES_PER_TURN = 2000;

export interface DecisionSeriesOptions {
  readonly rows: PolicyRows;
  /** Its place in each row's `cells`. */
  readonly slot: number;
  readonly hasDecision: boolean;
  readonly maxSeries: number | undefined;
}

/**
 * A counter by policy and reason. A check costs two look-ups and an addition: labels are text from the start, so that
 * neither a check nor a scrape of 10,000 policies formats them.
 */
export class DecisionSeries {
  readonly #family: Family;
  readonly #options: DecisionSeriesOptions;
  /** Cells in the rows of loaded policies; never above the most. */
  #series = 0;

  constructor(family: Family, options: DecisionSeriesOptions) {
    this.#family = family;
    this.#options = options;
    if (options.hasDecision) this.#startFaults();
  }

  count(policy: PolicyRef | undefined, reason: ReasonName): void {
    const { rows, slot } = this.#options;
    const index = REASON_INDEX[reason];
    const row = policy === undefined ? rows.none : rows.rowOf(policy);
    const cell = row.cells[slot]?.[index];
    if (cell === undefined) this.#first(row, index);
    else cell.count += 1;
  }

  /** Makes room: these rows' policies went. */
  forget(gone: readonly PolicyRow[]): void {
    for (const row of gone) this.#series -= this.#cellsOf(row).filter((cell) => cell !== undefined).length;
  }

  /** The family as text, in pieces; between them other work gets its turn. */
  async *scrape(format: Format): AsyncGenerator<string> {
    let text = headOf(this.#family, format);
    let lines = 0;
    for (const row of this.#options.rows) {
      for (const cell of this.#cellsOf(row)) {
        if (cell === undefined) continue;
        text += `${cell.prefix}${cell.count}\n`;
        lines += 1;
      }
      if (lines < LINES_PER_TURN) continue;
      yield text;
      text = '';
      lines = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    yield text;
  }

  #cellsOf(row: PolicyRow): (Cell | undefined)[] {
    return row.cells[this.#options.slot] ?? [];
  }

  /** A counter that begins with its first event has no rise: an alert would be blind to the first fault. */
  #startFaults(): void {
    for (const [index, reason] of REASON_NAMES.entries()) {
      if (REASONS[reason].kind === 'fault') this.#begin(this.#options.rows.none, index, 0);
    }
  }

  #first(row: PolicyRow, index: number): void {
    const { rows, maxSeries = MAX_SERIES } = this.#options;
    const isLoaded = row !== rows.none && row !== rows.other;
    if (isLoaded && this.#series >= maxSeries) {
      const cell = this.#cellsOf(rows.other)[index];
      if (cell === undefined) this.#first(rows.other, index);
      else cell.count += 1;
      return;
    }
    if (isLoaded) this.#series += 1;
    this.#begin(row, index, 1);
  }

  #begin(row: PolicyRow, index: number, count: number): void {
    this.#cellsOf(row)[index] = { prefix: this.#prefix(row.name, index), count };
  }

  #prefix(policy: string, index: number): string {
    const reason = REASON_NAMES[index] ?? 'internal';
    const { phase, kind } = REASONS[reason];
    const labels = { policy, phase, ...(this.#options.hasDecision && { decision: kind }), reason };
    return `${this.#family.name}${labelText(labels)} `;
  }
}
