// What can stand in a header field.
import { lowerAscii } from './wire-text.ts';

/** RFC 9110 §5.6.2; names that begin with `:` are HTTP/2's own. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** RFC 9110 §5.5. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;
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

/** No control character, and no lone surrogate: it would leave as another character. */
export const isFieldValue = (value: string): boolean => !CONTROL.test(value) && value.isWellFormed();
