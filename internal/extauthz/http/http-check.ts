import type { Refusal } from '../../core/decision.ts';
import { Checker, type CheckOptions, type DoorCall } from '../check.ts';
import type { CheckRequest } from '../wire.ts';
import { carriedEdits } from './carried-edits.ts';
import { type Dialect, type HttpRequest, requestOf } from './dialect.ts';
import { ENVOY } from './envoy-dialect.ts';
import type { HttpMessage } from './http-message.ts';
import { NGINX } from './nginx-dialect.ts';
import { TRAEFIK } from './traefik-dialect.ts';
import { type HttpAnswer, writeAnswer } from './write-answer.ts';

const DIALECTS: readonly Dialect[] = [ENVOY, NGINX, TRAEFIK];

/** A message in one dialect to the answer in it. Never throws, never rejects. */
export type CheckHttp = (message: HttpMessage, call: DoorCall) => HttpAnswer | Promise<HttpAnswer>;

/**
 * What the door asks, by dialect.
 *
 * @param carried request headers that the proxies take from answers (`--http-carried-headers`), in lower case
 */
export function createHttpChecks(
  options: CheckOptions,
  carried: ReadonlySet<string>,
  dialects: readonly Dialect[] = DIALECTS,
): ReadonlyMap<Dialect, CheckHttp> {
  return new Map(dialects.map((dialect) => [dialect, inDialect(options, carried, dialect)]));
}

function inDialect(options: CheckOptions, carried: ReadonlySet<string>, dialect: Dialect): CheckHttp {
  const checker = new Checker<HttpMessage, HttpAnswer>(options, {
    read: (message) => readOrUndefined(message, dialect),
    refusalOf: unreadOf,
    adapt: (decision, request) => carriedEdits(decision, request, { carried, dialect }),
    write: (decision) => writeAnswer(decision, dialect),
  });
  return (message, call) => checker.check(message, call);
}

function readOrUndefined(message: HttpMessage, dialect: Dialect): HttpRequest | undefined {
  try {
    return requestOf(dialect, message);
  } catch {
    return undefined;
  }
}

function unreadOf(request: CheckRequest): Refusal | undefined {
  const unread = 'unread' in request ? request.unread : undefined;
  return typeof unread === 'string' ? { reason: 'malformed_request', cause: unread } : undefined;
}
