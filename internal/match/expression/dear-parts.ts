import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { Steps } from '../../core/breather.ts';
import type { Search } from './metered-search.ts';
import { CompileError } from './node.ts';
import { compilePattern } from './pattern.ts';
import { type Zone, zoneOf } from './time.ts';

/** Most that all patterns of one policy may weigh together (`pattern.ts`): making them takes that, and keeping them. */
export const MAX_PATTERNS = 32_768;
/** Most time zones that one policy may name: each holds tables of its own. */
export const MAX_ZONES = 16;

const TOO_MANY_PATTERNS = `With this one the patterns of the policy have more than ${MAX_PATTERNS} parts together, their repetitions written out: repeat fewer times, write [a-z] for \\pL, or split the policy by paths`;
const TOO_MANY_ZONES = `With this one the policy names more than ${MAX_ZONES} time zones: name fewer, or split the policy by paths`;

/** What an expression uses of that. */
export interface Used {
  readonly patterns: number;
  readonly zones: ReadonlySet<string>;
}

const NO_ZONES: ReadonlySet<string> = new Set();

/** What the expressions and limits of one policy may still use of parts that are dear to make and to keep. */
export class PartsBudget {
  #patterns = 0;
  readonly #zones = new Set<string>();
  /** Of whole expressions: one that is written again is the same one, and kept once. */
  readonly #counted = new Set<Used>();

  /** What its patterns weigh so far. */
  get patterns(): number {
    return this.#patterns;
  }

  /** Once it is used up, the policy is refused, whatever follows. */
  get isSpent(): boolean {
    return this.#patterns > MAX_PATTERNS || this.#zones.size > MAX_ZONES;
  }

  /** @returns why not, when that is too much */
  take(used: Used): string | undefined {
    if (this.#counted.has(used)) return undefined;
    this.#patterns += used.patterns;
    for (const zone of used.zones) this.#zones.add(zone);
    if (this.#patterns > MAX_PATTERNS) return TOO_MANY_PATTERNS;
    return this.#zones.size > MAX_ZONES ? TOO_MANY_ZONES : undefined;
  }

  /** The parts of an expression were taken one by one. */
  count(used: Used): void {
    this.#counted.add(used);
  }

  takeZone(name: string): string | undefined {
    return this.take({ patterns: 0, zones: new Set([name]) });
  }
}

/** A pattern that may not be made yet. */
export interface Matching {
  test: Search;
}

/** A time zone that may not be looked up yet. */
export interface InZone {
  zone: Zone;
}

interface Pending {
  readonly expr: Expr;
  /** @returns what it uses */
  readonly make: () => Used;
}

/** Needs no tables. */
export const UTC: Zone = Object.freeze({ offsetMs: () => 0 });

/**
 * Patterns and time zones of one expression. They are made after the rest of it was found right, one by one: each may
 * take milliseconds, and checks are answered in between.
 */
export class DearParts {
  readonly #pending: Pending[] = [];

  pattern(expr: Expr, source: string): Matching {
    const matching: Matching = { test: () => false };
    this.#pending.push({
      expr,
      make: () => {
        const compiled = compilePattern(source);
        if (typeof compiled === 'string') throw new CompileError(expr, `The pattern cannot be used: ${compiled}`);
        matching.test = compiled.test;
        return { patterns: compiled.weight, zones: NO_ZONES };
      },
    });
    return matching;
  }

  zone(expr: Expr, name: string): InZone {
    const found: InZone = { zone: UTC };
    this.#pending.push({
      expr,
      make: () => {
        const zone = zoneOf(name);
        if (zone === undefined) throw new CompileError(expr, `There is no time zone "${name}"`);
        found.zone = zone;
        return { patterns: 0, zones: new Set([name]) };
      },
    });
    return found;
  }

  /** @throws {CompileError} for a part that is wrong, or more than the budget has */
  *make(budget: PartsBudget): Steps<Used> {
    let patterns = 0;
    const zones = new Set<string>();
    for (const { expr, make } of this.#pending) {
      yield;
      const used = make();
      const why = budget.take(used);
      if (why !== undefined) throw new CompileError(expr, why);
      patterns += used.patterns;
      for (const zone of used.zones) zones.add(zone);
    }
    const all: Used = { patterns, zones };
    budget.count(all);
    return all;
  }
}
