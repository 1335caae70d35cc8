import type { HeaderFields } from './attributes.ts';
import type { Evaluation } from './evaluation.ts';
import { ExpressionError } from './expression-error.ts';
import { isJoinedBy } from './joined-fields.ts';
import { parseStrictJson } from './strict-json.ts';

// How attributes of the vocabulary are read where a request can say a thing twice, in part or not at all.

const NOT_FORWARDED = new ExpressionError('the body was not forwarded');
const CUT = new ExpressionError('the body was cut');
const NOT_TEXT = new ExpressionError('the value is not UTF-8');

/** Fields whose commas are part of one value, or that Envoy never joins (RFC 9110 §5.3, RFC 6265 §5.4). */
const COMMA_FIELDS: ReadonlySet<string> = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'connection',
  'content-encoding',
  'content-language',
  'cookie',
  'date',
  'expires',
  'forwarded',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'last-modified',
  'pragma',
  'te',
  'trailer',
  'user-agent',
  'vary',
  'via',
  'x-forwarded-for',
]);

export function single(values: readonly string[] | undefined, key: string): string | null | ExpressionError {
  if (values === undefined || values.length === 0) return null;
  const [value = ''] = values;
  if (values.length > 1) return new ExpressionError(`"${key}" is repeated`);
  return value.isWellFormed() ? value : NOT_TEXT;
}

export function textual(values: readonly string[] | undefined): readonly string[] | ExpressionError | undefined {
  return values?.some((value) => !value.isWellFormed()) ? NOT_TEXT : values;
}

/** `:path` and its kin are no fields (RFC 9113 §8.3): they hold the request before it was made canonical. */
export const isFieldName = (name: string): boolean => !name.startsWith(':');

/** A rule that asks for `X-Role` would never match: names are kept in lower case. */
export function headerNameProblem(name: string): string | undefined {
  if (!isFieldName(name)) return `"${name}" is no header: read request.method, request.host or request.path`;
  const lower = name.toLowerCase();
  return name === lower ? undefined : `Names of headers are in lower case: write "${lower}"`;
}

/** Values of a header; where Envoy joined its lines, a comma is where it did so. */
export function headerValues(headers: HeaderFields, name: string): readonly string[] | undefined {
  const values = headers.get(name);
  if (values === undefined || !isJoinedBy(headers, name) || COMMA_FIELDS.has(name)) return values;
  return values.some((value) => value.includes(','))
    ? values.flatMap((value) => value.split(',').map(trimmed))
    : values;
}

/** Without the optional white space around a list's members (RFC 9110 §5.6.1). */
function trimmed(member: string): string {
  let end = member.length;
  while (end > 0 && (member.charCodeAt(end - 1) === 0x20 || member.charCodeAt(end - 1) === 0x09)) end -= 1;
  return member.slice(0, end).replace(/^[ \t]+/, '');
}

export function sizeOf({ request: { body } }: Evaluation): number | ExpressionError {
  if (body.state === 'none') return 0;
  if (body.state === 'forwarded') return body.size;
  return body.state === 'cut' ? CUT : NOT_FORWARDED;
}

export function bodyOf(evaluation: Evaluation): unknown {
  const { body } = evaluation.request;
  if (body.state === 'cut') return CUT;
  if (body.state !== 'forwarded') return NOT_FORWARDED;
  evaluation.parsedBody ??= parseStrictJson(body.bytes);
  const parsed = evaluation.parsedBody;
  return parsed.ok ? parsed.value : new ExpressionError(parsed.why);
}
