import type { PathReadings } from './request.ts';

/** A path that has one meaning, or the first reason why it has not. */
export type CanonicalPath =
  | { readonly ok: true; readonly path: string; readonly readings: PathReadings }
  | { readonly ok: false; readonly detail: string };

export const MAX_PATH_LENGTH = 8192;
export const MAX_SEGMENTS = 256;

const no = (detail: string): CanonicalPath => Object.freeze({ ok: false, detail });
const EMPTY = no('The path is empty');
const RELATIVE = no('The path does not begin with "/"');
const TOO_LONG = no(`The path is longer than ${MAX_PATH_LENGTH} characters or ${MAX_SEGMENTS} segments`);
const SLASHES = no('The path has an empty segment; Envoy\'s "merge_slashes" would have cleaned it up');
const DOTS = no('The path has a "." or ".." segment; Envoy\'s "normalize_path" would have cleaned it up');
const BACKSLASH = no(
  'The path has a backslash, bare or encoded; "path_with_escaped_slashes_action" of Envoy refuses it earlier',
);
const CONTROL = no('The path has a control character, a space or a byte outside ASCII');
const FRAGMENT = no('The path has a "#"');
const ESCAPE = no('The path has a "%" that begins no percent-encoding');
const UTF8 = no('The path has percent-encoded bytes that are not UTF-8');
const DOUBLE = no('The path is percent-encoded twice');
const LOOKALIKE = no('The path has a character that compatibility normalisation turns into a delimiter');
export const ENCODED_SLASH =
  'The path has an encoded slash; Envoy\'s "path_with_escaped_slashes_action" would have decoded it, or "pathOptions.encodedSlash: Keep" takes it as data';
export const SEMICOLON = 'The path has a ";"; "pathOptions.semicolon: Keep" takes it as data';

/** Letters, digits and the marks that need no care: a path of these and single slashes is its own canonical form. */
const PLAIN = /^(?:\/[A-Za-z0-9_~!$&'()*+,:@=-][A-Za-z0-9._~!$&'()*+,:@=-]*)+\/?$/;
const FORBIDDEN = /[^\x21-\x7e]/;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
/** What is left after decoding of a letter, a delimiter or any byte beyond ASCII: overlong dots and look-alikes hide there. */
const DOUBLE_ESCAPE = /%(?:[0189a-f][0-9a-f]|2[5def]|3[0-9b]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9aef])/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const DECODED_CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const UNICODE_DELIMITER = /[/\\.;%]/;

/**
 * The one meaning of a request path (without query): percent-decoded once, segment by segment; whatever an upstream
 * could read in another way is refused, not guessed. A trailing slash does not matter. `;` and encoded slashes are
 * left to the policy's `pathOptions`: the readings say whether they occur.
 *
 * @see RFC 3986 §3.3, §6.2.2; CVE-2019-9901, CVE-2021-29492, CVE-2026-26205 for the classes refused
 */
export function canonicalPath(raw: string): CanonicalPath {
  if (raw.length === 0) return EMPTY;
  if (raw.charCodeAt(0) !== 0x2f) return RELATIVE;
  if (raw.length > MAX_PATH_LENGTH) return TOO_LONG;
  if (raw === '/') return ROOT;
  if (PLAIN.test(raw)) return plainPath(raw.charCodeAt(raw.length - 1) === 0x2f ? raw.slice(0, -1) : raw);
  if (FORBIDDEN.test(raw)) return CONTROL;
  if (raw.includes('#')) return FRAGMENT;
  if (raw.includes('\\')) return BACKSLASH;
  if (BAD_ESCAPE.test(raw)) return ESCAPE;
  return decodedPath(raw);
}

const NO_OTHERS: readonly (readonly string[])[] = Object.freeze([]);
const ROOT: CanonicalPath = Object.freeze({ ok: true, path: '/', readings: readingsOf([]) });

function plainPath(path: string): CanonicalPath {
  const segments: string[] = [];
  let start = 1;
  for (let end = path.indexOf('/', start); end !== -1; end = path.indexOf('/', start)) {
    segments.push(path.slice(start, end));
    start = end + 1;
  }
  segments.push(path.slice(start));
  if (segments.length > MAX_SEGMENTS) return TOO_LONG;
  return { ok: true, path, readings: readingsOf(segments) };
}

