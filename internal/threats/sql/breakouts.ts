/**
 * The offsets of the quotes at which the text of a query around a value may end: the first one; the first that is not
 * doubled; the first that is neither doubled nor behind a backslash, which only some databases mind.
 */
export function breakoutsOf(text: string, quote: string): readonly number[] {
  const first = text.indexOf(quote);
  if (first === -1) return [];
  const offsets = new Set([first, undoubled(text, quote, false), undoubled(text, quote, true)]);
  offsets.delete(-1);
  return [...offsets];
}

function undoubled(text: string, quote: string, mindsBackslash: boolean): number {
  let at = 0;
  while (at < text.length) {
    if (mindsBackslash && text[at] === '\\') at += 2;
    else if (text[at] !== quote) at += 1;
    else if (text[at + 1] === quote) at += 2;
    else return at;
  }
  return -1;
}
