import { isBlank, isWordUnit, offsetsOf } from './characters.ts';
import type { Detector, Probe, Rules } from './threat.ts';
import { TRAIT } from './traits.ts';

const RULES = {
  'chained-command': { score: 5, from: 1 },
  substitution: { score: 5, from: 1 },
  'shell-path': { score: 5, from: 1 },
  redirection: { score: 3, from: 2 },
  'lone-command': { score: 3, from: 3 },
} as const satisfies Rules;

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

/** Programs that an attack starts with. Those that are also words of sentences need an argument of a command. */
const PROGRAMS = set(
  'cat ls id whoami uname wget curl nc ncat netcat bash sh zsh ksh dash csh tcsh python python3 perl ruby php node lua gcc ' +
    'chmod chown rm cp mv dd ping ping6 nslookup dig host telnet ssh scp ftp tftp ifconfig ipconfig ip netstat ps kill pwd ' +
    'env printenv set echo printf touch tee xargs awk sed grep find head tail more less tac nl od xxd base64 sleep tar zip ' +
    'unzip cmd powershell pwsh certutil bitsadmin rundll32 regsvr32 mshta wmic net tasklist systeminfo dir type copy del ' +
    'sudo su crontab at passwd useradd mkfifo socat busybox eval exec source export history hostname w who last df mount',
);
const SENTENCE_WORDS = set(
  'cat id host find head tail more less set echo type copy sleep kill touch net node last who w at export source exec history ' +
    'env mount su ip zip dash host ping dig ruby perl python php lua more eval find w less sh type source tee del dir rm',
);
const LONGEST_ROW = 4096;
const LONGEST_COMMAND = 512;
const MAX_BLANKS = 64;
const SEPARATORS: ReadonlySet<number> = new Set([0x0a, 0x26, 0x3b, 0x60, 0x7c]);
const DOLLAR = 0x24;
const STARTING = TRAIT.semicolon | TRAIT.pipe | TRAIT.ampersand | TRAIT.dollar | TRAIT.backtick | TRAIT.control;
/** What every path or name of a shell has one of. */
const PARTS = ['/bin/', '/dev/', 'cmd', 'powershell'] as const;

/** Shell commands behind a separator, in a substitution, or by their path; quotes and backslashes inside words are dropped. */
export const commandInjection: Detector = {
  kind: 'commandInjection',
  rules: RULES,
  needs: STARTING | TRAIT.slash | TRAIT.dot | TRAIT.letter,
  find(probe: Probe): undefined {
    const { text } = probe;
    if ((probe.traits & STARTING) !== 0) {
      for (let at = 0; at < text.length; at += 1) {
        const unit = text.charCodeAt(at);
        if (SEPARATORS.has(unit)) lookBehindSeparator(probe, at);
        else if (unit === DOLLAR) lookAtDollar(probe, at);
      }
    }
    probe.steps += text.length;
    findAlone(probe);
    if (PARTS.some((part) => text.includes(part))) findPaths(probe);
  },
};

function lookBehindSeparator(probe: Probe, at: number): void {
  const { text } = probe;
  if (at > 0 && text[at - 1] === text[at] && text[at] !== '`') return;
  let from = at + 1;
  if (text[from] === text[at]) from += 1;
  const command = readCommand(text, from);
  if (command === undefined) return;
  const [name, end] = command;
  if (text[at] === '`') {
    if (isSubstituted(text, at, end, name)) probe.report('substitution', at, end + 1);
    return;
  }
  if (PROGRAMS.has(name) && isCommand(text, at, name, end, probe.place === 'body' && probe.depth === 0))
    probe.report('chained-command', at, end + 16);
}

