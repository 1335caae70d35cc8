import { trimBlanks } from './blanks.ts';
import { spellPath } from './canonical-path.ts';
import type { Evaluation } from './evaluation.ts';
import { ExpressionError } from './expression-error.ts';
import { isJoinedBy } from './joined-fields.ts';
import { parseStrictJson, type StrictJson } from './strict-json.ts';

// How attributes of the vocabulary are read where a request can say a thing twice, in part or not at all.

const NOT_FORWARDED = new ExpressionError('the body was not forwarded');
const NO_BODY = new ExpressionError('the request has no body: ask request.size > 0 or request.method first');
const CUT = new ExpressionError('the body was cut');
const SEVERAL_READINGS = new ExpressionError('the path can be read in several ways');
const NOT_TEXT = new ExpressionError('the value is not UTF-8');
const UNTOLD = new ExpressionError('the proxy does not tell this door of the header: ask over gRPC to read it');
const NOT_ALL_TOLD = new ExpressionError(
  'the proxy does not tell this door of every header: name those that the expression is about',
);
/** Without the name: where the request tells it, it is a value of the request. */
export const REPEATED = new ExpressionError('the value is repeated');

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

/** Most members of one header: nobody in earnest sends more, and each reading walks over them. */
export const MAX_MEMBERS = 256;
const TOO_MANY = new ExpressionError(`a header holds more than ${MAX_MEMBERS} values`);

/** The one value of a key; an error when it has several. */
export function single(evaluation: Evaluation, values: readonly string[]): string | null | ExpressionError {
  const [value] = values;
  if (value === undefined) return null;
  if (values.length > 1) return REPEATED;
  evaluation.work -= value.length >> 6;
  return value.isWellFormed() ? value : NOT_TEXT;
}

/** All values of a key, or that one of them is no text. */
export function textual(evaluation: Evaluation, values: readonly string[]): readonly string[] | ExpressionError {
  for (const value of values) {
    evaluation.work -= 1 + (value.length >> 6);
    if (!value.isWellFormed()) return NOT_TEXT;
  }
  return values;
}

/** `:path` and its kin are no fields (RFC 9113 §8.3): they hold the request before it was made canonical. */
export const isFieldName = (name: string): boolean => !name.startsWith(':');

/** A rule that asks for `X-Role` would never match: names are kept in lower case. */
export function headerNameProblem(name: string): string | undefined {
  if (!isFieldName(name)) return `"${name}" is no header: read request.method, request.host or request.path`;
  const lower = name.toLowerCase();
  return name === lower ? undefined : `Names of headers are in lower case: write "${lower}"`;
}

/** The path by the reading that a rule is judged by. Elsewhere a path with several readings has no one spelling. */
export function pathOf(evaluation: Evaluation): string | ExpressionError {
  const { reading, request } = evaluation;
  const { kept, others } = request.readings;
  if (others.length === 0 || reading === kept) return request.path;
  if (reading === undefined) return SEVERAL_READINGS;
  evaluation.otherPaths ??= others.map(spellPath);
  return evaluation.otherPaths[others.indexOf(reading)] ?? SEVERAL_READINGS;
}

/** The same for a policy that takes `A`–`Z` and `a`–`z` for one; a canonical path is ASCII. */
export function lowerPathOf(evaluation: Evaluation): string | ExpressionError {
  const path = pathOf(evaluation);
  return typeof path === 'string' ? path.toLowerCase() : path;
}

/** A path parameter by the reading that a rule is judged by; elsewhere all readings must give the same. */
export function paramOf({ params, otherParams, reading }: Evaluation, key: string): string | null | ExpressionError {
  const value = params.get(key) ?? null;
  if (otherParams.length === 0 || reading !== undefined) return value;
  return otherParams.every((other) => (other.get(key) ?? null) === value) ? value : SEVERAL_READINGS;
}

/** Whether a parameter is there, outside of rules by every reading. */
export function hasParam({ params, otherParams, reading }: Evaluation, key: string): boolean {
  return params.has(key) && (reading !== undefined || otherParams.every((other) => other.has(key)));
}

const NO_VALUES: readonly string[] = Object.freeze([]);

export function hasHeader(evaluation: Evaluation, name: string): boolean | ExpressionError {
  const values = linesOf(evaluation, name);
  return values instanceof ExpressionError ? values : values !== undefined;
}

/** Names of all headers; which there are is not known where the door is not told of some. */
export function headerNames({ request: { headers } }: Evaluation): readonly string[] | ExpressionError {
  return headers.untold.size > 0 ? NOT_ALL_TOLD : headers.names().filter(isFieldName);
}

function linesOf(evaluation: Evaluation, name: string): readonly string[] | undefined | ExpressionError {
  const { headers } = evaluation.request;
  evaluation.work -= headers.size >> 2;
  return headers.get(name) ?? (headers.untold.has(name) ? UNTOLD : undefined);
}

/** Values of a header; where Envoy joined its lines, a comma is where it did so. */
export function headerValues(evaluation: Evaluation, name: string): readonly string[] | ExpressionError {
  const values = linesOf(evaluation, name);
  if (values === undefined) return NO_VALUES;
  if (values instanceof ExpressionError) return values;
  if (values.length > MAX_MEMBERS) return TOO_MANY;
  if (!isJoinedBy(evaluation.request.headers, name) || COMMA_FIELDS.has(name)) return values;
  const known = evaluation.headerMembers?.get(name);
  if (known !== undefined) return known;
  for (const value of values) {
    evaluation.work -= value.length >> 6;
    if (value.includes(',')) return splitOnce(evaluation, name, values);
  }
  return values;
}

/** Splits a header at its commas, once a check: a macro may read it in each of its rounds. */
function splitOnce(
  evaluation: Evaluation,
  name: string,
  values: readonly string[],
): readonly string[] | ExpressionError {
  const members = membersOf(values);
  evaluation.headerMembers ??= new Map();
  evaluation.headerMembers.set(name, members);
  return members;
}

/** Members of a header's lines, without the optional white space around them (RFC 9110 §5.6.1). */
export function membersOf(values: readonly string[]): readonly string[] | ExpressionError {
  const members: string[] = [];
  for (const value of values) {
    for (const member of value.split(',', MAX_MEMBERS + 1)) members.push(trimBlanks(member));
    if (members.length > MAX_MEMBERS) return TOO_MANY;
  }
  return members;
}

export function sizeOf({ request: { body } }: Evaluation): number | ExpressionError {
  if (body.state === 'none') return 0;
  if (body.state === 'forwarded') return body.size;
  return body.state === 'cut' ? CUT : NOT_FORWARDED;
}

export function bodyOf(evaluation: Evaluation): unknown {
  const { body } = evaluation.request;
  if (body.state === 'none') return NO_BODY;
  if (body.state === 'cut') return CUT;
  if (body.state === 'unknown') return NOT_FORWARDED;
  const parsed = parsedBodyOf(evaluation, body);
  return parsed.ok ? parsed.value : new ExpressionError(parsed.why);
}

/** The body as JSON, parsed once a check, whoever asks. */
export function parsedBodyOf(evaluation: Evaluation, body: { readonly bytes: Uint8Array | string }): StrictJson {
  if (evaluation.parsedBody === undefined) {
    evaluation.work -= body.bytes.length >> 1;
    evaluation.parsedBody = parseStrictJson(body.bytes);
  }
  return evaluation.parsedBody;
}
