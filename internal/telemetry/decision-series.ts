import type { PolicyRef } from '../core/decision.ts';
import { REASONS, type ReasonName } from '../core/reasons.ts';
import { type Family, type Format, headOf, labelText } from './exposition.ts';

const REASON_NAMES = Object.freeze(Object.keys(REASONS) as ReasonName[]);
const REASON_INDEX = Object.freeze(
  Object.fromEntries(REASON_NAMES.map((name, index) => [name, index])) as Record<ReasonName, number>,
);

/** Most series of one family; what comes later is counted under the policy `other`. */
export const MAX_SERIES = 50_000;
/** Lines written before other work gets its turn: a scrape of all series must not hold up a check. */
const LINES_PER_TURN = 2000;

/** The counts of one policy, by the index of the reason. */
type Row = (Cell | undefined)[];

interface Cell {
  /** Name and labels of the sample, as scraped. */
  readonly prefix: string;
  count: number;
}

/**
 * A counter by policy and reason. A check costs two look-ups and an addition: labels are text from the start, so that
 * neither a check nor a scrape of 10,000 policies formats them. The set of policies is closed by `setPolicies`.
 */
export class DecisionSeries {
  readonly #family: Family;
  readonly #hasDecision: boolean;
  readonly #maxSeries: number;
  /** Rows of the loaded policies, by the object that the current snapshot's decisions carry, and by `namespace/name`. */
  #byRef = new Map<PolicyRef, Row>();
  #byName = new Map<string, Row>();
  readonly #none: Row = [];
  readonly #other: Row = [];
  /** Cells in the rows of loaded policies; never above `#maxSeries`. */
  #series = 0;

  constructor(family: Family, options: { hasDecision: boolean; maxSeries?: number }) {
    this.#family = family;
    this.#hasDecision = options.hasDecision;
    this.#maxSeries = options.maxSeries ?? MAX_SERIES;
  }

  count(policy: PolicyRef | undefined, reason: ReasonName): void {
    const index = REASON_INDEX[reason];
    const row = policy === undefined ? this.#none : (this.#byRef.get(policy) ?? this.#rowByName(policy));
    const cell = row[index];
    if (cell === undefined) this.#first(row, index, policy);
    else cell.count += 1;
  }

  /** Closes the set of policies: counts of those that stay go on, those of policies that went are forgotten. */
  setPolicies(policies: Iterable<PolicyRef>): void {
    const byRef = new Map<PolicyRef, Row>();
    const byName = new Map<string, Row>();
    for (const policy of policies) {
      const name = `${policy.namespace}/${policy.name}`;
      const row = byName.get(name) ?? this.#byName.get(name) ?? [];
      byName.set(name, row);
      byRef.set(policy, row);
    }
    let series = 0;
    for (const row of byName.values())
      series += row.reduce((cells, cell) => (cell === undefined ? cells : cells + 1), 0);
    this.#byRef = byRef;
    this.#byName = byName;
    this.#series = series;
  }

  /** The family as text, in pieces; between them other work gets its turn. */
  async *scrape(format: Format): AsyncGenerator<string> {
    let text = headOf(this.#family, format);
    let lines = 0;
    for (const row of [this.#none, this.#other, ...this.#byName.values()]) {
      for (const cell of row) {
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

  /** A check may outlive its snapshot: its policy's object is then another one, or gone. */
  #rowByName(policy: PolicyRef): Row {
    return this.#byName.get(`${policy.namespace}/${policy.name}`) ?? this.#none;
  }

  #first(row: Row, index: number, policy: PolicyRef | undefined): void {
    const isOwn = row !== this.#none && row !== this.#other;
    if (isOwn && this.#series >= this.#maxSeries) {
      const cell = this.#other[index];
      if (cell === undefined) this.#other[index] = { prefix: this.#prefix('other', index), count: 1 };
      else cell.count += 1;
      return;
    }
    if (isOwn) this.#series += 1;
    const label = isOwn && policy !== undefined ? `${policy.namespace}/${policy.name}` : 'none';
    row[index] = { prefix: this.#prefix(label, index), count: 1 };
  }

  #prefix(policy: string, index: number): string {
    const reason = REASON_NAMES[index] ?? 'internal';
    const { phase, kind } = REASONS[reason];
    const labels = { policy, phase, ...(this.#hasDecision && { decision: kind }), reason };
    return `${this.#family.name}${labelText(labels)} `;
  }
}
