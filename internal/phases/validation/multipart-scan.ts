import { isPartHead } from './part-head.ts';

/** Measures of a multipart body. */
export interface MultipartShape {
  readonly parts: number;
  /** Bytes of the part that has most, without its headers. */
  readonly largestPart: number;
}

/** Most parts that are read: each has a head. */
export const MAX_PARTS = 1000;
/** Most times that the boundary is looked at inside of parts. */
const MAX_BOUNDARIES = 10_000;
/** Most bytes of the headers of a part. */
const MAX_HEAD = 4096;
const CR = 0x0d;
const LF = 0x0a;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * Walks a multipart body (RFC 2046 §5.1, RFC 7578) that every reader parts alike: nothing before the first boundary and
 * behind the last, lines that end with CRLF, heads of which no part is read otherwise. Any doubt is a refusal, for what
 * one reader takes for the content of a file another takes for a field.
 *
 * @returns undefined where it is none; `large` where the boundary stands in it too often
 */
export function scanMultipart(body: Buffer, boundary: string): MultipartShape | 'large' | undefined {
  const delimiter = Buffer.from(`--${boundary}`);
  if (!startsWith(body, delimiter, 0)) return undefined;
  let parts = 0;
  let largestPart = 0;
  let left = MAX_BOUNDARIES;
  let at = delimiter.length;
  while (!isClosing(body, at)) {
    if (!isLineEnd(body, at)) return undefined;
    const end = body.indexOf(END_OF_HEAD, at);
    if (end === -1 || end - at > MAX_HEAD) return undefined;
    if (!isPartHead(body.toString('latin1', at + 2, Math.max(at + 2, end)))) return undefined;
    const start = end + END_OF_HEAD.length;
    let next = body.indexOf(delimiter, start);
    while (next !== -1 && !isDelimiter(body, next)) {
      // In a line of its own by another line end, some readers would part here.
      if (isAfterBareLineEnd(body, next)) return undefined;
      left -= 1;
      if (left < 0) return 'large';
      next = body.indexOf(delimiter, next + 1);
    }
    if (next === -1) return undefined;
    parts += 1;
    if (parts > MAX_PARTS) return 'large';
    largestPart = Math.max(largestPart, next - 2 - start);
    at = next + delimiter.length;
  }
  return parts > 0 ? { parts, largestPart } : undefined;
}

const isLineEnd = (body: Buffer, at: number): boolean => body[at] === CR && body[at + 1] === LF;

const isDelimiter = (body: Buffer, at: number): boolean => isLineEnd(body, at - 2);

const isAfterBareLineEnd = (body: Buffer, at: number): boolean => body[at - 1] === LF || body[at - 1] === CR;

/** `--` behind the boundary, and the end of the body. */
function isClosing(body: Buffer, at: number): boolean {
  if (body[at] !== 0x2d || body[at + 1] !== 0x2d) return false;
  const rest = body.length - at - 2;
  return rest === 0 || (rest === 2 && isLineEnd(body, at + 2));
}

const startsWith = (body: Buffer, prefix: Buffer, at: number): boolean =>
  body.subarray(at, at + prefix.length).equals(prefix);
