import { LRUCache } from 'lru-cache';
import { canonicalPath } from '../core/canonical-path.ts';
import type { PathParams } from '../core/evaluation.ts';
import type { ProblemList } from '../core/problem.ts';
import type { PathReadings } from '../core/request.ts';
import { MAX_TEMPLATE_LENGTH } from '../core/schema.ts';

/** `folded`: the text with `A`–`Z` in lower case, by which it is found where case does not matter. */
export interface LiteralSegment {
  readonly kind: 'literal';
  readonly text: string;
  readonly folded: string;
}

/** One segment of a template: a literal, `{name}` for exactly one segment, or `**` for none or more at the end. */
export type TemplateSegment =
  | LiteralSegment
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'rest' };

export interface PathTemplate {
  readonly source: string;
  readonly segments: readonly TemplateSegment[];
  readonly parameters: readonly string[];
}

const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]{0,62})\}$/;
const REST: TemplateSegment = Object.freeze({ kind: 'rest' });

/** Reads one path template; what is wrong goes to `problems` (`InvalidPath`). */
export function parsePathTemplate(source: string, problems: ProblemList): PathTemplate | undefined {
  const refuse = (why: string): undefined => {
    problems.error('InvalidPath', `"${source}" ${why}`);
    return undefined;
  };
  if (source.length > MAX_TEMPLATE_LENGTH) {
    problems.error('InvalidPath', `A path has at most ${MAX_TEMPLATE_LENGTH} characters, not ${source.length}`);
    return undefined;
  }
  if (!source.startsWith('/')) return refuse('does not begin with "/"');
  const pieces = source.slice(1).split('/');
  if (pieces.at(-1) === '') pieces.pop();
  const segments: TemplateSegment[] = [];
  const parameters = new Set<string>();
  for (const [index, piece] of pieces.entries()) {
    const parameter = PARAMETER.exec(piece)?.[1];
    if (piece === '**') {
      if (index !== pieces.length - 1) return refuse('has "**" before its end: "**" stands only last');
      segments.push(REST);
      continue;
    }
    if (parameter !== undefined) {
      if (parameters.has(parameter)) return refuse(`names the parameter "${parameter}" twice`);
      parameters.add(parameter);
      segments.push({ kind: 'parameter', name: parameter });
      continue;
    }
    if (piece === '') return refuse('can never match: it has an empty segment');
    if (/[{}*]/.test(piece)) return refuse(`has "${piece}": write "{name}" for one whole segment, or "**" at the end`);
    const literal = canonicalPath(`/${piece}`);
    if (!literal.ok) return refuse(`can never match: ${literal.detail}`);
    const text = literal.readings.kept[0] ?? '';
    segments.push({ kind: 'literal', text, folded: lowerAscii(text) });
  }
  return Object.freeze({ source, segments, parameters: [...parameters] });
}

const RANK = { literal: 0, parameter: 1, rest: 2 } as const;

/** Most specific first: segment by segment a literal, then `{name}`, then `**`; then the longer one. */
function compareTemplates(a: PathTemplate, b: PathTemplate): number {
  const shared = Math.min(a.segments.length, b.segments.length);
  for (let i = 0; i < shared; i += 1) {
    const left = a.segments[i];
    const right = b.segments[i];
    if (left === undefined || right === undefined) break;
    if (left.kind !== right.kind) return RANK[left.kind] - RANK[right.kind];
  }
  return b.segments.length - a.segments.length;
}

/** Whether two texts are equal, `A`–`Z` and `a`–`z` being the same; nothing beyond ASCII is folded. */
export function equalsIgnoringAsciiCase(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) {
    if (foldAscii(a.charCodeAt(i)) !== foldAscii(b.charCodeAt(i))) return false;
  }
  return true;
}

const foldAscii = (code: number): number => (code >= 0x41 && code <= 0x5a ? code + 0x20 : code);

/** Lower case for `A`–`Z` alone: U+212A (Kelvin) stays what it is. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export interface PathMatcher {
  /** Parameters that every template has: the ones an expression may read. */
  readonly parameters: readonly string[];
  /** Parameters of the most specific template that covers these decoded segments; undefined when none does. */
  match(segments: readonly string[]): PathParams | undefined;
}

const NO_PARAMETERS: PathParams = new Map();

/** Many policies name the same paths: matchers hold nothing of who asks, so they are shared. */
const matchers = new LRUCache<string, PathMatcher>({ max: 4096 });

/** Compiles a list of templates into one matcher, most specific first. */
export function compilePathTemplates(
  templates: readonly string[],
  options: { readonly caseInsensitive: boolean },
  problems: ProblemList,
): PathMatcher | undefined {
  const key = JSON.stringify([options.caseInsensitive, templates]);
  const known = matchers.get(key);
  if (known !== undefined) return known;
  const matcher = compileAnew(templates, options, problems);
  if (matcher !== undefined) matchers.set(key, matcher);
  return matcher;
}

function compileAnew(
  templates: readonly string[],
  options: { readonly caseInsensitive: boolean },
  problems: ProblemList,
): PathMatcher | undefined {
  const parsed: PathTemplate[] = [];
  for (const [index, source] of templates.entries()) {
    const template = parsePathTemplate(source, problems.at(index));
    if (template !== undefined) parsed.push(template);
  }
  if (parsed.length !== templates.length) return undefined;
  parsed.sort(compareTemplates);
  const [first, ...rest] = parsed;
  const parameters = first?.parameters.filter((name) => rest.every((other) => other.parameters.includes(name))) ?? [];
  const { caseInsensitive } = options;
  return Object.freeze({
    parameters,
    match(segments: readonly string[]) {
      for (const template of parsed) {
        if (covers(template, segments, caseInsensitive)) return parametersOf(template, segments);
      }
      return undefined;
    },
  });
}

function covers(template: PathTemplate, segments: readonly string[], caseInsensitive: boolean): boolean {
  const pattern = template.segments;
  for (let i = 0; i < pattern.length; i += 1) {
    const expected = pattern[i];
    const actual = segments[i];
    if (expected?.kind === 'rest') return true;
    if (actual === undefined) return false;
    if (expected?.kind !== 'literal') continue;
    if (expected.text !== actual && !(caseInsensitive && equalsIgnoringAsciiCase(expected.text, actual))) return false;
  }
  return pattern.length === segments.length;
}

/** The values of a template's parameters in segments that it covers. */
export function parametersOf(template: PathTemplate, segments: readonly string[]): PathParams {
  if (template.parameters.length === 0) return NO_PARAMETERS;
  const values = new Map<string, string>();
  for (const [index, segment] of template.segments.entries()) {
    if (segment.kind === 'parameter') values.set(segment.name, segments[index] ?? '');
  }
  return values;
}

/** For everything that lets in: parameters by the kept reading, if every reading is covered. */
export function matchesAll(matcher: PathMatcher, readings: PathReadings): PathParams | undefined {
  const parameters = matcher.match(readings.kept);
  if (parameters === undefined || readings.others.length === 0) return parameters;
  return readings.others.every((reading) => matcher.match(reading) !== undefined) ? parameters : undefined;
}
