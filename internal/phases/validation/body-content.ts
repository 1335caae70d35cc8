import { parsedBodyOf } from '../../core/attribute-readers.ts';
import type { Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import type { ContentKind, Shape } from './content-limits.ts';
import { type ContentType, contentTypeOf, isForm, isGraphql, isJson, isUtf8, isXml } from './content-type.ts';
import { formShape } from './form.ts';
import { plainBody } from './inflate.ts';
import { BODY_CUT, unsupported } from './refusals.ts';
import type { SeenBody } from './seen-body.ts';
import { NOT_UTF8_BODY, unreadableJson } from './unreadable.ts';
import { xmlShape } from './xml.ts';

/** A body as rules read it. */
export type Content =
  | { readonly kind: 'none' | 'other' }
  | { readonly kind: 'json'; readonly value: unknown; readonly shape: Shape }
  | { readonly kind: 'form' | 'xml'; readonly shape: Shape }
  | { readonly kind: 'graphql'; readonly text: string };

export interface ContentOptions {
  /** What is to be read; bodies of other kinds are let be. */
  readonly kinds: ReadonlySet<ContentKind>;
  /** Most bytes that a compressed body may inflate to; undefined where none may be compressed. */
  readonly maxInflated: number | undefined;
}

const NONE: Content = Object.freeze({ kind: 'none' });
const OTHER: Content = Object.freeze({ kind: 'other' });

/** Most bytes of a body that are parsed, whatever its own limit: some milliseconds. */
export const MAX_PARSED = 1_048_576;

/**
 * Reads a body by the type that it says. Nothing is guessed: where an upstream that minds no types would find JSON in a
 * body that does not say so, it is refused, for no rule would have judged it.
 */
export function contentOf(evaluation: Evaluation, body: SeenBody, options: ContentOptions): Content | Refusal {
  if (body.size === 0) return NONE;
  const { headers } = evaluation.request;
  const plain = plainBody(headers, body, options.maxInflated);
  if ('reason' in plain) return plain;
  const { kinds } = options;
  if (kinds.size === 0) return OTHER;
  const type = contentTypeOf(headers);
  if (type === undefined) return AMBIGUOUS;
  if (type === 'untold') return UNTOLD;
  const kind = type === 'none' ? undefined : kindOf(type);
  const undeclared = undeclaredKind(plain.bytes, kind, kinds);
  if (undeclared !== undefined) return undeclared;
  if (kind === undefined || !kinds.has(kind)) return OTHER;
  if (kind !== 'form' && type !== 'none' && !isUtf8(type)) return WRONG_CHARSET;
  if (plain.size > MAX_PARSED) return BODY_CUT;
  if (kind === 'form') return { kind, shape: formShape(plain.bytes) };
  if (kind === 'json') return json(evaluation, plain, plain === body);
  const text = textOf(plain.bytes);
  if (text === undefined) return NOT_UTF8_BODY;
  if (kind === 'graphql') return { kind, text };
  const shape = xmlShape(text);
  return 'reason' in shape ? shape : { kind, shape };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array | string): string | undefined {
  try {
    return typeof bytes === 'string' ? bytes : decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function kindOf(type: ContentType): ContentKind | undefined {
  if (isJson(type)) return 'json';
  if (isXml(type)) return 'xml';
  if (isGraphql(type)) return 'graphql';
  return isForm(type) ? 'form' : undefined;
}

/** @param isSent what expressions read too, so that it is parsed once; what was inflated they do not see */
function json(evaluation: Evaluation, plain: SeenBody, isSent: boolean): Content | Refusal {
  if (!isSent) evaluation.work -= plain.size >> 1;
  const parsed = isSent ? parsedBodyOf(evaluation, plain) : parseStrictJson(plain.bytes);
  return parsed.ok ? { kind: 'json', value: parsed.value, shape: parsed.shape } : unreadableJson(parsed.why);
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

/** Whether a body begins as a kind that is judged and that it does not say. */
function undeclaredKind(
  bytes: Uint8Array | string,
  declared: ContentKind | undefined,
  kinds: ReadonlySet<ContentKind>,
): Refusal | undefined {
  const first = firstCode(bytes);
  // A GraphQL document begins as JSON does, and is read where it is judged.
  if (declared === 'graphql' && kinds.has('graphql')) return undefined;
  if (declared !== 'json' && kinds.has('json') && (first === 0x7b || first === 0x5b)) return UNDECLARED_JSON;
  return declared !== 'xml' && kinds.has('xml') && first === 0x3c ? UNDECLARED_XML : undefined;
}

/** The first character that says what follows, in whatever Unicode. */
function firstCode(bytes: Uint8Array | string): number {
  const { length } = bytes;
  let start = 0;
  const at = (index: number): number => (typeof bytes === 'string' ? bytes.charCodeAt(index) : (bytes[index] ?? 0));
  while (start < length && BEFORE.has(at(start))) start += 1;
  return at(start);
}

const refuse = (rule: string, detail: string): Refusal => unsupported('content-type', rule, detail);
const AMBIGUOUS = refuse('contentType', 'Content-Type must be sent once, with each parameter once');
const UNTOLD = refuse('contentType', 'The type of a body is not known here');
const UNDECLARED_JSON = refuse('contentType', 'The body begins as JSON: say so in Content-Type');
const UNDECLARED_XML = refuse('contentType', 'The body begins as XML: say so in Content-Type');
const WRONG_CHARSET = refuse('charset', 'Send the body as UTF-8');
export const NOT_JSON = refuse('contentType', 'The body must be JSON here');
export const NOT_TAKEN = refuse('contentTypes', 'Content-Type names no type that is taken here');
