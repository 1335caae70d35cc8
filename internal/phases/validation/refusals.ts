import type { Refusal } from '../../core/decision.ts';
import type { ReasonName } from '../../core/reasons.ts';

interface Broken {
  readonly reason: ReasonName;
  /** Where: a place of the request, `/body`, or what of it, `/header/content-type`. */
  readonly pointer: string;
  /** The author's word for it: the name of a limit. */
  readonly rule: string;
  readonly detail: string;
}

/** A refusal in which nothing is of the request: frozen, shared by all checks that it ends. */
export function broken({ reason, pointer, rule, detail }: Broken): Refusal {
  const errors = Object.freeze([Object.freeze({ pointer, rule })]);
  return Object.freeze({ reason, rule, detail, errors });
}

/** A header that says of the body what is not taken here. */
export const unsupported = (header: string, rule: string, detail: string): Refusal =>
  broken({ reason: 'unsupported_media_type', pointer: `/header/${header}`, rule, detail });

/** Nobody knows what is behind the head of the request: what it would be judged by holds for nobody. */
export const BODY_NOT_FORWARDED: Refusal = Object.freeze({
  reason: 'body_not_forwarded',
  cause:
    'a rule reads the body, which Envoy did not show: with_request_body, --bodies=forwarded or validation.bodyless',
});

export const BODY_CUT: Refusal = broken({
  reason: 'body_too_large',
  pointer: '/body',
  rule: 'body',
  detail: 'The body is larger than is looked at here: send less',
});
