import { isBlank, isLetter, skipBlanks } from '../characters.ts';
import type { Probe } from '../threat.ts';
import { EVENT_STEMS, NO_EVENTS } from './names.ts';
import { schemeAt } from './schemes.ts';

const SHORTEST_EVENT = 5;
const LONGEST_EVENT = 50;
const BEFORE = new Set(['"', "'", '`', '/', ';', '<', '\\', '>', '&']);
const NAVIGATING = new Set(
  'href src action formaction data xlink:href background poster srcset to from values cite icon lowsrc dynsrc code codebase'.split(
    ' ',
  ),
);

/**
 * `onload=` and the like, where an attribute can begin: behind a blank, a slash, or a quote that ends another. At the
 * beginning of a value too, for it may stand within a tag.
 */
export function findEvents(probe: Probe): void {
  const { text } = probe;
  for (let at = text.indexOf('on'); at !== -1; at = text.indexOf('on', at + 2)) {
    probe.steps += 2;
    if (!canBegin(text, at)) continue;
    let end = at;
    while (end - at <= LONGEST_EVENT && isLetter(text.charCodeAt(end))) end += 1;
    probe.steps += end - at;
    const equals = skipBounded(text, end);
    if (text[equals] !== '=' || text[equals + 1] === '=') continue;
    if (isEvent(text.slice(at, end)) && isAssigned(text, at, equals)) probe.report('event-handler', at, equals + 16);
  }
}

/** `"formaction=`: behind a quote that ends another attribute. */
export function findBreakout(probe: Probe): void {
  const { text } = probe;
  for (const name of ['formaction', 'srcdoc']) {
    const at = text.indexOf(name);
    probe.steps += at === -1 ? text.length : at;
    if (at > 0 && BEFORE.has(text[at - 1] ?? '') && text[skipBounded(text, at + name.length)] === '=')
      probe.report('active-attribute', at, at + 24);
  }
}

function canBegin(text: string, at: number): boolean {
  if (at === 0) return true;
  return isBlank(text.charCodeAt(at - 1)) || BEFORE.has(text[at - 1] ?? '');
}

/** Blanks before a sign; eight of them and no more are looked through. */
function skipBounded(text: string, from: number): number {
  let at = from;
  while (at < from + 64 && isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function isEvent(name: string): boolean {
  if (name.length < SHORTEST_EVENT || name.length > LONGEST_EVENT || NO_EVENTS.has(name)) return false;
  return name.length >= 10 || EVENT_STEMS.some((stem) => name.startsWith(stem, 2));
}

/** A sentence's or a program's `onload = x` has blanks on both sides and nothing before that ends an attribute. */
function isAssigned(text: string, at: number, equals: number): boolean {
  const isSpaced = text[equals - 1] === ' ' && text[equals + 1] === ' ' && equals + 2 < text.length;
  return !isSpaced || BEFORE.has(text[at - 1] ?? '');
}

/** Attributes of a tag from the end of its name: those that hold code, styles that do, and addresses that are code. */
export function findInTag(probe: Probe, from: number, end: number): void {
  const { text } = probe;
  for (let equals = text.indexOf('=', from); equals !== -1 && equals < end; equals = text.indexOf('=', equals + 1)) {
    let last = equals;
    while (last > from && (isBlank(text.charCodeAt(last - 1)) || text[last - 1] === '/')) last -= 1;
    let first = last;
    while (first > from && isNameUnit(text.charCodeAt(first - 1))) first -= 1;
    probe.steps += equals - first;
    const name = text.slice(first, last);
    const value = skipBlanks(text, equals + 1);
    const start = text[value] === '"' || text[value] === "'" || text[value] === '`' ? value + 1 : value;
    if (name === 'srcdoc' || name === 'formaction' || name === 'http-equiv')
      probe.report('active-attribute', first, start + 16);
    else if (name === 'style' && isActiveStyle(text, start, end)) probe.report('active-style', first, start + 32);
    else if (name.startsWith('xmlns') || name.startsWith('xsi:')) probe.report('namespace', first, start + 16);
    else if (name === 'pattern' || name === 'language' || name === 'datasrc')
      probe.report('odd-attribute', first, start + 16);
    else if (NAVIGATING.has(name) && schemeAt(text, start) !== undefined)
      probe.report('script-address', first, start + 32);
    if (equals - first > 4096) return;
  }
}

const isNameUnit = (unit: number): boolean =>
  isLetter(unit) || unit === 0x2d || unit === 0x3a || (unit >= 0x30 && unit <= 0x39);

function isActiveStyle(text: string, from: number, end: number): boolean {
  const style = text.slice(from, Math.min(end, from + 1024));
  return (
    style.includes('expression') ||
    style.includes('javascript') ||
    style.includes('behavior:') ||
    style.includes('-moz-binding') ||
    style.includes('@import')
  );
}
