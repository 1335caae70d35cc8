import { isHexDigit } from './characters.ts';

/**
 * Percent-encoding as lenient servers read it: `%XX` as UTF-8 with overlong forms taken at their word (`%c0%ae` is a
 * dot), `%uXXXX`, and bytes that are no UTF-8 as Latin-1. What is not encoded stays.
 */
export function decodePercent(text: string): string {
  let decoded = '';
  let from = 0;
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', at)) {
    const length = isWideEscape(text, at) ? 6 : byteAt(text, at) === -1 ? 1 : 3;
    if (length > 1) decoded += text.slice(from, at);
    if (length === 6) decoded += String.fromCharCode(Number.parseInt(text.slice(at + 2, at + 6), 16));
    if (length !== 3) {
      if (length === 6) from = at + 6;
      at += length;
      continue;
    }
    const [point, taken] = readPoint(text, at);
    decoded += String.fromCodePoint(point);
    from = at + 3 * taken;
    at = from;
  }
  return from === 0 ? text : decoded + text.slice(from);
}

const isWideEscape = (text: string, at: number): boolean =>
  (text.charCodeAt(at + 1) | 0x20) === 0x75 && [2, 3, 4, 5].every((offset) => isHexDigit(text.charCodeAt(at + offset)));

/** The byte that is encoded at an offset, or -1. */
function byteAt(text: string, at: number): number {
  if (text.charCodeAt(at) !== 0x25 || !isHexDigit(text.charCodeAt(at + 1)) || !isHexDigit(text.charCodeAt(at + 2)))
    return -1;
  return Number.parseInt(text.slice(at + 1, at + 3), 16);
}

/** A code point and how many encoded bytes it takes. */
function readPoint(text: string, at: number): readonly [point: number, taken: number] {
  const lead = byteAt(text, at);
  const more = lead >= 0xf0 && lead < 0xf8 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  if (more === 0 || lead >= 0xf8) return [lead, 1];
  let point = lead & (0x3f >> more);
  for (let k = 1; k <= more; k += 1) {
    const byte = byteAt(text, at + 3 * k);
    if (byte < 0x80 || byte > 0xbf) return [lead, 1];
    point = (point << 6) | (byte & 0x3f);
  }
  return point > 0x10ffff ? [lead, 1] : [point, more + 1];
}
