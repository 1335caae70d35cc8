import type { HeaderFields } from '../core/attributes.ts';
import type { Malformed } from '../core/canonicalize.ts';
import type { Edits, Finding, Refusal } from '../core/decision.ts';
import type { ReasonName } from '../core/reasons.ts';
import { NO_EDITS } from './edits.ts';
import { withoutOwn } from './own-headers.ts';
import type { Selection } from './selection.ts';

/** What may pass though no policy is applied to it, because the operator or Audit says so. */
export interface Pass {
  readonly reason: ReasonName;
  readonly findings: readonly Finding[];
  readonly edits: Edits;
}

export interface Unevaluated {
  /** Why the request has no one reading; undefined where it has. */
  readonly malformed: Malformed | undefined;
  readonly headers: HeaderFields;
  /** `--unmatched=allow`. */
  readonly passesUnmatched: boolean;
}

const UNMATCHED: Pass = Object.freeze({ reason: 'unmatched', findings: Object.freeze([]), edits: NO_EDITS });

/** What becomes of a request that no policy evaluates: it has no one reading, or nothing that could govern it. */
export function judgeUnevaluated(selection: Selection, given: Unevaluated): Pass | Refusal {
  const { malformed, passesUnmatched } = given;
  if (selection.kind === 'audited-invalid')
    return audited('unmatched', malformed?.reason ?? 'policy_invalid', withoutOwn(selection.own, given.headers));
  if (selection.kind === 'unmatched' && passesUnmatched) return UNMATCHED;
  if (malformed !== undefined) {
    if (selection.kind === 'unread' && selection.isAudit)
      return audited('allowed', malformed.reason, withoutOwn(selection.own, given.headers));
    return { reason: malformed.reason, detail: malformed.detail };
  }
  if (selection.kind === 'refused') {
    const { reason, cause } = selection;
    return cause === undefined ? { reason } : { reason, cause };
  }
  return { reason: selection.kind === 'unmatched' ? 'no_route' : 'undecided' };
}

const audited = (reason: ReasonName, refused: ReasonName, edits: Edits): Pass => ({
  reason,
  findings: [{ reason: refused, outcome: 'would-deny' }],
  edits,
});
