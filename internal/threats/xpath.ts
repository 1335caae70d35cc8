import { isWordUnit } from './characters.ts';
import type { Detector, Probe, Rules } from './threat.ts';
import { TRAIT } from './traits.ts';

const RULES = {
  'node-test': { score: 4, from: 1 },
  axis: { score: 4, from: 1 },
  call: { score: 4, from: 1 },
  path: { score: 2, from: 3 },
} as const satisfies Rules;

const AXES = [
  'ancestor',
  'ancestor-or-self',
  'attribute',
  'child',
  'descendant',
  'descendant-or-self',
  'following',
  'following-sibling',
  'namespace',
  'parent',
  'preceding',
  'preceding-sibling',
  'self',
];
const CALLS = [
  'string-length(',
  'normalize-space(',
  'local-name(',
  'namespace-uri(',
  'starts-with(',
  'substring-before(',
  'substring-after(',
  'count(/',
  'name(/',
  'position()',
  'doc(',
  'last()',
];

/** XPath behind the quote that ends a text: conditions over nodes, axes, functions. Equal numbers are SQL's business too. */
export const xpathInjection: Detector = {
  kind: 'xpathInjection',
  rules: RULES,
  needs: TRAIT.quote | TRAIT.colon | TRAIT.paren | TRAIT.bracket,
  find(probe: Probe): undefined {
    const { text } = probe;
    const quote = firstQuote(text);
    if (text.includes('::'))
      for (const axis of AXES) {
        const at = text.indexOf(`${axis}::`);
        if (at !== -1 && !isWordUnit(text.charCodeAt(at - 1)) && isNodeTest(text, at + axis.length + 2))
          probe.report('axis', at, at + 24);
      }
    probe.steps += (AXES.length + CALLS.length) * text.length;
    if (quote === -1 && !text.startsWith(']') && !text.startsWith(')')) return;
    for (const call of CALLS) {
      const at = text.indexOf(call, quote + 1);
      if (at !== -1 && isConnected(text, quote, at)) probe.report('call', at, at + 24);
    }
    for (const part of [
      '|//',
      '] | //',
      ']|//',
      '/*[',
      '//*',
      "']/",
      "' and //",
      "' or //",
      '" or //',
      '/text()',
      '/node()',
      'or node()',
      '| /*',
      '|/*',
    ]) {
      const at = text.indexOf(part);
      if (at !== -1 && isConnected(text, quote, at)) probe.report('node-test', at, at + 24);
    }
  },
};

function firstQuote(text: string): number {
  const single = text.indexOf("'");
  const double = text.indexOf('"');
  if (single === -1 || double === -1) return Math.max(single, double);
  return Math.min(single, double);
}

const isNodeTest = (text: string, at: number): boolean =>
  text[at] === '*' || text.startsWith('node()', at) || text.startsWith('text()', at) || text[at] === '@';

/** What follows the first quote is a connective of XPath, and no rest of a word. */
function isConnected(text: string, quote: number, at: number): boolean {
  const between = text.slice(quote + 1, Math.min(at + 4, quote + 65)).trimStart();
  return /^(?:\)|\]|\||or[ /('"]|and[ /('"]|=)/.test(between);
}
