/**
 * What never leaves in a log line or a span. Records of decisions hold named fields only: no header, cookie, query
 * value or body is among them. These rules are for free text and for fields of other lines.
 */
export const REDACTED = '[redacted]';

/** Names of fields whose value is never written, wherever they stand. */
const SECRET_NAME =
  /authori[sz]ation|cookie|token|secret|passw|passphrase|credential|private|api[-_]?key|^key$|jwt|bearer|signature|kubeconfig_data/i;

/** Shapes of credentials in free text: schemes of RFC 9110 §11.4, JWTs, passwords in URLs, PEM keys. */
const SECRET_SHAPES: readonly (readonly [RegExp, string])[] = Object.freeze([
  [/\b(bearer|basic|digest|dpop|apikey|negotiate)[ \t]+[^\s"',;]{4,}/gi, `$1 ${REDACTED}`],
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,3}/g, REDACTED],
  [/:\/\/[^/\s@]{1,256}@/g, `://${REDACTED}@`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*-----)?/g, REDACTED],
]);

/** What every one of those shapes holds: most text has none of it, and needs no closer look. */
const SUSPICIOUS = /[ \t]|eyJ|:\/\/|-----/;

const MAX_TEXT = 2048;
const MAX_PATH = 1024;
/** So much of a target is looked at. */
const MAX_TARGET = 4 * MAX_PATH;
/** So many segments are shown of a path that holds a secret. */
const MAX_SEGMENTS = 64;
const MAX_QUERY_NAMES = 16;
const QUERY_NAME = /^[A-Za-z0-9_.[\]-]{1,48}$/;
/** A name without a value, as in `?verbose`, has to look like a word: it may be a key that stands alone. */
const QUERY_WORD = /^[A-Za-z_.-]{1,24}$/;
/**
 * From here to the next slash a segment holds parameters, not names of things: behind what parts them in a path, and behind
 * what would part them in a query had it not been encoded, once or more often.
 */
const PARAMETERS = /(;|&|%(?:25)*(?:3b|26|3f|23))[^/]*/gi;
const MAX_DEPTH = 4;
const MAX_ITEMS = 64;
/** A shorter secret would blot out ordinary words. */
export const MIN_SECRET = 6;
const NONE: readonly string[] = Object.freeze([]);

/** Whether a header, parameter or field of this name holds a secret. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** Text of bounded length. */
export const bounded = (text: string, most = MAX_TEXT): string =>
  text.length > most ? `${text.slice(0, most)}…` : text;

/**
 * Free text without what looks like a credential, or is one that this check presented.
 *
 * @param secrets the longest first
 */
export function redactText(text: string, secrets = NONE, most = MAX_TEXT): string {
  let safe = bounded(text, most + (secrets[0]?.length ?? 0));
  for (const secret of secrets) if (secret.length >= MIN_SECRET) safe = safe.replaceAll(secret, REDACTED);
  if (!SUSPICIOUS.test(safe)) return bounded(safe, most);
  for (const [shape, instead] of SECRET_SHAPES) safe = safe.replace(shape, instead);
  return bounded(safe, most);
}

/** A path without query, fragment and `;parameters`, where sessions and signatures stand. */
export function redactPath(target: string, secrets = NONE): string {
  const end = target.search(/[?#]/);
  const path = end === -1 ? target : target.slice(0, end);
  const whole = bounded(path, MAX_TARGET);
  const isEncoded = whole.includes('%') && secrets.length > 0;
  // First the secrets: what is cut off could be half of one.
  const safe = redactText(isEncoded ? withoutEncoded(whole, secrets) : whole, secrets, MAX_TARGET);
  return bounded(safe.replace(PARAMETERS, '$1…'), MAX_PATH);
}

/** Without the segments that hold a secret in whatever spelling; without any where one runs through several. */
function withoutEncoded(path: string, secrets: readonly string[]): string {
  const sought = secrets.map(asBytes);
  const holds = (text: string): boolean => {
    const once = decoded(asBytes(text));
    const twice = decoded(once);
    return sought.some((secret) => once.includes(secret) || twice.includes(secret));
  };
  if (!holds(path)) return path;
  const safe = path
    .split('/', MAX_SEGMENTS)
    .map((segment) => (holds(segment) ? REDACTED : segment))
    .join('/');
  return holds(safe) ? REDACTED : safe;
}

/** A character for each byte of UTF-8, so that what is encoded byte by byte can be compared. */
const asBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const decoded = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Names of query parameters; what does not look like a name may be a value. */
export function queryNames(query: ReadonlyMap<string, readonly string[]>, secrets = NONE): string[] {
  const names: string[] = [];
  for (const [name, values] of query) {
    if (names.length === MAX_QUERY_NAMES) break;
    const hasValue = values.some((value) => value !== '');
    const isName = QUERY_NAME.test(name) && (hasValue || QUERY_WORD.test(name));
    names.push(isName ? redactText(name, secrets) : REDACTED);
  }
  return names;
}

/** Fields of a log line as plain data: secrets by name and shape removed, depth and length bounded, no getters run wild. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    return redactObject(fields, 0);
  } catch {
    return { fields: 'unreadable' };
  }
}

function redactObject(value: object, depth: number): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value).slice(0, MAX_ITEMS)) {
    safe[bounded(name, 128)] = SECRET_NAME.test(name) ? REDACTED : redactValue(member, depth + 1);
  }
  return safe;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) return value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || depth > MAX_DEPTH) return undefined;
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Uint8Array) return REDACTED;
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redactValue(item, depth + 1));
  return redactObject(value, depth);
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    ...(typeof code === 'string' && { code }),
    message: redactText(error.message),
    ...(error.cause !== undefined && { cause: redactValue(error.cause, depth + 1) }),
  };
}
