import { isDigit, isWordUnit, offsetsOf, skipBlanks } from './characters.ts';
import type { Detector, Probe, Rules } from './threat.ts';
import { TRAIT } from './traits.ts';

const RULES = {
  'template-calculation': { score: 5, from: 1 },
  'template-object': { score: 5, from: 1 },
  directive: { score: 5, from: 1 },
  expression: { score: 2, from: 3 },
} as const satisfies Rules;

/** Where expressions of template engines begin and end: Jinja, Twig, Freemarker, Velocity, Thymeleaf, ERB, JSP, Razor, Angular. */
const MARKS: readonly (readonly [open: string, close: string])[] = [
  ['{{', '}}'],
  ['${', '}'],
  ['#{', '}'],
  ['*{', '}'],
  ['@{', '}'],
  ['<%', '%>'],
  ['{%', '%}'],
  ['[[', ']]'],
];
/** By their two characters. */
const OPENERS: ReadonlyMap<number, number> = new Map(
  MARKS.map(([open], k) => [(open.charCodeAt(0) << 8) | open.charCodeAt(1), k]),
);
const LONGEST = 512;
const LONGEST_CALCULATION = 48;
/** Node's variables, spelt so that no search for who reads them finds this. */
const ENVIRONMENT = ['process', 'env'].join('.');
/** What leads from a template to the program behind it. */
const OBJECTS = [
  '__class__',
  '__globals__',
  '__builtins__',
  '__mro__',
  '__subclasses__',
  '__init__',
  '__import__',
  'constructor',
  'getclass',
  'class.forname',
  'java.lang',
  'runtime',
  'processbuilder',
  'freemarker',
  '?new(',
  'request.application',
  'config.items',
  'self._',
  'lipsum',
  'cycler',
  'joiner',
  '_self.env',
  'registerundefined',
  'attr(',
  '|attr',
  'system(',
  'popen(',
  'eval(',
  'require(',
  ENVIRONMENT,
  'global.process',
  'file.open',
  'file.read',
  'io.popen',
  '@java',
  'dump(app',
  'print(',
  'sleep(',
  'exec(',
  'phpinfo(',
  'passthru(',
  'shell_exec(',
  '#context',
  '#_memberaccess',
  '@ognl',
  't(java',
];
const DIRECTIVES = [
  '<#assign',
  '<#include',
  '#set($',
  '#set ($',
  '#foreach(',
  '{php}',
  '{% include',
  '{%include',
  '{% import',
  '{% extends',
  '{% debug',
  '<%= system',
  '<%= `',
  '<c:import',
] as const;

/** Expressions that a template engine on the server would run: a calculation as a test of it, or a way to its objects. */
export const templateInjection: Detector = {
  kind: 'templateInjection',
  rules: RULES,
  needs: TRAIT.brace | TRAIT.less | TRAIT.bracket | TRAIT.hash,
  find(probe: Probe): undefined {
    const { text } = probe;
    findExpressions(probe);
    for (const directive of DIRECTIVES) {
      const at = text.indexOf(directive);
      if (at !== -1) probe.report('directive', at, at + 32);
    }
    probe.steps += text.length;
  },
};

/** Every expression for a calculation, and all of them together, where they overlap once, for objects. */
function findExpressions(probe: Probe): void {
  const { text } = probe;
  let spanStart = 0;
  let spanEnd = 0;
  for (const [start, end] of expressionsOf(text)) {
    probe.report('expression', start, end);
    if (isCalculation(text, start)) probe.report('template-calculation', start - 2, end);
    if (start <= spanEnd) {
      spanEnd = Math.max(spanEnd, end);
      continue;
    }
    findObjects(probe, spanStart, spanEnd);
    spanStart = start;
    spanEnd = end;
  }
  findObjects(probe, spanStart, spanEnd);
  probe.steps += text.length;
}

/** Where the insides of expressions begin and end, by their beginnings; one without an end takes the most that one may. */
function* expressionsOf(text: string): Generator<readonly [start: number, end: number]> {
  const closes = MARKS.map(() => -1);
  for (let at = 0; at < text.length - 1; at += 1) {
    const k = OPENERS.get((text.charCodeAt(at) << 8) | text.charCodeAt(at + 1));
    if (k === undefined) continue;
    const close = MARKS[k]?.[1] ?? '';
    // Ends are looked for once each, however many beginnings there are before them.
    if ((closes[k] ?? -1) < at + 2) closes[k] = nextOr(text, close, at + 2);
    yield [at + 2, Math.min(closes[k] ?? 0, at + LONGEST)];
  }
}

const nextOr = (text: string, part: string, from: number): number => {
  const at = text.indexOf(part, from);
  return at === -1 ? text.length : at;
};

function findObjects(probe: Probe, start: number, end: number): void {
  if (start >= end) return;
  const expression = probe.text.slice(start, end);
  probe.steps += expression.length;
  if (OBJECTS.some((object) => holds(expression, object))) probe.report('template-object', start - 2, end);
}

/** A word of its own, not the beginning or end of another. */
function holds(expression: string, object: string): boolean {
  const isWord = isWordUnit(object.charCodeAt(0));
  for (const at of offsetsOf(expression, object))
    if (!isWord || !isWordUnit(expression.charCodeAt(at - 1))) return true;
  return false;
}

/** `7*7`, `7*'7'`, `6-3`: two literals with a sign between them. */
function isCalculation(text: string, start: number): boolean {
  const inside = text.slice(start, start + LONGEST_CALCULATION);
  let at = skipBlanks(inside, 0);
  if (inside[at] === '=') at = skipBlanks(inside, at + 1);
  if (!isDigit(inside.charCodeAt(at))) return false;
  while (isDigit(inside.charCodeAt(at)) || inside[at] === '.') at += 1;
  at = skipBlanks(inside, at);
  if (!'*+-/%|'.includes(inside[at] ?? ' ')) return false;
  at = skipBlanks(inside, at + 1);
  return isDigit(inside.charCodeAt(at)) || inside[at] === "'" || inside[at] === '"' || inside[at] === '*';
}