/** Line ends are blanks and separators both, so that not all of them are looked through behind each. */
function skipFew(text: string, from: number): number {
  let at = from;
  while (at < from + MAX_BLANKS && isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

/** A command's name with what a shell drops: quotes, backslashes, `$@`, `${IFS}` before it. */
function readCommand(text: string, from: number): readonly [name: string, end: number] | undefined {
  let at = skipFew(text, from);
  let name = '';
  const limit = at + 64;
  while (at < text.length && at < limit) {
    const unit = text.charCodeAt(at);
    if (isWordUnit(unit) && unit < 0x80) name += text[at];
    else if (text[at] === '/' || text[at] === '.') name = '';
    else if (text[at] === '$' && text[at + 1] === '@') at += 1;
    else if (text[at] !== "'" && text[at] !== '"' && text[at] !== '\\' && text[at] !== '^') break;
    at += 1;
  }
  return name === '' ? undefined : [name, at];
}

/** Rows of Markdown's tables begin with a bar. */
const isTable = (text: string, at: number): boolean => text.trimStart().startsWith('|') && at < LONGEST_ROW;

/** What follows a program's name in a command, and would not follow the word in a sentence, a list or a program's code. */
function isCommand(text: string, at: number, name: string, end: number, isText: boolean): boolean {
  const next = text[end];
  // A cell of a table has a blank before its bar, and words or a bar behind.
  if (text[at] === '|' && text[at - 1] === ' ' && isTable(text, at)) return false;
  const isLast =
    next === undefined ||
    next === ';' ||
    next === '|' ||
    next === '#' ||
    (next === '&' && text[at] !== '&') ||
    next === '`';
  if (text[at] === '&' && (next === '=' || text[at + 1] !== '&') && text[at + 1] !== ' ') return false;
  // A list of programs stands in a text of several lines; elsewhere a line end is no accident.
  if (text[at] === '\n' && isLast && !isText) return !SENTENCE_WORDS.has(name);
  if (text[at] === '\n') return isArgument(text, end) && !SENTENCE_WORDS.has(name) && at < 64;
  if (isLast) return !SENTENCE_WORDS.has(name) || name === 'id' || (name === 'dir' && text[at] === '|');
  if (next === '$' || next === '<' || next === '>' || next === '{') return true;
  return next === ' ' || next === '\t' ? isArgument(text, end) : false;
}

/** An option, a path, an address, a variable: no word. */
function isArgument(text: string, end: number): boolean {
  const at = skipFew(text, end);
  const next = text[at] ?? '';
  if (next === '-') return isWordUnit(text.charCodeAt(at + 1)) || text[at + 1] === '-';
  if ('/~$*<>|'.includes(next) && next !== '') return text[at + 1] !== ' ' || next === '>' || next === '|';
  const word = text.slice(at, at + 128).split(/[ \n]/, 1)[0] ?? '';
  return word.includes('://') || word.includes('/etc/') || /^\d{1,3}(?:\.\d{1,3}){3}/.test(word);
}

const isSubstituted = (text: string, at: number, end: number, name: string): boolean =>
  PROGRAMS.has(name) &&
  !SENTENCE_WORDS.has(name) &&
  text.slice(end, end + LONGEST_COMMAND).includes('`') &&
  isAttached(text, at);

/** Markdown's code stands between blanks; a substitution is the whole of a value or hangs on a word. */
const isAttached = (text: string, at: number): boolean =>
  at === 0 || (text[at - 1] !== ' ' && text[at - 1] !== '\n' && text[at - 1] !== '(');

/** `$(id)`, `${IFS}`, `$IFS`. */
function lookAtDollar(probe: Probe, at: number): void {
  const { text } = probe;
  if (text.startsWith('{ifs', at + 1) || text.startsWith('ifs', at + 1)) {
    probe.report('substitution', at, at + 8);
    return;
  }
  if (text[at + 1] !== '(') return;
  const command = readCommand(text, at + 2);
  if (
    command !== undefined &&
    PROGRAMS.has(command[0]) &&
    text.slice(command[1], command[1] + LONGEST_COMMAND).includes(')')
  )
    probe.report('substitution', at, command[1] + 1);
}

const SHELLS = [
  '/bin/sh',
  '/bin/bash',
  '/bin/zsh',
  '/bin/cat',
  '/bin/nc',
  '/usr/bin/id',
  '/bin/id',
  '/bin/ls',
  '/dev/tcp/',
  '/dev/udp/',
  'cmd.exe',
  'powershell.exe',
  'cmd /c',
  'powershell -',
];

/** A shell by its path, with something to run, or behind a separator; in prose and in a script's first line it is neither. */
function findPaths(probe: Probe): void {
  const { text } = probe;
  for (const shell of SHELLS) {
    for (const at of offsetsOf(text, shell)) {
      const before = text[at - 1];
      const isStarted = at === 0 || (before !== undefined && ';|&`(='.includes(before));
      const isRun = text.startsWith(' -', at + shell.length) || text.startsWith(' /', at + shell.length);
      if (isStarted || (isRun && before !== '!') || shell.startsWith('/dev/'))
        probe.report('shell-path', at, at + shell.length + 8);
    }
  }
  probe.steps += SHELLS.length * text.length;
}

/** A value that is a command by itself, and one that redirects into a path. */
function findAlone(probe: Probe): void {
  const { text } = probe;
  const [name, end] = readCommand(text, 0) ?? ['', 0];
  if (PROGRAMS.has(name) && (end === text.length || isArgument(text, end))) probe.report('lone-command', 0, end + 16);
  for (const sign of ['> /', '>/', '>>', '2>&1']) {
    const at = text.indexOf(sign);
    if (at !== -1 && text[at - 1] !== '<') probe.report('redirection', at, at + 16);
  }
}
