import type { HeaderEdit } from '../../core/decision.ts';
import { REASONS } from '../../core/reasons.ts';
import { fieldName } from '../header-rules.ts';
import { problemDocument } from '../problem-document.ts';
import type { Sendable } from '../wire.ts';
import type { Dialect } from './dialect.ts';

/** An answer as it goes to the proxy: names in lower case, a character for each byte of a value. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const ALLOW = 200;
const FORBIDDEN = 403;
const FAILED = 500;
const UNAVAILABLE = 503;
const DECISION_ID = /^[A-Za-z0-9._:-]{1,128}$/;
/** What the client is meant to get, where the proxy takes no other status than it does. */
const STATUS_HEADER = 'x-postern-status';
/** By this one Envoy removes headers of the request. */
const TO_REMOVE = 'x-envoy-auth-headers-to-remove';
const NO_STORE = ['cache-control', 'no-store'] as const;

/**
 * Writes a decision for a proxy: the only place that makes an answer of the HTTP door. Its status is 200 for an outcome
 * `allow` whose reason is one to allow, and 400 or more for everything else: of any 2xx nginx and Traefik make an allow.
 */
export function writeAnswer(decision: Sendable, dialect: Pick<Dialect, 'statusOf'>): HttpAnswer {
  const { kind } = REASONS[decision.reason];
  return decision.outcome === 'allow' && kind === 'allow' ? allowed(decision) : refused(decision, dialect);
}

/**
 * A refusal of what is no check: nobody asked in a way that could be let in.
 *
 * @param detail what to do instead
 */
export function plainRefusal(status: number, title: string, detail?: string): HttpAnswer {
  const refusal = refusalStatus(status);
  const body = JSON.stringify({ type: 'about:blank', title, status: refusal, detail });
  return { status: refusal, headers: [['content-type', 'application/problem+json'], NO_STORE], body };
}

/** The refusal of a check in which something went wrong that nobody foresaw: of no proxy's kind of failure. */
export function failedAnswer(dialect: Pick<Dialect, 'statusOf'> | undefined): HttpAnswer {
  const { status, headers, body } = plainRefusal(dialect?.statusOf(FAILED) ?? FORBIDDEN, 'Internal error');
  return { status, headers: [...headers, [STATUS_HEADER, String(FAILED)]], body };
}

const refusalStatus = (status: number): number => (status >= 400 && status <= 599 ? status : FORBIDDEN);

function allowed({ edits, decisionId }: Sendable): HttpAnswer {
  const { requestHeaders, requestHeadersToRemove, responseHeaders } = edits;
  const removed = requestHeadersToRemove.flatMap((name) => fieldName(name) ?? []);
  return {
    status: ALLOW,
    headers: [
      ...lines(requestHeaders),
      ...(removed.length > 0 ? [[TO_REMOVE, removed.join(',')] as const] : []),
      ...lines(responseHeaders),
      ...idLine(decisionId),
      NO_STORE,
    ],
    body: '',
  };
}

function refused(decision: Sendable, { statusOf }: Pick<Dialect, 'statusOf'>): HttpAnswer {
  const { refusal, answerHeaders, decisionId, reason } = decision;
  const { http, answer } = REASONS[reason];
  // What the contract leaves to the proxy's own failure mode: nothing that a request can bring about.
  const status = refusalStatus(answer === 'error' ? UNAVAILABLE : statusOf(http));
  const { retryAfterS, challenges = [] } = refusal ?? {};
  return {
    status,
    headers: [
      ...lines(answerHeaders),
      ...(retryAfterS === undefined ? [] : [['retry-after', seconds(retryAfterS)] as const]),
      ...(challenges.length === 0 ? [] : [['www-authenticate', asBytes(challenges.join(', '))] as const]),
      ['content-type', 'application/problem+json'],
      [STATUS_HEADER, String(http)],
      ...idLine(decisionId),
      NO_STORE,
    ],
    body: problemDocument(decision, status),
  };
}

const lines = (edits: readonly HeaderEdit[]): (readonly [string, string])[] =>
  edits.map(({ name, value }) => [fieldName(name) ?? '', asBytes(value)]);

const idLine = (id: string): (readonly [string, string])[] =>
  DECISION_ID.test(id) ? [['x-postern-decision-id', id]] : [];

/** UTF-8, which Node takes as a character for each byte. */
const asBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Delay-seconds of Retry-After (RFC 9110 §10.2.3): a whole number, never sooner than meant. */
const seconds = (value: number): string => String(Number.isFinite(value) && value > 0 ? Math.ceil(value) : 1);
