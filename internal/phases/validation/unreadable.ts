import type { Refusal } from '../../core/decision.ts';
import { DEEP, HUGE, LARGE, REPEATED_MEMBER, SURROGATE, SYNTAX } from '../../core/json-scan.ts';
import { NOT_UTF8 } from '../../core/strict-json.ts';
import { tooComplex } from './content-limits.ts';
import { broken } from './refusals.ts';

/** A body that has no one reading; `why` is a phrase of ours. */
export const malformed = (why: string, rule: string): Refusal =>
  broken({ reason: 'malformed_body', pointer: '/body', rule, detail: `The body cannot be read: ${why}` });

export const NOT_UTF8_BODY = malformed(NOT_UTF8, 'utf8');

/** Why JSON was not read: what `parseStrictJson` says, with the answer. */
const UNREADABLE: ReadonlyMap<string, Refusal> = new Map([
  [DEEP, tooComplex('jsonDepth')],
  [LARGE, tooComplex('jsonValues')],
  [HUGE, malformed(HUGE, 'number')],
  [REPEATED_MEMBER, malformed(REPEATED_MEMBER, 'uniqueMembers')],
  [SURROGATE, malformed(SURROGATE, 'utf8')],
  [NOT_UTF8, NOT_UTF8_BODY],
]);
const NOT_JSON = malformed(SYNTAX, 'json');

/** @param why as `parseStrictJson` says it */
export const unreadableJson = (why: string): Refusal => UNREADABLE.get(why) ?? NOT_JSON;
