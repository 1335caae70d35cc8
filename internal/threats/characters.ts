/** Letters, digits, `_` and everything beyond ASCII: what names are made of. */
export function isWordUnit(unit: number): boolean {
  if (unit >= 0x80) return unit !== 0xa0 && unit !== 0x3000;
  return (
    (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f || (unit >= 0x41 && unit <= 0x5a)
  );
}

export const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39;

export const isHexDigit = (unit: number): boolean => isDigit(unit) || ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x66);

export const isLetter = (unit: number): boolean => (unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a;

/** What parsers skip between words: ASCII blanks, controls among them, and the spaces that databases take for blanks. */
export const isBlank = (unit: number): boolean => unit <= 0x20 || unit === 0xa0 || unit === 0x3000;

/** The offset of the first character at or after `from` that is no blank. */
export function skipBlanks(text: string, from: number): number {
  let i = from;
  while (i < text.length && isBlank(text.charCodeAt(i))) i += 1;
  return i;
}

/** The offset behind a word that begins at `from`; `from` where none does. */
export function wordEnd(text: string, from: number): number {
  let i = from;
  while (i < text.length && isWordUnit(text.charCodeAt(i))) i += 1;
  return i;
}

/** Every offset at which `part` stands. */
export function* offsetsOf(text: string, part: string): Generator<number> {
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) yield at;
}
