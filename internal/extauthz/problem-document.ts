// What a denied caller reads: a problem document (RFC 9457), or for gRPC callers a status and a message.
import type { Decision, InputError } from '../core/decision.ts';
import { REASONS, type ReasonName } from '../core/reasons.ts';

/** Longest detail and rule name that are sent. */
const MAX_TEXT = 512;

const RATE_LIMIT_TYPES = 'https://iana.org/assignments/http-problem-types#';

/** Reasons for which the rate limit fields' draft registers a problem type; all others have a URN of ours. */
const REGISTERED: Readonly<Partial<Record<ReasonName, string>>> = {
  rate_limited: `${RATE_LIMIT_TYPES}quota-exceeded`,
  overloaded: `${RATE_LIMIT_TYPES}temporary-reduced-capacity`,
};

/** Stable identifier of a reason: `type` of the problem document. */
export const problemType = (reason: ReasonName): string => REGISTERED[reason] ?? `urn:postern:reason:${reason}`;

/** Printable ASCII without `"`, `\\`, and what HTML gives a meaning. */
const PLAIN_JSON = /^[ !#-%'-;=?-[\]-~]*$/;
const NOT_PLAIN_JSON = /[^ !#-%'-;=?-[\]-~]/g;
/** Printable ASCII without `%`. */
const PLAIN_MESSAGE = /^[ -$&-~]*$/;
const NOT_PLAIN_BYTE = /[^ -$&-~]/g;

/** The document up to the members that vary. */
const OPENINGS = tableOf((reason) => openingOf(reason, REASONS[reason].http));

function openingOf(reason: ReasonName, status: number): string {
  return JSON.stringify({ type: problemType(reason), title: REASONS[reason].title, status }).slice(0, -1);
}

const GRPC_MESSAGES = tableOf((reason) => percentEncode(REASONS[reason].title));

/**
 * `application/problem+json`: type, title, status, decisionId; detail and the limit that refused where there are, and the errors of the input. ASCII
 * alone, and no character that HTML gives a meaning.
 *
 * @param status that it is sent with, where that is not the reason's own (RFC 9457 §3.1.2)
 */
export function problemDocument({ reason, decisionId, refusal }: Decision, status = REASONS[reason].http): string {
  const opening = status === REASONS[reason].http ? OPENINGS[reason] : openingOf(reason, status);
  let text = `${opening},"decisionId":"${escapeJson(decisionId)}"`;
  if (refusal?.detail !== undefined) text += `,"detail":"${escapeJson(refusal.detail)}"`;
  if (reason === 'rate_limited' && refusal?.rule !== undefined) {
    text += `,"violated-policies":["${escapeJson(refusal.rule)}"]`;
  }
  if (refusal?.errors !== undefined) text += `,"errors":[${refusal.errors.map(errorText).join()}]`;
  return `${text}}`;
}

const errorText = ({ pointer, rule }: InputError): string =>
  `{"pointer":"${escapeJson(pointer)}","rule":"${escapeJson(rule)}"}`;

/** `grpc-message`: the title and what is said besides; percent-encoded. */
export function grpcMessage({ reason, refusal }: Decision): string {
  const title = GRPC_MESSAGES[reason];
  return refusal?.detail === undefined ? title : `${title}: ${percentEncode(refusal.detail.slice(0, MAX_TEXT))}`;
}

function escapeJson(whole: string): string {
  const text = whole.slice(0, MAX_TEXT);
  if (PLAIN_JSON.test(text)) return text;
  return text.replace(NOT_PLAIN_JSON, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Percent-encoding of grpc-message (gRPC over HTTP2, "Responses"): every byte of UTF-8 outside 0x20–0x7E, and `%`. */
function percentEncode(text: string): string {
  if (PLAIN_MESSAGE.test(text)) return text;
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return bytes.replace(NOT_PLAIN_BYTE, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

function tableOf(make: (reason: ReasonName) => string): Readonly<Record<ReasonName, string>> {
  const rows = Object.keys(REASONS).map((name) => [name, make(name as ReasonName)]);
  return Object.freeze(Object.fromEntries(rows) as Record<ReasonName, string>);
}
