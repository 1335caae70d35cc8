import type { Steps } from '../../core/breather.ts';
import { isWordUnit, offsetsOf, wordEnd } from '../characters.ts';
import type { Detector, Probe, Rules } from '../threat.ts';
import { TRAIT } from '../traits.ts';
import { findingAt } from './anywhere.ts';
import { breakoutsOf } from './breakouts.ts';
import { continuationAt } from './continuation.ts';
import { Grammar } from './grammar.ts';
import { isPlainText } from './plain-text.ts';
import { TOKEN } from './token-kinds.ts';
import { tokenize } from './tokens.ts';
import { wholeValue } from './whole-value.ts';
import { kindOfWord } from './words.ts';

const RULES = {
  'union-select': { score: 5, from: 1 },
  'stacked-query': { score: 5, from: 1 },
  statement: { score: 5, from: 1 },
  tautology: { score: 5, from: 1 },
  subquery: { score: 5, from: 1 },
  'telling-call': { score: 5, from: 1 },
  'comment-break': { score: 5, from: 1 },
  'quote-semicolon': { score: 4, from: 1 },
  calculation: { score: 4, from: 1 },
  comparison: { score: 4, from: 1 },
  clause: { score: 4, from: 1 },
  file: { score: 5, from: 1 },
  conditional: { score: 4, from: 1 },
  cast: { score: 4, from: 1 },
  catalog: { score: 5, from: 1 },
  'json-operator': { score: 4, from: 1 },
  'conditional-comment': { score: 5, from: 1 },
  scientific: { score: 5, from: 1 },
  'bare-call': { score: 3, from: 1 },
  fragment: { score: 3, from: 1 },
  comments: { score: 3, from: 1 },
  operator: { score: 2, from: 2 },
  quotes: { score: 2, from: 3 },
} as const satisfies Rules;

/** Longer texts are looked at in steps. */
const MAX_UNBROKEN = 1024;
const QUOTES = ["'", '"', '`'];
/** Most tokens of one value that rules look at from its head, behind closing parentheses and adjacent texts. */
const MAX_HEAD = 8;

/**
 * SQL that a value would add to the query it is put into: read as an expression of its own, and as what follows the
 * quote that ends a text around it. What is found is structure over kinds of tokens, not words.
 */
export const sqlInjection: Detector = {
  kind: 'sqlInjection',
  rules: RULES,
  needs: TRAIT.letter | TRAIT.quote | TRAIT.semicolon | TRAIT.equals,
  find(probe: Probe): Steps<void> | undefined {
    probe.steps += probe.text.length;
    if (isPlainText(probe.text, probe.traits)) return undefined;
    look(probe, -1);
    if (hasOddQuotes(probe.text)) probe.report('quotes', 0, probe.text.length);
    return (probe.traits & (TRAIT.quote | TRAIT.backtick)) === 0 ? undefined : lookBehindQuotes(probe);
  },
};

/** A quote without its fellow that is no apostrophe inside a word. */
function hasOddQuotes(text: string): boolean {
  for (const quote of QUOTES) {
    let odd = false;
    for (const at of offsetsOf(text, quote))
      if (!isWordUnit(text.charCodeAt(at - 1)) || !isWordUnit(text.charCodeAt(at + 1))) odd = !odd;
    if (odd) return true;
  }
  return false;
}

/** Each quote is a reading of the whole by itself. */
function* lookBehindQuotes(probe: Probe): Steps<void> {
  for (const quote of QUOTES) {
    for (const breakout of breakoutsOf(probe.text, quote)) {
      if (probe.text.length > MAX_UNBROKEN) yield;
      look(probe, breakout);
    }
  }
}

function look(probe: Probe, breakout: number): void {
  if (breakout !== -1 && goesOnAsWord(probe.text, breakout + 1)) return;
  const tokens = tokenize(probe.text, breakout);
  probe.steps += probe.text.length + tokens.steps;
  const grammar = new Grammar(tokens);
  const report = (rule: string | undefined, i: number): void => {
    if (rule === undefined) return;
    probe.report(rule, tokens.starts[i] ?? 0, tokens.ends[Math.min(i + 12, grammar.length - 1)] ?? probe.text.length);
  };
  if (breakout === -1) {
    report(wholeValue(grammar), 0);
    report(continuationAt(grammar, 0, false), 0);
    const first = grammar.kind(0) === TOKEN.open ? -1 : grammar.operand(0);
    if (first > 0) report(continuationAt(grammar, skipCloses(grammar, first), false), 0);
    if (tokens.inlineComments > 0) report('comments', 0);
  } else report(continuationAt(grammar, skipCloses(grammar, 1), true), 0);
  for (let i = 0; i < grammar.length; i += 1) report(findingAt(grammar, i), i);
  probe.steps += grammar.steps;
}

/**
 * Behind an apostrophe a word goes on, as in "don't". A query does so only where the text gets another name, which is
 * of no use without a subquery.
 */
function goesOnAsWord(text: string, from: number): boolean {
  const end = wordEnd(text, from);
  if (text.includes('select')) return false;
  return end > from && kindOfWord(text.slice(from, end)) === TOKEN.word;
}

/** Behind texts that follow each other, which are one, and parentheses of the query that are closed. */
function skipCloses(grammar: Grammar, i: number): number {
  let at = i;
  while (at < i + MAX_HEAD && grammar.kind(at) === TOKEN.close) at += 1;
  return at;
}