function decodedPath(raw: string): CanonicalPath {
  const pieces = raw.split('/');
  pieces.shift();
  if (pieces.at(-1) === '') pieces.pop();
  if (pieces.length > MAX_SEGMENTS) return TOO_LONG;
  const kept: string[] = [];
  for (const piece of pieces) {
    const segment = decodedSegment(piece);
    if (typeof segment !== 'string') return segment;
    kept.push(segment);
  }
  const hasEncodedSlash = kept.some((segment) => segment.includes('/'));
  const hasSemicolon = kept.some((segment) => segment.includes(';'));
  const bases = hasSemicolon ? [kept, ...stripped(kept, pieces)] : [kept];
  const others = hasSemicolon || hasEncodedSlash ? otherReadings(bases, hasEncodedSlash) : NO_OTHERS;
  return { ok: true, path: spellPath(kept), readings: { kept, others, hasEncodedSlash, hasSemicolon } };
}

function decodedSegment(raw: string): string | CanonicalPath {
  let segment = raw;
  if (raw.includes('%')) {
    try {
      segment = decodeURIComponent(raw);
    } catch {
      return UTF8;
    }
    if (DECODED_CONTROL.test(segment)) return CONTROL;
    if (segment.includes('\\')) return BACKSLASH;
    if (DOUBLE_ESCAPE.test(segment)) return DOUBLE;
    if (hasLookalike(segment)) return LOOKALIKE;
  }
  // Every piece between delimiters, kept ones too: an upstream may cut at any of them.
  for (const slashPiece of segment.split('/')) {
    if (slashPiece === '') return SLASHES;
    for (const [index, piece] of slashPiece.split(';').entries()) {
      if (piece === '.' || piece === '..') return DOTS;
      if (piece === '' && index === 0) return SLASHES;
    }
  }
  return segment;
}

/** True for characters such as U+FF0F (fullwidth solidus), U+2024 (one dot leader), U+2100 (a/c). */
function hasLookalike(segment: string): boolean {
  for (const character of segment) {
    if (character > '\u007f' && UNICODE_DELIMITER.test(character.normalize('NFKC'))) return true;
  }
  return false;
}

/** The first base is the kept reading itself; an upstream may take encoded slashes as separators in any of them. */
function otherReadings(bases: readonly Reading[], hasEncodedSlash: boolean): readonly Reading[] {
  const readings = hasEncodedSlash ? [...bases, ...bases.map(splitAtSlashes)] : bases;
  const isFirst = (reading: Reading, index: number): boolean =>
    readings.findIndex((other) => isSame(other, reading)) === index;
  return readings.filter(isFirst).slice(1);
}

type Reading = readonly string[];

const isSame = (a: Reading, b: Reading): boolean => a.length === b.length && a.every((segment, i) => segment === b[i]);

const splitAtSlashes = (segments: Reading): Reading => segments.flatMap((segment) => segment.split('/'));

/**
 * Without `;…`, in each way that upstreams cut it off: from every piece between slashes, encoded ones too; before they
 * decode, up to the next bare slash; the same and then once more; after they decode, to the end of the segment.
 *
 * @param raw the same segments as they were sent
 */
function stripped(kept: Reading, raw: Reading): readonly Reading[] {
  const cutRaw = raw.map((piece) => decodeURIComponent(upToSemicolon(piece)));
  return [kept.map(withoutParams), cutRaw, cutRaw.map(withoutParams), kept.map(upToSemicolon)];
}

/** Cuts `;…` from every piece between slashes, kept ones too. */
function withoutParams(segment: string): string {
  return segment.replace(/;[^/]*/g, '');
}

function upToSemicolon(segment: string): string {
  const semicolon = segment.indexOf(';');
  return semicolon === -1 ? segment : segment.slice(0, semicolon);
}

/** The canonical spelling of decoded segments. */
export const spellPath = (segments: Reading): string => `/${segments.map(encodeSegment).join('/')}`;

const NEEDS_NO_ESCAPE = /^[A-Za-z0-9_~!$&'()*+,:;@=.-]*$/;

/** Upper-case percent-encoding of everything but pchar (RFC 3986 §3.3). */
function encodeSegment(segment: string): string {
  if (NEEDS_NO_ESCAPE.test(segment)) return segment;
  return encodeURIComponent(segment).replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);
}

function readingsOf(segments: readonly string[]): PathReadings {
  return { kept: segments, others: NO_OTHERS, hasEncodedSlash: false, hasSemicolon: false };
}
