import { isWordUnit } from '../characters.ts';

const SCHEMES = ['javascript', 'vbscript', 'livescript', 'mocha'] as const;
const LONGEST_GAP = 16;

/**
 * Where behind the colon of a scheme that runs code an address goes on, if one begins at `from`; browsers drop blanks
 * and control characters inside its name.
 */
export function schemeAt(text: string, from: number): number | undefined {
  let at = from;
  while (at < text.length && at < from + 64 && text.charCodeAt(at) <= 0x20) at += 1;
  for (const scheme of SCHEMES) {
    const end = spelt(text, at, scheme);
    if (end !== undefined) return end;
  }
  if (text.startsWith('data:', at)) {
    const comma = text.slice(at, at + 128);
    const isPage = /^data:[ ]?(?:text\/html|text\/xml|application\/xhtml|image\/svg|,|text\/javascript)/.test(comma);
    return isPage ? at + 5 : undefined;
  }
  return undefined;
}

function spelt(text: string, from: number, scheme: string): number | undefined {
  let at = from;
  for (const letter of `${scheme}:`) {
    let gap = 0;
    while (gap < LONGEST_GAP && text.charCodeAt(at) <= 0x20) {
      at += 1;
      gap += 1;
    }
    if (text[at] !== letter) return undefined;
    at += 1;
  }
  return at;
}

/** Whether a scheme between two offsets is spelt with blanks, or anything else that browsers drop, inside. */
export const isSpelledWide = (text: string, start: number, end: number): boolean => {
  const spelling = text.slice(start, end).trim();
  return SCHEMES.every((scheme) => spelling !== `${scheme}:`);
};

/** Whether what follows `javascript:` is code and not the title of a book: "JavaScript: The Good Parts". */
export function isCodeBehind(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && at < from + 64 && text.charCodeAt(at) <= 0x20) at += 1;
  if (at >= text.length) return at === from;
  if (!isWordUnit(text.charCodeAt(at))) return true;
  while (at < from + 128 && isWordUnit(text.charCodeAt(at))) at += 1;
  return '(.=[`'.includes(text[at] ?? ' ') && isWordUnit(text.charCodeAt(at + 1)) === (text[at] !== '(')
    ? true
    : '(=[`'.includes(text[at] ?? ' ');
}
