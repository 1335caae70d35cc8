import type { Refusal } from '../../core/decision.ts';
import type { ContentKind } from './content-limits.ts';
import { unsupported } from './refusals.ts';

/** Blanks, and what a byte order mark or UTF-16 puts before and between characters. */
const BEFORE: ReadonlySet<number> = new Set([
  0, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0xef, 0xbb, 0xbf, 0xfe, 0xff, 0xfeff,
]);
const BRACE = 0x7b;
const BRACKET = 0x5b;
const LESS = 0x3c;

const JSON_UNDECLARED = unsupported('content-type', 'contentType', 'The body begins as JSON: say so in Content-Type');
const XML_UNDECLARED = unsupported('content-type', 'contentType', 'The body begins as XML: say so in Content-Type');

/**
 * Why a body is not taken that begins as a kind that is judged, and says another: an upstream that minds no types would
 * read it, and no rule would have.
 *
 * @param kinds that are judged
 */
export function undeclared(
  bytes: Uint8Array | string,
  declared: ContentKind | undefined,
  kinds: ReadonlySet<ContentKind>,
): Refusal | undefined {
  // A GraphQL document begins as JSON does, and is read where it is judged.
  if (declared === 'graphql' && kinds.has('graphql')) return undefined;
  const first = firstCode(bytes);
  if (declared !== 'json' && kinds.has('json') && (first === BRACE || first === BRACKET)) return JSON_UNDECLARED;
  return declared !== 'xml' && kinds.has('xml') && first === LESS ? XML_UNDECLARED : undefined;
}

/** The first character that says what follows, in whatever Unicode. */
function firstCode(bytes: Uint8Array | string): number {
  const { length } = bytes;
  let start = 0;
  const at = (index: number): number => (typeof bytes === 'string' ? bytes.charCodeAt(index) : (bytes[index] ?? 0));
  while (start < length && BEFORE.has(at(start))) start += 1;
  return at(start);
}
