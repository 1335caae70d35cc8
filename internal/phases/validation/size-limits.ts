import type { Refusal } from '../../core/decision.ts';
import { parseQuantity } from '../../core/quantity.ts';
import type { Request } from '../../core/request.ts';
import { broken } from './refusals.ts';
import type { LimitsSpec } from './spec.ts';

/** A limit on what stands before the body. */
export interface SizeLimit {
  readonly what: 'url' | 'headers' | 'headerCount' | 'parameters';
  readonly most: number;
  readonly refusal: Refusal;
}

/** The limits of a spec that need no body, in the order in which they are looked at. */
export function sizeLimitsOf({ url, headers, headerCount, parameters }: LimitsSpec): readonly SizeLimit[] {
  const limits: SizeLimit[] = [];
  const add = (what: SizeLimit['what'], most: number | undefined, refusal: Refusal): void => {
    if (most !== undefined) limits.push(Object.freeze({ what, most, refusal }));
  };
  add('url', url === undefined ? undefined : parseQuantity(url), URL_TOO_LONG);
  add('headerCount', headerCount, TOO_MANY_HEADERS);
  add('headers', headers === undefined ? undefined : parseQuantity(headers), HEADERS_TOO_LARGE);
  add('parameters', parameters, TOO_MANY_PARAMETERS);
  return Object.freeze(limits);
}

/** Whether the request is within the limit. */
export function isWithin({ what, most }: SizeLimit, request: Request): boolean {
  if (what === 'url') return request.targetSize <= most;
  if (what === 'parameters') return parametersIn(request) <= most;
  return what === 'headerCount' ? linesIn(request) <= most : bytesIn(request) <= most;
}

function parametersIn({ query }: Request): number {
  let count = 0;
  for (const values of query.values()) count += values.length;
  return count;
}

function linesIn({ headers }: Request): number {
  let count = 0;
  for (const name of headers.names()) if (isField(name)) count += headers.get(name)?.length ?? 0;
  return count;
}

function bytesIn({ headers }: Request): number {
  let bytes = 0;
  for (const name of headers.names()) {
    if (!isField(name)) continue;
    for (const value of headers.get(name) ?? []) bytes += name.length + Buffer.byteLength(value);
  }
  return bytes;
}

/** `:path` and its kin are no headers; what they hold is the URL. */
const isField = (name: string): boolean => name.charCodeAt(0) !== COLON;
const COLON = 0x3a;

const URL_TOO_LONG = broken({ reason: 'url_too_long', pointer: '/url', rule: 'url', detail: 'Send a shorter URL' });
const HEADERS_TOO_LARGE = broken({
  reason: 'headers_too_large',
  pointer: '/header',
  rule: 'headers',
  detail: 'Send shorter headers, or fewer',
});
const TOO_MANY_HEADERS = broken({
  reason: 'headers_too_large',
  pointer: '/header',
  rule: 'headerCount',
  detail: 'Send fewer headers',
});
const TOO_MANY_PARAMETERS = broken({
  reason: 'too_many_parameters',
  pointer: '/query',
  rule: 'parameters',
  detail: 'Send fewer parameters in the query',
});
