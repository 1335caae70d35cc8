import { gunzipSync, inflateSync } from 'node:zlib';
import type { HeaderFields } from '../../core/attributes.ts';
import type { Refusal } from '../../core/decision.ts';
import { BODY_CUT, broken, unsupported } from './refusals.ts';
import type { SeenBody } from './seen-body.ts';

/** Codings that are undone (RFC 9110 §8.4.1); others may take memory that no limit of ours bounds. */
const CODINGS: ReadonlyMap<string, typeof gunzipSync> = new Map([
  ['gzip', gunzipSync],
  ['x-gzip', gunzipSync],
  ['deflate', inflateSync],
]);

const UNKNOWN = unsupported(
  'content-encoding',
  'contentEncoding',
  'Send the body uncompressed, or with one gzip or deflate',
);
const ENCODED = unsupported('content-encoding', 'contentEncoding', 'Send the body uncompressed');
const BROKEN = broken({
  reason: 'malformed_body',
  pointer: '/body',
  rule: 'contentEncoding',
  detail: 'The body cannot be read: it is not what Content-Encoding says',
});

/**
 * The body that an upstream reads behind Content-Encoding.
 *
 * @param most bytes that it may inflate to; undefined where nobody allows compressed bodies
 */
export function plainBody(headers: HeaderFields, body: SeenBody, most: number | undefined): SeenBody | Refusal {
  const lines = headers.get('content-encoding');
  if (lines === undefined) return body;
  const [coding = ''] = lines.map((line) => line.toLowerCase());
  if (lines.length === 1 && coding === 'identity') return body;
  if (most === undefined) return ENCODED;
  const undo = lines.length === 1 ? CODINGS.get(coding) : undefined;
  return undo === undefined ? UNKNOWN : inflated(undo, body, most);
}

/** What stands behind the end of the stream some readers drop and others read: it is no reading. */
function inflated(undo: typeof gunzipSync, { bytes, size }: SeenBody, most: number): SeenBody | Refusal {
  try {
    const options = { maxOutputLength: most, info: true };
    const { buffer, engine } = undo(bytes, options) as unknown as Undone;
    return engine.bytesWritten === size ? { bytes: buffer, size: buffer.length } : BROKEN;
  } catch (error) {
    return (error as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE' ? BODY_CUT : BROKEN;
  }
}

/** What `info` makes of the answer. */
interface Undone {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}
