import { isBlank, isWordUnit } from '../characters.ts';
import type { Probe } from '../threat.ts';

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

/** Objects of a page, and the members of them that attacks are about. */
const PAGE = set('document window self top parent frames globalthis');
const MEMBERS = set(
  'cookie domain location write writeln body documentelement createelement queryselector defaultview innerhtml execscript localstorage',
);
/** Calls that show that code runs, or run more. */
const CALLS = set('alert confirm prompt eval settimeout setinterval setimmediate execscript atob btoa msgbox');
const CALLED_BY_TEMPLATE = set('call apply bind sort map foreach constructor');
const LONGEST_NAME = 24;

const PAGE_NAMES = [...PAGE];

/** Whether an object of a page is named at all. */
export const namesPage = (text: string): boolean => PAGE_NAMES.some((name) => text.includes(name));

/** JavaScript in a value, read past its comments and blanks: members of the page, calls, code of signs alone. */
export function findScript(probe: Probe): void {
  const { text } = probe;
  let previous = '';
  for (let at = 0; at < text.length; ) {
    if (!isWordUnit(text.charCodeAt(at))) {
      if (text[at] === '`' && CALLED_BY_TEMPLATE.has(previous) && isTemplate(text, at)) reportTemplate(probe, at);
      at += 1;
      continue;
    }
    const start = at;
    while (at < text.length && isWordUnit(text.charCodeAt(at))) at += 1;
    const word = isFollowed(text, at) && at - start <= LONGEST_NAME ? text.slice(start, at) : '';
    previous = word;
    if (word === '') continue;
    if (PAGE.has(word)) lookAtMember(probe, start, at);
    else if (CALLS.has(word)) lookAtCall(probe, start, at, word);
    else if (word === 'constructor' || word === 'function' || word === 'string') lookAtMaker(probe, start, at, word);
    else if (word === 'url') lookAtUrl(probe, start, at);
  }
  probe.steps += text.length;
}

/** What follows a name that something is done with: a sign. In a sentence it is mostly a blank and the next word. */
const isFollowed = (text: string, at: number): boolean => {
  const next = text.charCodeAt(at) === 0x20 ? text.charCodeAt(at + 1) : text.charCodeAt(at);
  return !Number.isNaN(next) && !isWordUnit(next) && next !== 0x2c;
};

/** Blanks and comments of JavaScript, some of them. */
function gap(text: string, from: number): number {
  let at = from;
  for (let k = 0; k < 8; k += 1) {
    while (at < from + 256 && isBlank(text.charCodeAt(at))) at += 1;
    if (text[at] !== '/' || text[at + 1] !== '*') return at;
    const close = text.slice(at + 2, at + 130).indexOf('*/');
    if (close === -1) return at;
    at += close + 4;
  }
  return at;
}

const back = (text: string, from: number): number => {
  let at = from - 1;
  while (at > from - 64 && isBlank(text.charCodeAt(at))) at -= 1;
  return at;
};

function lookAtMember(probe: Probe, start: number, end: number): void {
  const { text } = probe;
  let at = gap(text, end);
  if (text[at] === ')') at = gap(text, at + 1);
  if (text[at] === '.' || (text[at] === '?' && text[at + 1] === '.')) {
    const first = gap(text, at + (text[at] === '?' ? 2 : 1));
    let last = first;
    while (isWordUnit(text.charCodeAt(last)) && last < first + LONGEST_NAME) last += 1;
    const isFile = probe.place === 'path' && last === text.length;
    if (MEMBERS.has(text.slice(first, last)) && !isFile && !isPath(text, start))
      probe.report('page-member', start, last);
    return;
  }
  if (text[at] !== '[' || text.startsWith('top[', start)) return;
  const inside = text[gap(text, at + 1)];
  if (inside === '"' || inside === "'" || inside === '`' || inside === '/') probe.report('page-member', start, at + 16);
}

/** A part of a path or of a file's name, and no expression. */
const isPath = (text: string, start: number): boolean =>
  text[start - 1] === '/' && text[start - 2] !== '/' && text[start - 2] !== '*';

