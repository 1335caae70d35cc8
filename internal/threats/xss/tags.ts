import { isBlank, isLetter, isWordUnit } from '../characters.ts';
import type { Probe } from '../threat.ts';
import { findInTag } from './attributes.ts';
import { ACTIVE_ELEMENTS, AMBIGUOUS_ELEMENTS, PLAIN_ELEMENTS } from './names.ts';

/** How far from its `<` a tag is looked through; what is behind is looked at as text. */
const LONGEST_TAG = 4096;
const LONGEST_NAME = 64;

/** Tags, also unfinished ones, with blanks, control characters or a namespace where browsers of some age take them. */
export function findTags(probe: Probe): void {
  const { text } = probe;
  for (let at = text.indexOf('<'); at !== -1; ) {
    const next = text.indexOf('<', at + 1);
    const end = Math.min(next === -1 ? text.length : next, at + LONGEST_TAG);
    lookAtTag(probe, at, end);
    probe.steps += end - at;
    at = next;
  }
}

function lookAtTag(probe: Probe, at: number, end: number): void {
  const { text } = probe;
  if (text.startsWith('<!entity', at) || text.startsWith('<!--#', at)) {
    probe.report('markup-declaration', at, end);
    return;
  }
  const start = nameStart(text, at + 1, end);
  const nameEnd = endOfName(text, start, end);
  const name = text.slice(start, nameEnd);
  const local = name.slice(name.lastIndexOf(':') + 1);
  const isClosed = text[at + 1] === '/';
  if (ACTIVE_ELEMENTS.has(local)) {
    if (isSure(text, at, nameEnd, end, local)) probe.report('active-element', at, end);
  } else if (spelledWide(text, at, start, end)) probe.report('active-element', at, end);
  if (text[nameEnd - 1] === ':' && isActiveBehind(text, nameEnd)) probe.report('active-element', at, end);
  if (isClosed || name === '') return;
  if (end === text.length && PLAIN_ELEMENTS.has(local) && isLeftOpen(text, nameEnd))
    probe.report('unfinished-tag', at, end);
  findInTag(probe, nameEnd, end);
  if (!PLAIN_ELEMENTS.has(local) && /^[a-z]/.test(local)) lookForCode(probe, at, nameEnd, end);
}

/** `<x: script`. */
function isActiveBehind(text: string, from: number): boolean {
  const start = nameStart(text, from, from + 16);
  return ACTIVE_ELEMENTS.has(text.slice(start, endOfName(text, start, text.length)));
}

/** A tag with an attribute and without its end, which swallows what the page goes on with. */
function isLeftOpen(text: string, from: number): boolean {
  return isBlank(text.charCodeAt(from)) && text.indexOf('>', from) === -1 && text.slice(from, from + 64).includes('=');
}

/** A tag of any name that loads something or calls something is active: `<x src=…>` in an unknown vocabulary. */
function lookForCode(probe: Probe, at: number, from: number, end: number): void {
  const inside = probe.text.slice(from, Math.min(end, from + 512));
  if (inside.includes('alert(') || inside.includes('="data:')) probe.report('active-attribute', at, end);
}

function nameStart(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && (isBlank(text.charCodeAt(at)) || '/?!%\\'.includes(text[at] ?? '') || text[at] === ':')) at += 1;
  return at;
}

function endOfName(text: string, from: number, end: number): number {
  let at = from;
  while (
    at < end &&
    at < from + LONGEST_NAME &&
    (isWordUnit(text.charCodeAt(at)) || text[at] === ':' || text[at] === '-')
  )
    at += 1;
  return at;
}

/**
 * `Array<Object>` and `<Link to="/">` are code: a name that stands for other things too needs an attribute that loads
 * or the end of its name by a slash, and nothing before the `<` that it is the argument of.
 */
function isSure(text: string, at: number, nameEnd: number, end: number, name: string): boolean {
  const next = text[nameEnd];
  const isTag =
    next === undefined ||
    next === '>' ||
    next === '/' ||
    next === '#' ||
    next === '=' ||
    isBlank(next.charCodeAt(0)) ||
    isQuoteLike(next);
  if (!isTag) return false;
  if (name === 'script' || !AMBIGUOUS_ELEMENTS.has(name)) return !isArgument(text, at, next);
  if (name === 'style' && text[at + 1] !== '/') return next === '>' && !isArgument(text, at, next);
  const inside = text.slice(nameEnd, Math.min(end, nameEnd + 1024));
  return LOADING.some((attribute) => hasAttribute(inside, attribute));
}

const isQuoteLike = (character: string): boolean => '"\'`<+%&;\\'.includes(character);

/** `Promise<Script>`: the name of a type before it, and nothing but the name inside. */
const isArgument = (text: string, at: number, next: string | undefined): boolean =>
  next === '>' && isWordUnit(text.charCodeAt(at - 1)) && !text.slice(at, at + LONGEST_TAG).includes('</');

const LOADING = [
  'href',
  'src',
  'data',
  'code',
  'classid',
  'charset',
  'http-equiv',
  'content',
  'action',
  'implementation',
  'on',
];

function hasAttribute(inside: string, name: string): boolean {
  const at = inside.indexOf(name);
  if (at === -1 || (at > 0 && isWordUnit(inside.charCodeAt(at - 1)))) return false;
  let i = at + name.length;
  if (name === 'on') while (isLetter(inside.charCodeAt(i))) i += 1;
  while (i < inside.length && (isBlank(inside.charCodeAt(i)) || inside[i] === '/')) i += 1;
  return inside[i] === '=';
}

const WIDE = ['script', 'iframe', 'form', 'dialog', 'object', 'embed', 'style', 'applet', 'meta', 'link', 'svg'];

/** `<f o r m`: old filters were passed so, and nothing honest is spelt so. */
function spelledWide(text: string, at: number, start: number, end: number): boolean {
  if (!isBlank(text.charCodeAt(start + 1))) return false;
  const squeezed = text.slice(at + 1, Math.min(end, at + 64)).replace(/[\s/]/g, '');
  return WIDE.some((name) => squeezed.startsWith(name)) && isBlank(text.charCodeAt(start + 3));
}
