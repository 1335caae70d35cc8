import { parsedBodyOf } from '../../core/attribute-readers.ts';
import type { Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import type { ContentKind, Shape } from './content-limits.ts';
import {
  type ContentType,
  contentTypeOf,
  isForm,
  isGraphql,
  isJson,
  isMultipart,
  isUtf8,
  isXml,
} from './content-type.ts';
import { formShape } from './form.ts';
import { plainBody } from './inflate.ts';
import { multipartShape } from './multipart.ts';
import { BODY_CUT, unsupported } from './refusals.ts';
import type { SeenBody } from './seen-body.ts';
import { undeclared } from './undeclared.ts';
import { NOT_UTF8_BODY, unreadableJson } from './unreadable.ts';
import { xmlShape } from './xml.ts';

/** A body as rules read it. */
export type Content =
  | { readonly kind: 'none' | 'other' }
  | { readonly kind: 'json'; readonly value: unknown; readonly shape: Shape }
  | { readonly kind: 'form' | 'xml' | 'multipart'; readonly shape: Shape }
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
 * Reads a body by the type that it says. Nothing is guessed: what begins as a kind that is judged and says another is
 * refused, and of what nobody judges nothing is read.
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
  const lie = undeclared(plain.bytes, kind, kinds);
  if (lie !== undefined) return lie;
  if (type === 'none' || kind === undefined || !kinds.has(kind)) return OTHER;
  if (kind === 'multipart') return measured(kind, multipartShape(plain.bytes, type));
  if (kind !== 'form' && !isUtf8(type)) return WRONG_CHARSET;
  if (plain.size > MAX_PARSED) return BODY_CUT;
  if (kind === 'form') return { kind, shape: formShape(plain.bytes) };
  if (kind === 'json') return json(evaluation, plain, plain === body);
  const text = textOf(plain.bytes);
  if (text === undefined) return NOT_UTF8_BODY;
  return kind === 'xml' ? measured(kind, xmlShape(text)) : { kind, text };
}

const measured = (kind: 'xml' | 'multipart', shape: Shape | Refusal): Content | Refusal =>
  'reason' in shape ? shape : { kind, shape };

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
  if (isMultipart(type)) return 'multipart';
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

const refuse = (rule: string, detail: string): Refusal => unsupported('content-type', rule, detail);
const AMBIGUOUS = refuse('contentType', 'Content-Type must be sent once, with each parameter once');
const UNTOLD = refuse('contentType', 'The type of a body is not known here');
const WRONG_CHARSET = refuse('charset', 'Send the body as UTF-8');
export const NOT_JSON = refuse('contentType', 'The body must be JSON here');
export const NOT_TAKEN = refuse('contentTypes', 'Content-Type names no type that is taken here');