/** A call that begins the value or follows what ends an expression; in a sentence or a program's line it follows a word. */
function lookAtCall(probe: Probe, start: number, end: number, word: string): void {
  const { text } = probe;
  const at = gap(text, end);
  if (text[at] !== '(' && text[at] !== '`') return;
  if (text[at] === '`' && text[end] === ' ') return;
  const before = back(text, start);
  const isPlaced = before < 0 || !isWordUnit(text.charCodeAt(before));
  const isShort =
    word === 'settimeout' ||
    word === 'setinterval' ||
    word === 'setimmediate' ||
    word === 'eval' ||
    word === 'atob' ||
    word === 'btoa';
  if (!isPlaced || (text[before] === '.' && word === 'confirm')) return;
  if (isShort && before >= 0 && !'"\'`;=(){}>:/,!+-'.includes(text[before] ?? '')) return;
  if (isShort && before >= 0 && text[before] === ';' && start - before > 1) return;
  if (start !== at && text[end] === ' ' && word !== 'alert') return;
  probe.report('script-call', start, at + 16);
}

/** `constructor.constructor(`, `new function(`, `string.fromcharcode`. */
function lookAtMaker(probe: Probe, start: number, end: number, word: string): void {
  const { text } = probe;
  const at = gap(text, end);
  if (word === 'string' && text.startsWith('.fromcharcode', at)) probe.report('script-call', start, at + 16);
  if (word === 'constructor' && (text.startsWith('.constructor', at) || text.startsWith('["constructor', at)))
    probe.report('script-call', start, at + 16);
  if (word === 'function' && text[at] === '(') {
    const before = back(text, start);
    const isNew = text.slice(Math.max(0, before - 2), before + 1) === 'new';
    if (isNew) probe.report('script-call', start, at + 16);
  }
}

/** `url(javascript:…)` of a style. */
function lookAtUrl(probe: Probe, start: number, end: number): void {
  const { text } = probe;
  const at = gap(text, end);
  if (text[at] !== '(') return;
  const first = gap(text, at + 1);
  const inside = text[first] === '"' || text[first] === "'" ? first + 1 : first;
  if (text.startsWith('javascript', inside)) probe.report('script-address', start, inside + 16);
}

/** Behind the name there is a text: Markdown's code ends with the same sign, and a sentence goes on. */
function isTemplate(text: string, at: number): boolean {
  const next = text[gap(text, at + 1)];
  return next === '$' || next === '`' || next === '\\' || isWordUnit(text.charCodeAt(at + 1));
}

function reportTemplate(probe: Probe, at: number): void {
  probe.report('script-call', Math.max(0, at - 16), at + 32);
}

const LEAST_SIGNS = 5;

/** Code of signs alone, `[][(![]+[])…`, `+!![]`. */
export function findSigns(probe: Probe): void {
  const { text } = probe;
  for (const part of ['!![]', '![]', '+[]', '!+[']) {
    const at = text.indexOf(part);
    probe.steps += at === -1 ? text.length : at;
    if (at === -1) continue;
    let start = at;
    while (start > at - 64 && '[]()!+{} '.includes(text[start - 1] ?? 'x')) start -= 1;
    let end = at;
    while (end < start + 64 && '[]()!+{} '.includes(text[end] ?? 'x')) end += 1;
    if (end - start >= LEAST_SIGNS || (part === '!![]' && end - start === text.length)) {
      probe.report('signs', start, end);
      return;
    }
  }
}

const QUOTES = ["'", '"'] as const;

/**
 * `"in x=` and `'x.y=`: a member that is set right behind the one quote of a value, which ends a text of the page's
 * code.
 */
export function findAssignment(probe: Probe): void {
  const { text } = probe;
  for (const quote of QUOTES) {
    const at = text.indexOf(quote);
    if (at === -1 || text.indexOf(quote, at + 1) !== -1) continue;
    const start = gap(text, at + 1);
    let end = start;
    while (end < start + 64 && (isWordUnit(text.charCodeAt(end)) || text[end] === '.' || text[end] === ' ')) end += 1;
    const target = text.slice(start, end).trimEnd();
    const isAssigned = text[end] === '=' && text[end + 1] !== '=';
    if (isAssigned && (target.startsWith('in ') || isMember(target))) probe.report('assignment', at, end + 1);
  }
}

/** Names with dots between, and no sentence. */
const isMember = (target: string): boolean => !target.includes(' ') && /^[a-z_][a-z0-9_]{0,30}\.[a-z]/.test(target);
