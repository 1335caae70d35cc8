import type { Meter } from '../../core/meter.ts';
import type { ValueRules } from './compile-field.ts';
import { isOfFormat } from './formats.ts';

/** What a value breaks, in JSON Schema's words. */
export type BrokenRule =
  | 'type'
  | 'format'
  | 'minLength'
  | 'maxLength'
  | 'pattern'
  | 'enum'
  | 'minimum'
  | 'maximum'
  | 'required'
  /** It came several times, if only in other letters, and which one counts is not known. */
  | 'repeated'
  /** It is no text, or nobody is told of it. */
  | 'readable';

/** Most characters that a pattern is held against: what is longer fits none. */
const MAX_PATTERN_TEXT = 4096;
const INTEGER = /^-?(?:0|[1-9][0-9]{0,308})$/;
const NUMBER = /^-?(?:0|[1-9][0-9]{0,308})(?:\.[0-9]{1,1024})?(?:[eE][+-]?[0-9]{1,4})?$/;

/** Judges the text of a header, cookie or parameter: numbers and truth are written there as in JSON. */
export function checkText(rules: ValueRules, text: string, meter: Meter): BrokenRule | undefined {
  if (!text.isWellFormed()) return 'readable';
  if (rules.type === 'String') return checkString(rules, text, meter);
  if (rules.type === 'Boolean') return text === 'true' || text === 'false' ? undefined : 'type';
  if (!(rules.type === 'Integer' ? INTEGER : NUMBER).test(text)) return 'type';
  const value = Number(text);
  return Number.isFinite(value) ? checkRange(rules, value) : 'type';
}

/** Judges a value of a JSON body. */
export function checkJson(rules: ValueRules, value: unknown, meter: Meter): BrokenRule | undefined {
  switch (rules.type) {
    case 'String':
      return typeof value === 'string' ? checkString(rules, value, meter) : 'type';
    case 'Integer':
      return Number.isInteger(value) ? checkRange(rules, value as number) : 'type';
    case 'Number':
      return typeof value === 'number' ? checkRange(rules, value) : 'type';
    case 'Boolean':
      return typeof value === 'boolean' ? undefined : 'type';
    case 'Array':
      return Array.isArray(value) ? undefined : 'type';
    case 'Object':
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'type';
  }
}

function checkString(rules: ValueRules, text: string, meter: Meter): BrokenRule | undefined {
  const { minLength, maxLength, format, enum: known, pattern } = rules;
  const isCounted = text.length > maxLength || text.length < 2 * minLength;
  const length = isCounted ? charactersIn(text) : text.length;
  if (length < minLength) return 'minLength';
  if (length > maxLength) return 'maxLength';
  if (known !== undefined && !known.has(text)) return 'enum';
  if (format !== undefined && !isOfFormat(format, text)) return 'format';
  if (pattern === undefined) return undefined;
  return text.length <= MAX_PATTERN_TEXT && pattern(meter, text) ? undefined : 'pattern';
}

/** Characters as JSON Schema counts them: code points. */
function charactersIn(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i += 1) if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) count -= 1;
  return count;
}

function checkRange({ minimum, maximum }: ValueRules, value: number): BrokenRule | undefined {
  if (value < minimum) return 'minimum';
  return value > maximum ? 'maximum' : undefined;
}
