import type { Detector, Probe, Rules } from '../threat.ts';
import { TRAIT } from '../traits.ts';
import { findBreakout, findEvents } from './attributes.ts';
import { isCodeBehind, isSpelledWide, schemeAt } from './schemes.ts';
import { findAssignment, findScript, findSigns, namesPage } from './script.ts';
import { findTags } from './tags.ts';

const RULES = {
  'active-element': { score: 5, from: 1 },
  'event-handler': { score: 5, from: 1 },
  'active-attribute': { score: 5, from: 1 },
  'active-style': { score: 4, from: 1 },
  'script-address': { score: 5, from: 1 },
  'script-call': { score: 4, from: 1 },
  'page-member': { score: 4, from: 1 },
  'markup-declaration': { score: 4, from: 1 },
  namespace: { score: 3, from: 1 },
  'odd-attribute': { score: 3, from: 1 },
  signs: { score: 4, from: 1 },
  'unfinished-tag': { score: 3, from: 2 },
  assignment: { score: 4, from: 1 },
  'comment-end': { score: 3, from: 1 },
  encoded: { score: 4, from: 1 },
} as const satisfies Rules;

const CALLING = TRAIT.paren | TRAIT.bracket | TRAIT.backtick;
const CODE = TRAIT.paren | TRAIT.dot | TRAIT.bracket | TRAIT.backtick | TRAIT.brace;

/** HTML and script that a page would run if the value came to stand in it: as text, in an attribute, in code, in an address. */
export const crossSiteScripting: Detector = {
  kind: 'crossSiteScripting',
  rules: RULES,
  needs: TRAIT.less | TRAIT.equals | TRAIT.colon | CODE | TRAIT.plus | TRAIT.greater | TRAIT.other,
  find(probe: Probe): undefined {
    const { traits, text } = probe;
    if (text === '-->') probe.report('comment-end', 0, 3);
    if (text.includes('!entity')) probe.report('markup-declaration', text.indexOf('!entity'), text.length);
    if ((traits & TRAIT.less) !== 0) findTags(probe);
    if ((traits & TRAIT.equals) !== 0) findEvents(probe);
    if ((traits & TRAIT.equals) !== 0) findBreakout(probe);
    if ((traits & TRAIT.equals) !== 0 && (traits & TRAIT.quote) !== 0) findAssignment(probe);
    if ((traits & TRAIT.colon) !== 0) findAddresses(probe);
    if ((traits & CALLING) !== 0 || ((traits & TRAIT.dot) !== 0 && namesPage(text))) findScript(probe);
    if ((traits & TRAIT.bracket) !== 0) findSigns(probe);
    if ((traits & TRAIT.plus) !== 0 && text.includes('+adw-'))
      probe.report('encoded', text.indexOf('+adw-'), text.length);
  },
};

/** Addresses that are code: the first letter is looked for, browsers drop blanks between the others. */
function findAddresses(probe: Probe): void {
  const { text } = probe;
  for (let colon = text.indexOf(':'); colon !== -1; colon = text.indexOf(':', colon + 1)) {
    const start = beginning(text, colon);
    probe.steps += colon - start;
    const end = schemeAt(text, start);
    if (end === undefined) continue;
    if (isRunning(text, start, end)) probe.report('script-address', start, end + 32);
  }
}

function isRunning(text: string, start: number, end: number): boolean {
  if (text.startsWith('data:', start))
    return text.slice(end, end + 64).includes('<') || text.startsWith('text/html', end);
  return isCodeBehind(text, end) || isSpelledWide(text, start, end);
}

/** Back over the letters and blanks before a colon, as far as the longest scheme can be spread. */
function beginning(text: string, colon: number): number {
  let at = colon;
  let letters = 0;
  while (at > 0 && colon - at < 64 && letters < 10) {
    const unit = text.charCodeAt(at - 1);
    if (unit > 0x20 && (unit < 0x61 || unit > 0x7a)) break;
    if (unit > 0x20) letters += 1;
    at -= 1;
  }
  return at;
}
