import type { Refusal } from '../../core/decision.ts';
import { DEEP, HUGE, type JsonShape, LARGE, REPEATED_MEMBER, SURROGATE, SYNTAX } from '../../core/json-scan.ts';
import { NOT_UTF8 } from '../../core/strict-json.ts';
import { broken } from './refusals.ts';
import type { LimitsSpec } from './spec.ts';

/** A limit on a measure of a JSON body. */
export interface JsonLimit {
  readonly measure: keyof JsonShape;
  readonly most: number;
  readonly refusal: Refusal;
}

const MEASURES = {
  jsonDepth: 'depth',
  jsonValues: 'values',
  jsonMembers: 'members',
  jsonItems: 'items',
  jsonName: 'longestName',
  jsonString: 'longestString',
} as const satisfies Partial<Record<keyof LimitsSpec, keyof JsonShape>>;

/** The limits of a spec that are about JSON; undefined where it has none, and JSON is not read for them. */
export function jsonLimitsOf(spec: LimitsSpec): readonly JsonLimit[] | undefined {
  const limits: JsonLimit[] = [];
  for (const [rule, measure] of Object.entries(MEASURES)) {
    const most = spec[rule as keyof typeof MEASURES];
    if (most !== undefined) limits.push(Object.freeze({ measure, most, refusal: tooComplex(rule) }));
  }
  if (spec.jsonNumbers === 'Exact')
    limits.push(Object.freeze({ measure: 'largestNumber', most: Number.MAX_SAFE_INTEGER, refusal: INEXACT }));
  return limits.length === 0 && spec.jsonNumbers === undefined ? undefined : Object.freeze(limits);
}

function tooComplex(rule: string): Refusal {
  return broken({ reason: 'body_too_complex', pointer: '/body', rule, detail: 'The JSON is beyond a limit' });
}

const INEXACT = tooComplex('jsonNumbers');

const malformed = (why: string, rule: string): readonly [string, Refusal] => [
  why,
  broken({ reason: 'malformed_body', pointer: '/body', rule, detail: `The body cannot be read: ${why}` }),
];

/** Why JSON was not read: what `parseStrictJson` says, with the answer. */
const UNREADABLE: ReadonlyMap<string, Refusal> = new Map([
  [DEEP, tooComplex('jsonDepth')],
  [LARGE, tooComplex('jsonValues')],
  malformed(HUGE, 'number'),
  malformed(REPEATED_MEMBER, 'uniqueMembers'),
  malformed(SURROGATE, 'utf8'),
  malformed(NOT_UTF8, 'utf8'),
]);
const [, NOT_JSON] = malformed(SYNTAX, 'json');

/** @param why as `parseStrictJson` says it */
export const unreadable = (why: string): Refusal => UNREADABLE.get(why) ?? NOT_JSON;
