import { isDigit, isHexDigit } from './characters.ts';

/** Names that attacks are spelt with, of the 2,231 of HTML. Letters have none. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', ' '],
  ['tab', '\t'],
  ['newline', '\n'],
  ['colon', ':'],
  ['semi', ';'],
  ['lpar', '('],
  ['rpar', ')'],
  ['lbrace', '{'],
  ['lcub', '{'],
  ['rbrace', '}'],
  ['rcub', '}'],
  ['lsqb', '['],
  ['lbrack', '['],
  ['rsqb', ']'],
  ['rbrack', ']'],
  ['equals', '='],
  ['sol', '/'],
  ['bsol', '\\'],
  ['grave', '`'],
  ['num', '#'],
  ['excl', '!'],
  ['dollar', '$'],
  ['percnt', '%'],
  ['period', '.'],
  ['comma', ','],
  ['plus', '+'],
  ['ast', '*'],
  ['vert', '|'],
  ['verbar', '|'],
  ['lowbar', '_'],
  ['commat', '@'],
]);
const MAX_NAME = 8;
const MAX_DIGITS = 8;

/** HTML character references, decimal, hexadecimal and named, with or without their semicolon, as browsers take them. */
export function decodeEntities(text: string): string {
  let decoded = '';
  let from = 0;
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) {
    const [character, end] = text[at + 1] === '#' ? readNumber(text, at + 2) : readName(text, at + 1);
    if (character === undefined) continue;
    decoded += text.slice(from, at) + character;
    from = text[end] === ';' ? end + 1 : end;
    at = from - 1;
  }
  return from === 0 ? text : decoded + text.slice(from);
}

/** Leading zeros count for nothing, however many there are. */
function readNumber(text: string, start: number): readonly [string | undefined, number] {
  const isHex = (text.charCodeAt(start) | 0x20) === 0x78;
  const first = isHex ? start + 1 : start;
  let zeros = first;
  while (text[zeros] === '0') zeros += 1;
  let end = zeros;
  const isPart = isHex ? isHexDigit : isDigit;
  while (end - zeros < MAX_DIGITS && isPart(text.charCodeAt(end))) end += 1;
  if (end === first) return [undefined, end];
  const point = Number.parseInt(text.slice(zeros, end) || '0', isHex ? 16 : 10);
  return [point > 0x10ffff ? undefined : String.fromCodePoint(point), end];
}

function readName(text: string, start: number): readonly [string | undefined, number] {
  let end = start;
  while (end - start < MAX_NAME && (text.charCodeAt(end) | 0x20) >= 0x61 && (text.charCodeAt(end) | 0x20) <= 0x7a)
    end += 1;
  return [NAMED.get(text.slice(start, end).toLowerCase()), end];
}
