import { isHexDigit } from './characters.ts';

const SIMPLE: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', v: '\v', f: '\f', b: '\b' };
const MAX_POINT_DIGITS = 6;

/** Escapes of JSON, JavaScript and CSS: `\u0027`, `\u{27}`, `\x27`, `\47`, `\27 ` and a backslash before a character. */
export function decodeEscapes(text: string): string {
  let decoded = '';
  let from = 0;
  for (let at = text.indexOf('\\'); at !== -1; at = text.indexOf('\\', at)) {
    if (at + 1 >= text.length) break;
    const [character, end] = readEscape(text, at + 1);
    decoded += text.slice(from, at) + character;
    from = end;
    at = end;
  }
  return from === 0 ? text : decoded + text.slice(from);
}

function readEscape(text: string, at: number): readonly [string, number] {
  const letter = text[at] ?? '';
  if (letter === 'x' || letter === 'X') return readHex(text, at + 1, 2) ?? [letter, at + 1];
  if (letter === 'u' || letter === 'U')
    return (text[at + 1] === '{' ? readBraced(text, at + 2) : readHex(text, at + 1, 4)) ?? [letter, at + 1];
  if (letter >= '0' && letter <= '7') return readOctal(text, at);
  return [SIMPLE[letter] ?? letter, at + 1];
}

function readHex(text: string, at: number, length: number): readonly [string, number] | undefined {
  for (let i = at; i < at + length; i += 1) if (!isHexDigit(text.charCodeAt(i))) return undefined;
  return [String.fromCharCode(Number.parseInt(text.slice(at, at + length), 16)), at + length];
}

function readBraced(text: string, at: number): readonly [string, number] | undefined {
  let zeros = at;
  while (text[zeros] === '0') zeros += 1;
  let end = zeros;
  while (end - zeros < MAX_POINT_DIGITS && isHexDigit(text.charCodeAt(end))) end += 1;
  const point = Number.parseInt(text.slice(zeros, end) || '0', 16);
  return text[end] === '}' && end > at && point <= 0x10ffff ? [String.fromCodePoint(point), end + 1] : undefined;
}

function readOctal(text: string, at: number): readonly [string, number] {
  let value = 0;
  let end = at;
  while (end < at + 3 && (text[end] ?? '') >= '0' && (text[end] ?? '') <= '7') {
    const next = value * 8 + Number(text[end]);
    if (next > 255) break;
    value = next;
    end += 1;
  }
  return [String.fromCharCode(value), end];
}
