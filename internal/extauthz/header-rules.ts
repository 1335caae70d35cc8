// What can name a header field.
import { lowerAscii } from './wire-text.ts';

/** RFC 9110 §5.6.2; names that begin with `:` are HTTP/2's own. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
const MAX_KNOWN = 2048;

/** Names that passed, with their lower-case spelling: nearly always the same few. */
const known = new Map<string, string>();

/** The name in lower case; undefined where it is none. */
export function fieldName(name: string): string | undefined {
  const seen = known.get(name);
  if (seen !== undefined) return seen;
  if (!NAME.test(name)) return undefined;
  if (known.size >= MAX_KNOWN) known.clear();
  const lower = lowerAscii(name);
  known.set(name, lower);
  return lower;
}
