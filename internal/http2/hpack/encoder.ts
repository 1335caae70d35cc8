import { encodeHuffman } from './huffman.ts';
import { STATIC_FIELDS } from './static-table.ts';

/**
 * A header block that nobody has to remember anything for: whole fields of the static table by their index, all others as
 * literals without indexing. So a block that is made once is right on every connection, whatever its peer's table.
 */
export function encodeBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => encodeField(name, value)));
}

function encodeField(name: string, value: string): Buffer {
  const whole = STATIC_FIELDS.findIndex(([known, its]) => known === name && its === value);
  if (whole !== -1) return integer(whole + 1, 7, 0x80);
  const named = STATIC_FIELDS.findIndex(([known]) => known === name);
  const head = named === -1 ? Buffer.concat([integer(0, 4, 0), text(name)]) : integer(named + 1, 4, 0);
  return Buffer.concat([head, text(value)]);
}

/** In whichever form is shorter. */
function text(value: string): Buffer {
  const plain = Buffer.from(value, 'latin1');
  const coded = encodeHuffman(plain);
  if (coded.length < plain.length) return Buffer.concat([integer(coded.length, 7, 0x80), coded]);
  return Buffer.concat([integer(plain.length, 7, 0), plain]);
}

/** RFC 7541 §5.1, with the bits before the prefix. */
function integer(value: number, prefixBits: number, pattern: number): Buffer {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) return Buffer.of(pattern | value);
  const bytes = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
