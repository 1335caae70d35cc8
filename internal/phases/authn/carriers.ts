import { membersOf } from '../../core/attribute-readers.ts';
import { isBlank, trimBlanks } from '../../core/blanks.ts';
import type { Cookies } from '../../core/cookies.ts';
import type { Carrier } from '../../core/evaluation.ts';
import { ExpressionError } from '../../core/expression-error.ts';
import { isJoinedBy } from '../../core/joined-fields.ts';
import type { Request } from '../../core/request.ts';
import { equalsIgnoringAsciiCase, lowerAscii } from '../../match/path-template.ts';
import type { CarrierSpec } from './spec.ts';

/** What a carrier holds: nothing, one credential, or more than one, which is nobody's. */
export type Held = string | undefined | typeof SEVERAL;
export const SEVERAL = Symbol('several credentials');

export function carrierOf(spec: CarrierSpec): Carrier {
  if (spec.header !== undefined) return { kind: 'header', name: spec.header };
  if (spec.query !== undefined) return { kind: 'query', name: spec.query };
  if (spec.cookie !== undefined) return { kind: 'cookie', name: spec.cookie };
  return { kind: 'authorizationScheme', name: lowerAscii(spec.authorizationScheme ?? '') };
}

export const sameCarrier = (a: Carrier, b: Carrier): boolean => a.kind === b.kind && a.name === b.name;

/** Whether one credential could stand in both: the same place, or a whole header and a part of it. */
export function overlap(a: Carrier, b: Carrier): boolean {
  return sameCarrier(a, b) || isWholeOf(a, b) || isWholeOf(b, a);
}

const isWholeOf = (whole: Carrier, part: Carrier): boolean =>
  whole.kind === 'header' && whole.name === 'authorization' && part.kind === 'authorizationScheme';

/** A carrier as authors and clients know it. */
export function carrierText({ kind, name }: Carrier): string {
  const words = {
    header: 'header',
    query: 'query parameter',
    cookie: 'cookie',
    authorizationScheme: 'scheme',
  } as const;
  return `${words[kind]} "${name}"`;
}

/**
 * The credential in one carrier. An empty carrier holds none; a repeated one, also where Envoy joined its lines with a
 * comma (Authorization it always joins), holds several.
 */
export function readCarrier({ kind, name }: Carrier, request: Request): Held {
  switch (kind) {
    case 'header':
      return fromHeader(request.headers.get(name), isJoinedBy(request.headers, name));
    case 'authorizationScheme':
      return fromScheme(request.headers.get('authorization'), name);
    case 'query':
      return fromQuery(request.query.get(name));
    case 'cookie':
      return fromCookie(request.cookies, name);
    default:
      return kind satisfies never;
  }
}

function fromHeader(values: readonly string[] | undefined, isJoined: boolean): Held {
  if (values === undefined) return undefined;
  if (values.length > 1) return SEVERAL;
  const text = values[0] ?? '';
  if (text === '') return undefined;
  return isJoined && text.includes(',') ? SEVERAL : text;
}

function fromQuery(values: readonly string[] | undefined): Held {
  if (values === undefined) return undefined;
  if (values.length > 1) return SEVERAL;
  return values[0] === '' ? undefined : values[0];
}

/**
 * Credentials of one scheme of Authorization. A comma may be where lines were joined: then a part with this scheme is
 * one of several credentials; without such a part the header is another scheme's, whose parameters hold commas. One with
 * more parts than anybody sends is not looked through.
 */
function fromScheme(values: readonly string[] | undefined, scheme: string): Held {
  const value = values?.[0];
  if (values === undefined || value === undefined) return undefined;
  if (values.length > 1 || value.includes(',')) {
    const parts = membersOf(values);
    return parts instanceof ExpressionError || parts.some((part) => hasScheme(part, scheme)) ? SEVERAL : undefined;
  }
  if (!hasScheme(value, scheme)) return undefined;
  return trimBlanks(value.slice(scheme.length)) || undefined;
}

/** A tab ends a scheme as a space does: upstreams that take one must not find a credential where we find none. */
function hasScheme(text: string, scheme: string): boolean {
  return isBlank(text.charCodeAt(scheme.length)) && equalsIgnoringAsciiCase(text.slice(0, scheme.length), scheme);
}

/** Of more cookies than anybody has, the credential could be any: they are refused like several. */
function fromCookie(cookies: Cookies | undefined, name: string): Held {
  const value = cookies === undefined ? null : cookies.get(name);
  return value === null ? SEVERAL : value || undefined;
}
