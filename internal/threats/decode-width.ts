/** Quotes that databases of some code pages, and people's keyboards, take for the plain one. */
const QUOTES = /[\u2018\u2019\u201a\u201b\u2032\u02b9\u02bb\u02bc\u02c8\u00b4\u2035]/g;
const DOUBLE_QUOTES = /[\u201c\u201d\u201e\u201f\u2033\u02ba]/g;
/** Characters that show nothing and that some layers drop: soft hyphen, zero width, direction marks, the BOM. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u{e0000}-\u{e007f}]/gu;

/** Marks take quadratic time to put in order, and two ligatures become 18 letters; neither ever becomes ASCII. */
const COSTLY = /[\p{M}\ufdfa\ufdfb]/gu;

/** Full width, compatibility and look-alike forms as the ASCII that they become (NFKC), without what nobody sees. */
export const narrow = (text: string): string =>
  text.replace(INVISIBLE, '').replace(COSTLY, '').replace(QUOTES, "'").replace(DOUBLE_QUOTES, '"').normalize('NFKC');

/** US-ASCII as clients read it that ignore the eighth bit: `\u00bcscript\u00be` is a tag. Only where both stand. */
export function dropEighthBit(text: string): string {
  if (!text.includes('\u00bc') || !text.includes('\u00be')) return text;
  return text.replace(/[\u0080-\u00ff]/g, (character) => String.fromCharCode(character.charCodeAt(0) & 0x7f));
}

/**
 * For each UTF-16 unit whether `narrow` may make ASCII of it or drop it: most of the world's letters stay as they are,
 * and texts of them alone have no second reading.
 */
export const NARROWS: Uint8Array = narrowing();

function narrowing(): Uint8Array {
  const narrows = new Uint8Array(0x1_0000);
  for (let unit = 0x80; unit < 0x1_0000; unit += 1) {
    const character = String.fromCharCode(unit);
    const isHalf = unit >= 0xd800 && unit <= 0xdfff;
    // Of the planes beyond the first, letters of mathematics, of squares and tags become ASCII.
    const isLead = unit === 0xd835 || unit === 0xd83c || unit === 0xdb40;
    if (isHalf) narrows[unit] = isLead ? 1 : 0;
    else if (hasAscii(narrow(character)) || narrow(character) === '') narrows[unit] = 1;
    if (/\p{M}/u.test(character)) narrows[unit] = 0;
  }
  return narrows;
}

function hasAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) < 0x80) return true;
  return false;
}
