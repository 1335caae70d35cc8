import type { HeaderFields } from './attributes.ts';
import type { Evaluation } from './evaluation.ts';
import { parseStrictJson } from './strict-json.ts';

/** Why an expression has no value on this request. A value itself: `||` and `&&` may absorb it. */
export class ExpressionError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

interface AttributeRow {
  /** The contract's word for what a reader finds where the request has nothing. */
  readonly absent: string;
  readonly doc: string;
}

/** An attribute with one value. Integers and epoch milliseconds are numbers, lists are of strings, dyn is JSON. */
export interface ScalarAttribute extends AttributeRow {
  readonly type: 'string' | 'int' | 'timestamp' | 'list(string)' | 'dyn';
  readonly read: (evaluation: Evaluation) => unknown;
  /** Set where null stands for "unknown": a condition must not take it for a value. */
  readonly isErrorInConditions?: true;
}

/** An attribute that is read by key; a key that is not there gives null, or an empty list of values. */
export interface MapAttribute extends AttributeRow {
  readonly type: 'map(string, string)' | 'map(string, list(string))' | 'map(string, dyn)';
  readonly lookup: (evaluation: Evaluation, key: string) => unknown;
  readonly has: (evaluation: Evaluation, key: string) => boolean;
  readonly keys: (evaluation: Evaluation) => readonly string[];
  /** Why a key can never be there; refused when the policy arrives, an error where only the request tells the key. */
  readonly keyProblem?: (key: string) => string | undefined;
  /** Why a key must be written out. */
  readonly dynamicKeyProblem?: string;
}

export type Attribute = ScalarAttribute | MapAttribute;

const EMPTY: readonly string[] = Object.freeze([]);
const NOT_FORWARDED = new ExpressionError('the body was not forwarded');
const CUT = new ExpressionError('the body was cut');
const NO_ADDRESS = new ExpressionError("the client's address is unknown");
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

/** Every attribute that expressions, docs, logs and metrics name. */
export const VOCABULARY: Readonly<Record<string, Attribute>> = Object.freeze({
  'request.id': text("Envoy's id of the request.", 'never', (e) => e.request.id),
  'request.method': text('Method, exactly as sent.', 'never', (e) => e.request.method),
  'request.scheme': text("Scheme as Envoy shows it; the client's word.", 'never', (e) => e.request.scheme),
  'request.host': text('Host in lower case, without port and trailing dot.', 'never', (e) => e.request.host),
  'request.path': text('Canonical path, without query.', 'never', (e) => e.request.path),
  'request.params': {
    type: 'map(string, string)',
    absent: 'refused at compile',
    doc: "Parameters of the rule's own path template, else of the target's; decoded.",
    lookup: (e, key) => e.params.get(key) ?? null,
    has: (e, key) => e.params.has(key),
    keys: (e) => [...e.params.keys()],
  },
  'request.query': {
    type: 'map(string, string)',
    absent: 'null',
    doc: 'Query parameters, decoded; one that is repeated is an error.',
    lookup: (e, key) => single(e.request.query.get(key), key),
    has: (e, key) => e.request.query.has(key),
    keys: (e) => [...e.request.query.keys()],
  },
  'request.queryValues': {
    type: 'map(string, list(string))',
    absent: 'empty list',
    doc: 'All values of each query parameter.',
    lookup: (e, key) => e.request.query.get(key) ?? EMPTY,
    has: (e, key) => e.request.query.has(key),
    keys: (e) => [...e.request.query.keys()],
  },
  'request.headers': {
    type: 'map(string, string)',
    absent: 'null',
    doc: 'Headers by lower-case name; one that is repeated is an error.',
    lookup: (e, key) => single(headerValues(e.request.headers, key), key),
    has: (e, key) => e.request.headers.get(key) !== undefined,
    keys: (e) => e.request.headers.names().filter(isFieldName),
    keyProblem: headerNameProblem,
  },
  'request.headerValues': {
    type: 'map(string, list(string))',
    absent: 'empty list',
    doc: 'All values of each header.',
    lookup: (e, key) => textual(headerValues(e.request.headers, key)) ?? EMPTY,
    has: (e, key) => e.request.headers.get(key) !== undefined,
    keys: (e) => e.request.headers.names().filter(isFieldName),
    keyProblem: headerNameProblem,
  },
  'request.body': {
    type: 'dyn',
    absent: 'error',
    doc: 'The JSON body; an error unless Envoy forwarded it whole.',
    read: bodyOf,
  },
  'request.size': {
    type: 'int',
    absent: 'error',
    doc: 'Bytes of the body, 0 where there is known to be none; an error unless it was forwarded.',
    read: sizeOf,
  },
  'request.time': {
    type: 'timestamp',
    absent: 'never',
    doc: "Time of the request's first byte, by Envoy's clock.",
    read: (e) => e.request.timeMs,
  },
  'client.address': client("The client's address, canonical.", (e) => e.request.client.address),
  'client.network': client("The client's /32 (IPv4) or /64 (IPv6).", (e) => e.request.client.network),
  'source.address': text("Address of Envoy's peer.", 'null', (e) => e.request.source.address || null),
  'source.principal': text(
    "Identity in the peer's verified certificate.",
    'null',
    (e) => e.request.source.principal || null,
  ),
  'identity.kind': text('apiKey, jwt, anonymous or unauthenticated.', 'null', (e) => e.identity.kind),
  'identity.issuer': text('Who vouches for the subject.', 'null', (e) => e.identity.issuer),
  'identity.subject': text('Who is calling; unique only within its issuer.', 'null', (e) => e.identity.subject),
  'identity.id': text(
    'Unique over kind, issuer and subject: the key for limits and ownership.',
    'null',
    (e) => e.identity.id,
  ),
  'identity.method': text('Name of the authentication method.', 'null', (e) => e.identity.method),
  'identity.groups': strings("The consumer's groups, or those a token's groupsClaim names.", (e) => e.identity.groups),
  'identity.roles': strings('Bound APIRoles.', (e) => e.namespace.roles.rolesOf(e)),
  'identity.scopes': strings('OAuth scopes of the token.', (e) => e.identity.scopes),
  'identity.claims': json("The token's claims.", (e) => e.identity.claims),
  'identity.consumer': text('Name of the APIConsumer.', 'null', (e) => e.identity.consumer),
  'identity.authTime': {
    type: 'timestamp',
    absent: 'null',
    doc: 'When the user last proved who they are.',
    read: (e) => e.identity.authTimeMs,
  },
  context: {
    type: 'map(string, dyn)',
    absent: 'null on a missing key',
    doc: "Context extensions, written by the route's owner.",
    lookup: (e, key) => e.request.contextExtensions.get(key) ?? null,
    has: (e, key) => e.request.contextExtensions.has(key),
    keys: (e) => [...e.request.contextExtensions.keys()],
  },
  metadata: json("Envoy's filter metadata.", (e) => e.request.metadata()),
} satisfies Record<string, Attribute>);

