/** Most parameters of a query, empty ones between `&&` counted; what is over it is refused, as `malformed_query`. */
export const MAX_PARAMETERS = 1024;

/**
 * C0 and DEL, bare or encoded: an upstream that ends a text at NUL, or takes control characters off, would read `admin`
 * where rules read `admin\0`. Encoded tabs and line ends are let by, for texts of several lines hold them (a form's, a
 * query of GraphQL), but not in a name.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]|%(?:0[0-8BbCcEeFf]|1[0-9A-Fa-f]|7[Ff])/;
const LINE_END_OR_TAB = /[\t\n\r]/;
const NONE: ReadonlyMap<string, readonly string[]> = new Map();

/**
 * Query parameters in order of arrival, decoded once; `+` is a space, `&` the only separator.
 *
 * @param query the text after the first `?`, without it
 * @returns undefined when a name or value is not percent-encoded UTF-8 or holds what no text has, or there are too many
 * @see WHATWG URL, application/x-www-form-urlencoded (without its silent replacement of bad bytes)
 */
export function parseQuery(query: string): ReadonlyMap<string, readonly string[]> | undefined {
  if (query === '') return NONE;
  if (CONTROL.test(query)) return undefined;
  const parameters = new Map<string, string[]>();
  const pairs = query.split('&', MAX_PARAMETERS + 1);
  if (pairs.length > MAX_PARAMETERS) return undefined;
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    if (name === undefined || value === undefined || LINE_END_OR_TAB.test(name)) return undefined;
    const values = parameters.get(name);
    if (values === undefined) parameters.set(name, [value]);
    else values.push(value);
  }
  return parameters;
}

/** In which ways a query spells these names: what `parseQuery` reads as one of them, `%61pi_key` for `api_key`. */
export function spellingsOf(names: readonly string[], query: string): readonly string[] {
  const spellings = new Set<string>();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const spelt = equals === -1 ? pair : pair.slice(0, equals);
    const name = decode(spelt);
    if (name !== undefined && names.includes(name)) spellings.add(spelt);
  }
  return [...spellings];
}

function decode(text: string): string | undefined {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
