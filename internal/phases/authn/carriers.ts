import type { Carrier } from '../../core/evaluation.ts';
import type { Request } from '../../core/request.ts';
import type { CarrierSpec } from './spec.ts';

/** What a carrier holds: nothing, one credential, or more than one, which is nobody's. */
export type Held = string | undefined | typeof SEVERAL;
export const SEVERAL = Symbol('several credentials');

const SCHEME = /^([A-Za-z][A-Za-z0-9-]*) +(.*)$/s;

export function carrierOf(spec: CarrierSpec): Carrier {
  if (spec.header !== undefined) return { kind: 'header', name: spec.header };
  if (spec.query !== undefined) return { kind: 'query', name: spec.query };
  if (spec.cookie !== undefined) return { kind: 'cookie', name: spec.cookie };
  return { kind: 'authorizationScheme', name: (spec.authorizationScheme ?? '').toLowerCase() };
}

/** Carriers that overlap would show one credential to two methods. */
export const sameCarrier = (a: Carrier, b: Carrier): boolean => a.kind === b.kind && a.name === b.name;

/**
 * The credential in one carrier. An empty carrier holds none; a repeated one, also where Envoy joined its lines with a
 * comma (it always joins Authorization), holds several.
 */
export function readCarrier({ kind, name }: Carrier, request: Request): Held {
  switch (kind) {
    case 'header':
      return oneOf(request.headers.get(name), request.headers.isJoined);
    case 'authorizationScheme':
      return ofScheme(oneOf(request.headers.get('authorization'), true), name);
    case 'query':
      return oneOf(request.query.get(name), false);
    case 'cookie':
      return fromCookies(request.headers.get('cookie'), name);
    default:
      return kind satisfies never;
  }
}

function oneOf(values: readonly string[] | undefined, isJoined: boolean): Held {
  if (values === undefined) return undefined;
  if (values.length > 1) return SEVERAL;
  const [value = ''] = values;
  const trimmed = value.trim();
  if (trimmed === '') return undefined;
  return isJoined && trimmed.includes(',') ? SEVERAL : trimmed;
}

function ofScheme(held: Held, scheme: string): Held {
  if (typeof held !== 'string') return held;
  const match = SCHEME.exec(held);
  if (match?.[1]?.toLowerCase() !== scheme) return undefined;
  const credential = (match[2] ?? '').trim();
  return credential === '' ? undefined : credential;
}

/** Cookies by RFC 6265 §4.2; a comma between two is where Envoy joined two header lines. */
function fromCookies(lines: readonly string[] | undefined, name: string): Held {
  let found: string | undefined;
  for (const line of lines ?? []) {
    for (const pair of line.split(/[;,]/)) {
      const equals = pair.indexOf('=');
      if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
      if (found !== undefined) return SEVERAL;
      found = pair.slice(equals + 1).trim().replace(/^"(.*)"$/, '$1');
    }
  }
  return found === '' ? undefined : found;
}
