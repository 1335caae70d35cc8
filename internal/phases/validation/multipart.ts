import type { Refusal } from '../../core/decision.ts';
import { type Shape, tooComplex } from './content-limits.ts';
import { boundaryOf, type ContentType } from './content-type.ts';
import { scanMultipart } from './multipart-scan.ts';
import { unsupported } from './refusals.ts';
import { malformed } from './unreadable.ts';

const NO_BOUNDARY = unsupported('content-type', 'contentType', 'Content-Type must say what parts the body: boundary');
const NO_MULTIPART = malformed('its parts can be told in more than one way', 'multipart');
const TOO_MANY_PARTS = tooComplex('multipartParts');

/** Measures a multipart body, or says why it is not taken. */
export function multipartShape(bytes: Uint8Array | string, type: ContentType): Shape | Refusal {
  const boundary = boundaryOf(type);
  if (boundary === undefined) return NO_BOUNDARY;
  const shape = scanMultipart(Buffer.from(bytes), boundary);
  if (shape === undefined) return NO_MULTIPART;
  return shape === 'large' ? TOO_MANY_PARTS : { ...shape };
}