/** What a condition gets for an address that is not known. A key gets null, and the limit says what that means. */
export const UNKNOWN_ADDRESS: ExpressionError = NO_ADDRESS;

function text(doc: string, absent: string, read: (evaluation: Evaluation) => string | null): ScalarAttribute {
  return { type: 'string', absent, doc, read };
}

function client(doc: string, read: (evaluation: Evaluation) => string | null): ScalarAttribute {
  return { ...text(doc, 'null in keys, error in conditions', read), isErrorInConditions: true };
}

function strings(doc: string, read: (evaluation: Evaluation) => readonly string[]): ScalarAttribute {
  return { type: 'list(string)', absent: 'empty list', doc, read };
}

function json(doc: string, read: (evaluation: Evaluation) => Readonly<Record<string, unknown>> | null): MapAttribute {
  return {
    type: 'map(string, dyn)',
    absent: 'null on a missing key',
    doc,
    lookup(evaluation, key) {
      const object = read(evaluation);
      return object !== null && Object.hasOwn(object, key) ? object[key] : null;
    },
    has(evaluation, key) {
      const object = read(evaluation);
      return object !== null && Object.hasOwn(object, key);
    },
    keys: (evaluation) => Object.keys(read(evaluation) ?? {}),
  };
}

function single(values: readonly string[] | undefined, key: string): string | null | ExpressionError {
  if (values === undefined || values.length === 0) return null;
  const [value = ''] = values;
  if (values.length > 1) return new ExpressionError(`"${key}" is repeated`);
  return value.isWellFormed() ? value : NOT_TEXT;
}

function textual(values: readonly string[] | undefined): readonly string[] | ExpressionError | undefined {
  return values?.some((value) => !value.isWellFormed()) ? NOT_TEXT : values;
}

/** `:path` and its kin are no fields (RFC 9113 §8.3): they hold the request before it was made canonical. */
const isFieldName = (name: string): boolean => !name.startsWith(':');

/** A rule that asks for `X-Role` would never match: names are kept in lower case. */
function headerNameProblem(name: string): string | undefined {
  if (!isFieldName(name)) return `"${name}" is no header: read request.method, request.host or request.path`;
  const lower = name.toLowerCase();
  return name === lower ? undefined : `Names of headers are in lower case: write "${lower}"`;
}

/** Values of a header; where Envoy joined its lines, a comma is where it did so. */
function headerValues(headers: HeaderFields, name: string): readonly string[] | undefined {
  const values = headers.get(name);
  if (values === undefined || !headers.isJoined || COMMA_FIELDS.has(name)) return values;
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

function sizeOf({ request: { body } }: Evaluation): number | ExpressionError {
  if (body.state === 'none') return 0;
  if (body.state === 'forwarded') return body.size;
  return body.state === 'cut' ? CUT : NOT_FORWARDED;
}

function bodyOf(evaluation: Evaluation): unknown {
  const { body } = evaluation.request;
  if (body.state === 'cut') return CUT;
  if (body.state !== 'forwarded') return NOT_FORWARDED;
  evaluation.parsedBody ??= parseStrictJson(body.bytes);
  const parsed = evaluation.parsedBody;
  return parsed.ok ? parsed.value : new ExpressionError(parsed.why);
}
