import {
  bodyOf,
  hasHeader,
  hasParam,
  headerNameProblem,
  headerNames,
  headerValues,
  lowerPathOf,
  paramOf,
  pathOf,
  single,
  sizeOf,
  textual,
} from './attribute-readers.ts';
import type { Evaluation } from './evaluation.ts';
import { ExpressionError } from './expression-error.ts';
import { notAddress, notHost, notKind, notLowerPath, notMethod, notNetwork, notPath } from './never-equal.ts';

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
  /** Why the attribute is never this text; comparing with it is refused when the policy arrives. */
  readonly neverEqual?: (text: string) => string | undefined;
  /** Set where no text of the attribute holds a letter in upper case: searching it for one is refused, too. */
  readonly isLowerCase?: true;
}

/** An attribute that is read by key; a key that is not there gives null, or an empty list of values. */
export interface MapAttribute extends AttributeRow {
  readonly type: 'map(string, string)' | 'map(string, list(string))' | 'map(string, dyn)';
  readonly lookup: (evaluation: Evaluation, key: string) => unknown;
  readonly has: (evaluation: Evaluation, key: string) => boolean | ExpressionError;
  readonly keys: (evaluation: Evaluation) => readonly string[] | ExpressionError;
  /** Why a key can never be there; refused when the policy arrives, an error where only the request tells the key. */
  readonly keyProblem?: (key: string) => string | undefined;
  /** Why a key must be written out. */
  readonly dynamicKeyProblem?: string;
}

export type Attribute = ScalarAttribute | MapAttribute;

const EMPTY: readonly string[] = Object.freeze([]);

const BY_READINGS =
  'Where pathOptions keep delimiters, a rule is judged once for each way to read the path; outside of rules it is an error when the ways differ.';

const PATH: ScalarAttribute = Object.freeze({
  type: 'string',
  absent: 'never',
  doc: `Canonical path, without query; in lower case with caseInsensitive. ${BY_READINGS}`,
  read: pathOf,
  neverEqual: notPath,
});

/** Every attribute that expressions, docs, logs and metrics name. */
export const VOCABULARY: Readonly<Record<string, Attribute>> = Object.freeze({
  'request.id': text("Envoy's id of the request.", 'never', (e) => e.request.id),
  'request.method': {
    ...text(
      'Method, exactly as sent; a registered one is in capitals, or the request is refused.',
      'never',
      (e) => e.request.method,
    ),
    neverEqual: notMethod,
  },
  'request.scheme': text("Scheme as Envoy shows it; the client's word.", 'never', (e) => e.request.scheme),
  'request.host': {
    ...text('Host in lower case, without port and trailing dot.', 'never', (e) => e.request.host),
    neverEqual: notHost,
  },
  'request.path': PATH,
  'request.params': {
    type: 'map(string, string)',
    absent: 'refused at compile',
    doc: `Parameters of the rule's own path template, else of the target's; decoded, in the case that was sent. ${BY_READINGS}`,
    lookup: paramOf,
    has: hasParam,
    keys: (e) => [...e.params.keys()].filter((key) => hasParam(e, key)),
  },
  'request.query': {
    type: 'map(string, string)',
    absent: 'null',
    doc: 'Query parameters, decoded; one that is repeated is an error. Where a policy reads them, a query with a bare `;` is refused.',
    lookup: (e, key) => single(e, e.request.query.get(key) ?? EMPTY),
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
    doc: 'Headers by lower-case name; one that is repeated is an error, and so is one that the HTTP door is not told of.',
    lookup(e, key) {
      const values = headerValues(e, key);
      return values instanceof ExpressionError ? values : single(e, values);
    },
    has: hasHeader,
    keys: headerNames,
    keyProblem: headerNameProblem,
  },
  'request.headerValues': {
    type: 'map(string, list(string))',
    absent: 'empty list',
    doc: 'All values of each header; more than 256 are an error, and so is one that the HTTP door is not told of.',
    lookup(e, key) {
      const values = headerValues(e, key);
      return values instanceof ExpressionError ? values : textual(e, values);
    },
    has: hasHeader,
    keys: headerNames,
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
  'client.address': {
    ...client("The client's address, canonical.", (e) => e.request.client.address),
    neverEqual: notAddress,
  },
  'client.network': {
    ...client("The client's /32 (IPv4) or /64 (IPv6).", (e) => e.request.client.network),
    neverEqual: notNetwork,
  },
  'source.address': text("Address of Envoy's peer.", 'null', (e) => e.request.source.address || null),
  'source.principal': text(
    "Identity in the peer's verified certificate.",
    'null',
    (e) => e.request.source.principal || null,
  ),
  'identity.kind': {
    ...text('apiKey, jwt, anonymous or unauthenticated.', 'null', (e) => e.identity.kind),
    neverEqual: notKind,
  },
  'identity.issuer': text('Who vouches for the subject.', 'null', (e) => e.identity.issuer),
  'identity.subject': text('Who is calling; unique only within its issuer.', 'null', (e) => e.identity.subject),
  'identity.id': text(
    'Unique over kind, issuer and subject: the key for limits and ownership.',
    'null',
    (e) => e.identity.id,
  ),
  'identity.method': text('Name of the authentication method.', 'null', (e) => e.identity.method),
  'identity.groups': strings("The consumer's groups, or those a token's groupsClaim names.", (e) => e.identity.groups),
  'identity.roles': strings('Bound APIRoles; an error while one of them is gone, in a cycle or cannot be read.', (e) =>
    e.namespace.roles.rolesOf(e),
  ),
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

/** `request.path` for policies that take `A`–`Z` and `a`–`z` for one: a counter for each way to write it would be none. */
export const LOWER_PATH: ScalarAttribute = Object.freeze({
  ...PATH,
  read: lowerPathOf,
  neverEqual: notLowerPath,
  isLowerCase: true,
});

/** What a condition gets for an address that is not known. A key gets null, and the limit says what that means. */
export const UNKNOWN_ADDRESS = new ExpressionError("the client's address is unknown");

function text(doc: string, absent: string, read: (evaluation: Evaluation) => string | null): ScalarAttribute {
  return { type: 'string', absent, doc, read };
}

function client(doc: string, read: (evaluation: Evaluation) => string | null): ScalarAttribute {
  return { ...text(doc, 'null in keys, error in conditions', read), isErrorInConditions: true };
}

function strings(doc: string, read: (evaluation: Evaluation) => readonly string[] | ExpressionError): ScalarAttribute {
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
