import { isBlank, isWordUnit } from './characters.ts';

/** Longest piece that detectors are given at once, in UTF-16 units: what one stretch of work is in proportion to. */
export const PIECE_LENGTH = 4096;
/** Pieces overlap, so that what is shorter than this is whole in one of them. */
const OVERLAP = 1024;
const LONGEST_WORD = 64;

/**
 * A value in pieces that overlap; before them, where it is short enough, the whole of it without its padding: runs of
 * blanks, the insides of comments and all but the beginning of long words, by which an attack could be spread over
 * more than a piece.
 */
export function* piecesOf(value: string): Generator<string> {
  if (value.length <= PIECE_LENGTH) {
    yield value;
    return;
  }
  const squeezed = squeeze(value);
  if (squeezed.length <= PIECE_LENGTH) yield squeezed;
  for (let at = 0; at + OVERLAP < value.length; at += PIECE_LENGTH - OVERLAP) yield value.slice(at, at + PIECE_LENGTH);
}

/** Takes time in proportion to the length; stops when the result is too long to be of use. */
export function squeeze(value: string): string {
  let squeezed = '';
  let at = 0;
  while (at < value.length && squeezed.length <= PIECE_LENGTH) {
    const start = at;
    const unit = value.charCodeAt(at);
    if (isBlank(unit)) {
      while (at < value.length && isBlank(value.charCodeAt(at))) at += 1;
      squeezed += ' ';
    } else if (isWordUnit(unit)) {
      while (at < value.length && isWordUnit(value.charCodeAt(at))) at += 1;
      squeezed += value.slice(start, Math.min(at, start + LONGEST_WORD));
    } else if (value.startsWith('/*', at) && value[at + 2] !== '!') {
      const close = value.indexOf('*/', at + 2);
      at = close === -1 ? at + 2 : close + 2;
      squeezed += close === -1 ? '/*' : ' ';
      // Without an end once, without an end for the rest of it.
      if (close === -1) return squeezed + value.slice(at, at + PIECE_LENGTH);
    } else {
      squeezed += value[at];
      at += 1;
    }
  }
  return squeezed;
}
