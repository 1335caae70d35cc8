import { type Parsed, parsed, refused } from './option.ts';

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/;
/** With the headers for the client, no more than one answer may hold. */
const MAX_NAMES = 48;
/** Headers of an answer that say something of the answer itself, or tell the proxy what to do. */
const OWN =
  /^(?:cache-control|connection|content-.*|date|expect|host|keep-alive|location|proxy-.*|retry-after|server|set-cookie|te|trailer|transfer-encoding|upgrade|vary|www-authenticate|x-accel-.*|x-envoy-.*|x-forwarded-.*|x-original-.*|x-postern-.*|x-real-ip)$/;

/** Names of request headers, separated by commas, in any case; lower-case afterwards. */
export function carriedHeaders(text: string): Parsed<ReadonlySet<string>> {
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  if (names.length > MAX_NAMES) return refused(`names ${names.length} headers: write at most ${MAX_NAMES}`);
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong !== undefined) return refused(`names "${wrong}", which is no header: write names separated by commas`);
  // `x-original-url` is none of nginx's: it is one that upstreams take for another path, to be removed.
  const own = names.find((name) => OWN.test(name) && name !== 'x-original-url');
  if (own !== undefined)
    return refused(`names "${own}", which says something of the answer or the proxy: leave it out`);
  return parsed(new Set(names));
}
