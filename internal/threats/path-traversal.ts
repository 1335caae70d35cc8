import { offsetsOf } from './characters.ts';
import type { Detector, Probe, Rules } from './threat.ts';
import { TRAIT } from './traits.ts';

const RULES = {
  'parent-steps': { score: 5, from: 1 },
  'encoded-parent-step': { score: 5, from: 1 },
  'parent-step': { score: 3, from: 2 },
  'system-file': { score: 5, from: 1 },
  'file-address': { score: 4, from: 1 },
  'hidden-file': { score: 3, from: 2 },
} as const satisfies Rules;

/** What attacks want of a server's disk, in the spelling of paths. */
const SYSTEM_FILES = [
  '/etc/passwd',
  '/etc/shadow',
  '/etc/hosts',
  '/etc/group',
  '/etc/crontab',
  '/etc/sudoers',
  '/proc/self/',
  '/proc/version',
  '/proc/1/',
  '/root/.',
  '/.ssh/',
  '/.aws/credentials',
  '/.kube/config',
  '/var/run/secrets/',
  '/windows/win.ini',
  '/windows/system32/',
  '/winnt/',
  '/boot.ini',
  '/web-inf/web.xml',
] as const;
/** Linear: behind a slash only a dot or a slash goes on, and neither can be the other. */
const SLASHES = /\/(?:\.?\/)+/g;
const HIDDEN = ['/.env', '/.git/', '/.htaccess', '/.htpasswd', '/.svn/'] as const;

/** Steps out of a folder, and the files that are at their end. Backslashes, doubled and odd separators count as slashes. */
export const pathTraversal: Detector = {
  kind: 'pathTraversal',
  rules: RULES,
  needs: TRAIT.slash | TRAIT.backslash | TRAIT.colon,
  find(probe: Probe): undefined {
    const text = probe.text.replaceAll('\\', '/');
    probe.steps += text.length;
    findSteps(probe, text);
    // As a disk reads it: `//` and `/./` are one slash.
    const path = text.replace(SLASHES, '/');
    const blanks = { first: path.indexOf(' '), last: path.lastIndexOf(' ') };
    for (const file of SYSTEM_FILES.filter((name) => path.includes(name)))
      for (const at of offsetsOf(path, file))
        if (isWhole(path, at, blanks)) probe.report('system-file', at, at + file.length);
    probe.steps += SYSTEM_FILES.length * text.length;
    for (const file of HIDDEN)
      if (text.endsWith(file)) probe.report('hidden-file', text.length - file.length, text.length);
    const address = text.indexOf('file://');
    if (address === 0 || (address > 0 && isOpener(text, address))) probe.report('file-address', address, address + 32);
  },
};

/** A path by itself, or behind what a path begins behind: a sentence that names a file has a blank before it. */
function isWhole(text: string, at: number, blanks: { readonly first: number; readonly last: number }): boolean {
  return blanks.first === -1 || blanks.first > at || blanks.last < at || text.startsWith('../', at - 2);
}

const isOpener = (text: string, at: number): boolean => '=(\'"<:'.includes(text[at - 1] ?? ' ');

/** `../`, `..;/`, `..//`: how many follow each other, and whether the value is a path from its beginning. */
function findSteps(probe: Probe, text: string): void {
  const isPath = !text.includes(' ') && !text.includes('\n');
  let run = 0;
  let runStart = 0;
  let previousEnd = -1;
  for (let at = text.indexOf('..'); at !== -1; at = text.indexOf('..', at + 2)) {
    const end = stepEnd(text, at);
    if (end === -1 || text[at - 1] === '.') continue;
    if (at !== previousEnd) {
      run = 0;
      runStart = at;
    }
    run += 1;
    previousEnd = end;
    probe.report('parent-step', at, end);
    // An honest sender does not encode the dots and slashes of a path.
    if (probe.depth > 0 && isPath) probe.report('encoded-parent-step', at, end);
    if (run >= 2 && isPath && isUnfinished(text, runStart)) probe.report('parent-steps', runStart, end);
    if (run >= 3 && isPath && text[runStart - 1] !== '(') probe.report('parent-steps', runStart, end);
  }
}

/** Behind the slashes of a step, or -1. */
function stepEnd(text: string, at: number): number {
  let end = at + 2;
  if (text[end] === ';') end += 1;
  while (text.charCodeAt(end) === 0) end += 1;
  if (text[end] !== '/') return text.length === end && (at === 0 || text[at - 1] === '/') ? end : -1;
  while (text[end] === '/') end += 1;
  return end;
}

/** Steps at a value's beginning or right behind a folder: not those of a quoted import. */
const isUnfinished = (text: string, at: number): boolean => at === 0 || text[at - 1] === '/' || text[at - 1] === '=';
