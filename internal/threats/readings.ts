import { decodeEntities } from './decode-entities.ts';
import { decodeEscapes } from './decode-escapes.ts';
import { decodePercent } from './decode-percent.ts';
import { dropEighthBit, narrow } from './decode-width.ts';
import { TRAIT, traitsOf } from './traits.ts';

/** Most readings of one value; what is encoded more often than this is looked at as far as it got. */
export const MAX_READINGS = 10;

/** One way in which something behind us may read a value. */
export interface Reading {
  readonly text: string;
  readonly traits: number;
  /** Decodings behind it. */
  readonly depth: number;
}

interface Decoder {
  /** Traits without any of which it changes nothing. */
  readonly needs: number;
  readonly decode: (text: string) => string;
}

const PERCENT: Decoder = { needs: TRAIT.percent, decode: decodePercent };
const ENTITIES: Decoder = { needs: TRAIT.ampersand, decode: decodeEntities };
const ESCAPES: Decoder = { needs: TRAIT.backslash, decode: decodeEscapes };
const WIDTH: Decoder = { needs: TRAIT.wide, decode: narrow };
const CODED = TRAIT.plus | TRAIT.percent | TRAIT.ampersand | TRAIT.backslash | TRAIT.wide;

/** In the order in which layers take them off; every link is looked at, not the last alone. */
const CHAIN: readonly Decoder[] = [PERCENT, PERCENT, ENTITIES, ESCAPES, WIDTH, PERCENT, ENTITIES, ESCAPES];
/** Each also by itself, so that what one leaves alone cannot be hidden by what another would have made of it. */
const ALONE: readonly Decoder[] = [ENTITIES, ESCAPES, WIDTH];

/**
 * The value as it came, then every reading that differs; each in lower case.
 *
 * @param isForm `+` may be a blank
 */
export function* readingsOf(value: string, isForm: boolean): Generator<Reading> {
  const first = readingOf(value, 0);
  yield first;
  if (isCoded(first)) yield* otherReadings(value, first, isForm);
}

/** Whether any decoder has something to do. */
export const isCoded = ({ traits }: Reading): boolean => (traits & CODED) !== 0;

/** What follows the first reading. */
export function* otherReadings(value: string, first: Reading, isForm: boolean): Generator<Reading> {
  const seen = [first.text];
  for (const [text, depth] of decodings(value, first.traits, isForm)) {
    const next = readingOf(text, depth);
    if (seen.includes(next.text)) continue;
    seen.push(next.text);
    yield next;
    if (seen.length >= MAX_READINGS) return;
  }
}

/** Every link of the chain, then each decoder by itself; some may be alike. */
function* decodings(value: string, traits: number, isForm: boolean): Generator<readonly [text: string, depth: number]> {
  let text = value;
  let depth = 0;
  for (const { needs, decode } of CHAIN) {
    if ((traitsOf(text) & needs) === 0) continue;
    const decoded = decode(text);
    if (decoded === text) continue;
    if (decode === WIDTH.decode) yield [dropEighthBit(text), depth + 1];
    text = decoded;
    depth += 1;
    yield [text, depth];
  }
  for (const { needs, decode } of ALONE) if ((traits & needs) !== 0) yield [decode(value), 1];
  if (isForm && (traits & TRAIT.plus) !== 0) yield [decodePlus(value), 1];
}

/** A form's blanks, where nothing has taken them for such: not in a text that has others. */
function decodePlus(text: string): string {
  return text.includes(' ') ? text : text.replaceAll('+', ' ');
}

/** A text as detectors read it. */
export function readingOf(value: string, depth: number): Reading {
  const text = value.toLowerCase();
  return { text, traits: traitsOf(text), depth };
}
