import type { Refusal } from '../../core/decision.ts';
import type { ReasonName } from '../../core/reasons.ts';

/** A place of the request, as the first part of an error's pointer; `/body` is the whole body. */
export type Place = 'path' | 'query' | 'header' | 'cookie' | 'body' | 'url';

interface Broken {
  readonly reason: ReasonName;
  readonly place: Place;
  /** The author's word for it: the name of a limit. */
  readonly rule: string;
  readonly detail: string;
}

/** A refusal in which nothing is of the request: frozen, shared by all checks that it ends. */
export function broken({ reason, place, rule, detail }: Broken): Refusal {
  const errors = Object.freeze([Object.freeze({ pointer: `/${place}`, rule })]);
  return Object.freeze({ reason, rule, detail, errors });
}

/** Nobody knows what is behind the head of the request: what it would be judged by holds for nobody. */
export const BODY_NOT_FORWARDED: Refusal = Object.freeze({
  reason: 'body_not_forwarded',
  cause:
    'a rule reads the body, which Envoy did not show: with_request_body, --bodies=forwarded or validation.bodyless',
});

export const BODY_CUT: Refusal = broken({
  reason: 'body_too_large',
  place: 'body',
  rule: 'body',
  detail: 'The body is larger than is looked at here: send less',
});
