import type { Decision } from '../core/decision.ts';
import { type Reason, type ReasonName, REASONS } from '../core/reasons.ts';

/** Types that a registry names (IANA HTTP Problem Types); every other reason has a URN of its own. */
const REGISTERED: Partial<Record<ReasonName, string>> = {
  rate_limited: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  overloaded: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
};

export const problemType = (reason: ReasonName): string => REGISTERED[reason] ?? `urn:postern:problem:${reason}`;

/** What never varies of each reason's document, up to the decision id. */
const PREFIXES = new Map<ReasonName, string>(
  (Object.entries(REASONS) as [ReasonName, Reason][]).map(([name, reason]) => {
    const fixed = JSON.stringify({ type: problemType(name), title: reason.title, status: reason.http });
    return [name, `${fixed.slice(0, -1)},"decisionId":"`];
  }),
);

/** The problem document of a refusal (RFC 9457): nothing in it says more than the caller may know. */
export function problemDocument({ reason, decisionId, refusal }: Decision): string {
  const head = `${PREFIXES.get(reason) ?? ''}${decisionId}"`;
  const limit = reason === 'rate_limited' && refusal?.rule !== undefined ? `,"violated-policies":[${JSON.stringify(refusal.rule)}]` : '';
  const detail = refusal?.detail === undefined ? '' : `,"detail":${JSON.stringify(refusal.detail)}`;
  return `${head}${detail}${limit}}`;
}

/** `grpc-message` as gRPC writes it: percent-encoded UTF-8 (gRPC over HTTP/2, Status-Message). */
export function grpcMessage({ reason, refusal, decisionId }: Decision): string {
  const text = `${REASONS[reason].title}${refusal?.detail === undefined ? '' : `: ${refusal.detail}`} (${decisionId})`;
  return encodeURIComponent(text).replace(/%(?:20|2C|3A|3B|2F|3F|40|26|3D|2B|24|23|22)/g, (code) => decodeURIComponent(code));
}
