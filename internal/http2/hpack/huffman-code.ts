/** Symbols: the bytes, and one that ends a text and must never be in it (EOS). */
export const EOS = 256;
const SHORTEST = 5;

/**
 * The length of each symbol's code in bits, `A` for 5 (RFC 7541, appendix B). The codes follow from the lengths: counted
 * up from zero, the short ones first, those of a length in the order of their symbols.
 */
const LENGTHS =
  'ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHFIBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBKABABABBBACCBBBABCBAABCCCCCKGJI' +
  'XPRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRSVVPORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVSVWVVWWWWWXWWWWWV' +
  'Z';

export const LENGTH_OF: Uint8Array = Uint8Array.from(LENGTHS, (letter) => letter.charCodeAt(0) - 65 + SHORTEST);
export const CODE_OF: Uint32Array = countedUp();

function countedUp(): Uint32Array {
  const codes = new Uint32Array(LENGTH_OF.length);
  const symbols = Array.from(LENGTH_OF.keys()).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  let code = 0;
  let length = SHORTEST;
  for (const symbol of symbols) {
    code *= 2 ** (lengthOf(symbol) - length);
    length = lengthOf(symbol);
    codes[symbol] = code;
    code += 1;
  }
  return codes;
}

export function lengthOf(symbol: number): number {
  return LENGTH_OF[symbol] ?? 0;
}
