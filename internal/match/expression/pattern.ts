import { RE2JS } from 're2js';
import type { Matching } from './dear-parts.ts';
import { meteredSearch, type Search } from './metered-search.ts';
import type { Run } from './node.ts';
import { isError, noOverload, type Result } from './value.ts';

/** Most instructions of a compiled pattern; matching costs up to their number for each character. */
export const MAX_PATTERN_SIZE = 1000;

export interface CompiledPattern {
  readonly test: Search;
  /** What it costs to make and to keep, in instructions. */
  readonly weight: number;
}

/**
 * A pattern in RE2's language, which is linear in the text whatever the pattern; `matches` searches anywhere.
 *
 * @returns why not, when it is no pattern, or one that compiles to too much
 */
export function compilePattern(pattern: string): CompiledPattern | string {
  if (writtenOut(pattern) > MAX_PATTERN_SIZE) return TOO_LARGE;
  try {
    const compiled = RE2JS.compile(pattern);
    if (compiled.programSize() > MAX_PATTERN_SIZE) return TOO_LARGE;
    return { test: meteredSearch(compiled), weight: weightOf(compiled) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const TOO_LARGE = `its repetitions written out, it has more than ${MAX_PATTERN_SIZE} parts: repeat fewer times, as in {1,64}, or without a bound, as in +, and compare size() besides`;

/** Of any pattern at all; and ranges of characters that weigh as much as an instruction: measured. */
const EACH = 50;
const RANGES = 16;

function weightOf(pattern: RE2JS): number {
  const { prog } = pattern.re2();
  let ranges = 0;
  for (let pc = 0; pc < prog.numInst(); pc += 1) ranges += (prog.getInst(pc).runes?.length ?? 0) / 2;
  return EACH + pattern.programSize() + Math.floor(ranges / RANGES);
}

export function matchesRun(run: Run, matching: Matching): Run {
  return (scope): Result => {
    const text = run(scope);
    if (typeof text === 'string') return matching.test(scope.evaluation, text);
    return isError(text) ? text : noOverload('matches', text);
  };
}

const REPEAT = /^\{(\d{1,6})(?:,(\d{0,6}))?\}/;
const PROPERTY = /^\\[pP](?:\{[^}]{0,64}\}|[A-Za-z])/;
/** What reaches beyond ASCII may be hundreds of ranges. */
const WIDE = /\\[pPx]|[^ -~]/;
const WIDE_WEIGHT = 5;

/**
 * Parts of a pattern once its repetitions are written out, estimated before it is compiled: `(x{1000}){1000}` is short
 * to write and long to compile. Only ever too high for a character class, which counts as one, or as a few where it is
 * not of ASCII alone.
 */
function writtenOut(pattern: string): number {
  const open: number[] = [];
  let size = 0;
  let last = 0;
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern.charAt(i);
    const repeat = char === '{' ? REPEAT.exec(pattern.slice(i, i + 16)) : null;
    if (char === '(') {
      open.push(size);
      size = 0;
      last = 0;
    } else if (char === ')') {
      last = size + 1;
      size = (open.pop() ?? 0) + last;
    } else if (repeat !== null) {
      const times = Math.max(Number(repeat[1]), Number(repeat[2] ?? 0));
      size += last * Math.max(0, times - 1);
      last *= Math.max(1, times);
      i += repeat[0].length - 1;
    } else {
      const end = endOfAtom(pattern, i);
      last = end > i && WIDE.test(pattern.slice(i, end + 1)) ? WIDE_WEIGHT : 1;
      size += last;
      i = end;
    }
  }
  return size;
}

/** Index of the last character of the atom that begins at `start`: an escape, a class, or the character itself. */
function endOfAtom(pattern: string, start: number): number {
  if (pattern.charAt(start) === '\\') {
    const property = PROPERTY.exec(pattern.slice(start, start + 70));
    return start + (property === null ? 1 : property[0].length - 1);
  }
  if (pattern.charAt(start) !== '[') return start;
  const close = pattern.indexOf(']', start + 2);
  return close === -1 ? start : close;
}
