import { NARROWS } from './decode-width.ts';

/**
 * What kinds of characters a text holds, found in one pass: a detector without its characters need not look. Most
 * ordinary values have none that matter.
 */
export const TRAIT = {
  quote: 1 << 0,
  less: 1 << 1,
  ampersand: 1 << 2,
  percent: 1 << 3,
  backslash: 1 << 4,
  dollar: 1 << 5,
  brace: 1 << 6,
  paren: 1 << 7,
  slash: 1 << 8,
  dot: 1 << 9,
  colon: 1 << 10,
  semicolon: 1 << 11,
  pipe: 1 << 12,
  backtick: 1 << 13,
  equals: 1 << 14,
  bracket: 1 << 15,
  control: 1 << 16,
  wide: 1 << 17,
  digit: 1 << 18,
  letter: 1 << 19,
  underscore: 1 << 20,
  hash: 1 << 21,
  plus: 1 << 22,
  /** `>!*~^@?` */
  other: 1 << 23,
  greater: 1 << 24,
} as const;

const BITS = new Int32Array(128);
const rows: readonly (readonly [string, number])[] = [
  ['\'"', TRAIT.quote],
  ['<', TRAIT.less],
  ['&', TRAIT.ampersand],
  ['%', TRAIT.percent],
  ['\\', TRAIT.backslash],
  ['$', TRAIT.dollar],
  ['{}', TRAIT.brace],
  ['()', TRAIT.paren],
  ['/', TRAIT.slash],
  ['.', TRAIT.dot],
  [':', TRAIT.colon],
  [';', TRAIT.semicolon],
  ['|', TRAIT.pipe],
  ['`', TRAIT.backtick],
  ['=', TRAIT.equals],
  ['[]', TRAIT.bracket],
  ['0123456789', TRAIT.digit],
  ['abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', TRAIT.letter],
  ['_', TRAIT.underscore],
  ['#', TRAIT.hash],
  ['+', TRAIT.plus],
  ['!*~^@?', TRAIT.other],
  ['>', TRAIT.greater],
];
for (const [characters, bit] of rows) for (const character of characters) BITS[character.charCodeAt(0)] = bit;
for (let unit = 0; unit < 0x20; unit += 1) BITS[unit] = TRAIT.control;
BITS[0x7f] = TRAIT.control;

/** The bits of all characters of a text. */
export function traitsOf(text: string): number {
  let traits = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    traits |= unit < 128 ? (BITS[unit] ?? 0) : NARROWS[unit] === 1 ? TRAIT.wide : 0;
  }
  return traits;
}
