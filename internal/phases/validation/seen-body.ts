import { declaresLength } from '../../core/canonicalize.ts';
import type { Refusal } from '../../core/decision.ts';
import type { Request } from '../../core/request.ts';
import { BODY_CUT, BODY_NOT_FORWARDED } from './refusals.ts';

/** A body that was shown whole. */
export interface SeenBody {
  readonly bytes: Uint8Array | string;
  readonly size: number;
}

const NO_BODY: SeenBody = Object.freeze({ bytes: '', size: 0 });

/**
 * The body that rules may judge, or why there is none: one that was cut, or of which nobody knows, is never taken for an
 * empty one.
 *
 * @param bodyless methods that an author says have none where none is seen
 */
export function seenBody({ body, method, headers }: Request, bodyless: ReadonlySet<string>): SeenBody | Refusal {
  if (body.state === 'forwarded') return body;
  if (body.state === 'none') return NO_BODY;
  if (body.state === 'cut') return BODY_CUT;
  const isTaken = bodyless.has(method) && !declaresBody(headers);
  return isTaken ? NO_BODY : BODY_NOT_FORWARDED;
}

/** The request itself says that something follows its head, which is not here. */
function declaresBody(headers: Request['headers']): boolean {
  if (headers.get('transfer-encoding') !== undefined) return true;
  return declaresLength(headers);
}
