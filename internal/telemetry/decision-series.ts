import type { PolicyRef } from '../core/decision.ts';
import { REASONS, type ReasonName } from '../core/reasons.ts';
import { type Family, type Format, headOf, labelText } from './exposition.ts';
import type { SeriesExport } from './metrics-export.ts';
import { ParkedCounts } from './parked-counts.ts';
import type { Cell, PolicyRow, PolicyRows } from './policy-rows.ts';

const REASON_NAMES = Object.freeze(Object.keys(REASONS) as ReasonName[]);
const REASON_INDEX = Object.freeze(
  Object.fromEntries(REASON_NAMES.map((name, index) => [name, index])) as Record<ReasonName, number>,
);

/** Most series of one family; what comes later is counted under the policy `other`. */
const MAX_SERIES = 50_000;
/** Lines written before other work gets its turn: a scrape of all series must not hold up a check. */
const LINES_PER_TURN = 2000;
/** The same of an export, which looks at rows. */
const ROWS_PER_TURN = 250;
/** Numbers of one cell in an export. */
const NUMBERS = 3;

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
  /** What other processes counted of policies that are not loaded here yet. */
  readonly #parked = new ParkedCounts(MAX_SERIES);

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
    if (cell === undefined) this.#first(row, index, 1);
    else cell.count += 1;
  }

  /** Makes room: these rows' policies went. */
  forget(gone: readonly PolicyRow[]): void {
    for (const row of gone) this.#series -= this.#cellsOf(row).filter((cell) => cell !== undefined).length;
  }

  /** New policies are loaded: what was counted of them elsewhere is theirs. */
  admit(): void {
    for (const { policy, reason, count } of this.#parked.take()) {
      const row = this.#options.rows.rowNamed(policy);
      if (row !== undefined) this.#add(row, reason, count);
    }
  }

  /** What was counted since the last export; other work gets its turn meanwhile. */
  async export(): Promise<SeriesExport> {
    const policies: string[] = [];
    const cells: number[] = [];
    let rows = 0;
    for (const row of this.#options.rows) {
      const before = cells.length;
      const own = this.#cellsOf(row);
      for (let index = 0; index < own.length; index += 1) {
        const cell = own[index];
        if (cell === undefined || cell.count === cell.told) continue;
        cells.push(policies.length, index, cell.count - cell.told);
        cell.told = cell.count;
      }
      if (cells.length > before) policies.push(row.name);
      rows += 1;
      if (rows % ROWS_PER_TURN === 0) await nextTurn();
    }
    return { policies: policies.join('\n'), cells: new Float64Array(cells) };
  }

  /** Adds what another process of this program counted; other work gets its turn meanwhile. */
  async absorb({ policies, cells }: SeriesExport): Promise<void> {
    const names = policies.split('\n');
    for (let at = 0; at + NUMBERS <= cells.length; at += NUMBERS) {
      const policy = names[cells[at] ?? 0] ?? '';
      const [index, count] = [cells[at + 1] ?? 0, cells[at + 2] ?? 0];
      const row = this.#options.rows.rowNamed(policy);
      if (row === undefined) this.#parked.add(policy, index, count);
      else this.#add(row, index, count);
      if ((at / NUMBERS) % LINES_PER_TURN === LINES_PER_TURN - 1) await nextTurn();
    }
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
      await nextTurn();
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

  #add(row: PolicyRow, index: number, by: number): void {
    const cell = this.#cellsOf(row)[index];
    if (cell === undefined) this.#first(row, index, by);
    else cell.count += by;
  }

  #first(row: PolicyRow, index: number, count: number): void {
    const { rows, maxSeries = MAX_SERIES } = this.#options;
    const isLoaded = row !== rows.none && row !== rows.other;
    if (isLoaded && this.#series >= maxSeries) {
      this.#add(rows.other, index, count);
      return;
    }
    if (isLoaded) this.#series += 1;
    this.#begin(row, index, count);
  }

  #begin(row: PolicyRow, index: number, count: number): void {
    this.#cellsOf(row)[index] = { prefix: this.#prefix(row.name, index), count, told: 0 };
  }

  #prefix(policy: string, index: number): string {
    const reason = REASON_NAMES[index] ?? 'internal';
    const { phase, kind } = REASONS[reason];
    const labels = { policy, phase, ...(this.#options.hasDecision && { decision: kind }), reason };
    return `${this.#family.name}${labelText(labels)} `;
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
