import { isWordUnit } from './characters.ts';
import type { Detector, Probe, Rules } from './threat.ts';
import { TRAIT } from './traits.ts';

const RULES = {
  'filter-break': { score: 5, from: 1 },
  filter: { score: 4, from: 1 },
  'wildcard-filter': { score: 2, from: 3 },
} as const satisfies Rules;

/** Filters of LDAP (RFC 4515) that a value ends, or brings with it: `*)(uid=*`, `(|(cn=a)(…`. */
export const ldapInjection: Detector = {
  kind: 'ldapInjection',
  rules: RULES,
  needs: TRAIT.paren,
  find(probe: Probe): undefined {
    if ((probe.traits & TRAIT.equals) === 0) return;
    const { text } = probe;
    const firstOpen = text.indexOf('(');
    for (let at = 0; at < text.length; at += 1) {
      const character = text[at];
      if (character === ')') lookBehindClose(probe, at, firstOpen);
      else if (character === '(') lookAtOpen(probe, at);
    }
    probe.steps += text.length;
    if (text.endsWith('=*')) probe.report('wildcard-filter', 0, text.length);
  },
};

/** `)(a=`, `)(&(`, `)(|(`, and `*)` where nothing was opened before. */
function lookBehindClose(probe: Probe, at: number, firstOpen: number): void {
  const { text } = probe;
  if (firstOpen !== -1 && firstOpen < at && !text.startsWith('(', at + 1)) return;
  let next = at + 1;
  while (text[next] === ')' && next < at + 8) next += 1;
  if (text[next] === '(' && isFilter(text, next) && (firstOpen === next || text[at - 1] === '*'))
    probe.report('filter-break', at, next + 16);
}

function lookAtOpen(probe: Probe, at: number): void {
  const { text } = probe;
  const operator = text[at + 1] ?? '';
  if ((operator === '&' || operator === '|' || operator === '!') && text[at + 2] === '(' && isFilter(text, at + 2))
    probe.report('filter', at, at + 24);
}

/** `(name=`, `(name~=`, `(&(`, `(|(`, `(!(`. */
function isFilter(text: string, open: number): boolean {
  let at = open + 1;
  if ('&|!'.includes(text[at] ?? ' ')) return text[at + 1] === '(' || text[at] !== '!';
  const start = at;
  while (at < start + 64 && (isWordUnit(text.charCodeAt(at)) || text[at] === '-' || text[at] === ':')) at += 1;
  if (at === start) return false;
  if ('~<>'.includes(text[at] ?? ' ')) at += 1;
  return text[at] === '=' && text[at + 1] !== '=' && text[at + 1] !== '>' && text[at + 1] !== ' ';
}
