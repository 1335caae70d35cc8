import { parsedBodyOf } from '../../core/attribute-readers.ts';
import type { Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import type { JsonShape } from '../../core/json-scan.ts';
import { contentTypeOf, isJson, isUtf8 } from './content-type.ts';
import { unreadable } from './json-limits.ts';
import { BODY_CUT, broken } from './refusals.ts';
import type { SeenBody } from './seen-body.ts';

/** A body as rules read it. */
export type Content =
  | { readonly kind: 'none' | 'other' }
  | { readonly kind: 'json'; readonly value: unknown; readonly shape: Readonly<JsonShape> };

const NONE: Content = Object.freeze({ kind: 'none' });
const OTHER: Content = Object.freeze({ kind: 'other' });

/** Most bytes of a body that are parsed, whatever its own limit: some milliseconds. */
export const MAX_PARSED = 1_048_576;

/**
 * Reads a body by the type that it says. Nothing is guessed: where an upstream that minds no types would find JSON in a
 * body that does not say so, it is refused, for no rule would have judged it.
 */
export function contentOf(evaluation: Evaluation, body: SeenBody): Content | Refusal {
  if (body.size === 0) return NONE;
  const { headers } = evaluation.request;
  const encoding = headers.get('content-encoding');
  if (encoding?.some((line) => line.toLowerCase() !== 'identity') ?? false) return ENCODED;
  const type = contentTypeOf(headers);
  if (type === undefined) return AMBIGUOUS;
  if (type === 'untold') return UNTOLD;
  if (type === 'none' || !isJson(type)) return beginsAsJson(body.bytes) ? UNDECLARED : OTHER;
  if (!isUtf8(type)) return WRONG_CHARSET;
  if (body.size > MAX_PARSED) return BODY_CUT;
  const parsed = parsedBodyOf(evaluation, body);
  return parsed.ok ? { kind: 'json', value: parsed.value, shape: parsed.shape } : unreadable(parsed.why);
}

/** Whether a body may have the type that it says. */
export function isTaken(types: ReadonlySet<string>, { request: { headers } }: Evaluation): boolean {
  const type = contentTypeOf(headers);
  return typeof type === 'object' && types.has(type.media);
}

/** Blanks, and what a byte order mark or UTF-16 puts before and between characters. */
const BEFORE: ReadonlySet<number> = new Set([
  0, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0xef, 0xbb, 0xbf, 0xfe, 0xff, 0xfeff,
]);

/** An object or a list by its first character, in whatever Unicode. */
function beginsAsJson(bytes: Uint8Array | string): boolean {
  const { length } = bytes;
  let start = 0;
  const at = (index: number): number => (typeof bytes === 'string' ? bytes.charCodeAt(index) : (bytes[index] ?? 0));
  while (start < length && BEFORE.has(at(start))) start += 1;
  const first = at(start);
  return first === 0x7b || first === 0x5b;
}

const refuse = (header: string, rule: string, detail: string): Refusal =>
  broken({ reason: 'unsupported_media_type', pointer: `/header/${header}`, rule, detail });

const ENCODED = refuse('content-encoding', 'contentEncoding', 'Send the body uncompressed');
const AMBIGUOUS = refuse('content-type', 'contentType', 'Content-Type must be sent once, with each parameter once');
const UNTOLD = refuse('content-type', 'contentType', 'The type of a body is not known here');
const UNDECLARED = refuse('content-type', 'contentType', 'The body begins as JSON: say so in Content-Type');
const WRONG_CHARSET = refuse('content-type', 'charset', 'JSON is UTF-8: send no other charset');
export const NOT_JSON = refuse('content-type', 'contentType', 'The body must be JSON here');
export const NOT_TAKEN = refuse('content-type', 'contentTypes', 'Content-Type names no type that is taken here');
