import type { z } from 'zod';
import { nearest } from '../../core/nearest.ts';
import { glimpse } from './glimpse.ts';

type RawIssue = z.core.$ZodRawIssue;

const KIND_WORDS: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  null: 'nothing',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'text',
};

/** What is wrong with one value and what to write instead, for issues whose schema has no words of its own. */
export function issueText(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `${typeText(String(issue.expected), issue.input)}${referenceHint(issue)}`;
    case 'invalid_value':
      return choiceText(issue.values ?? [], issue.input);
    case 'too_small':
      return boundText(issue, issue.exact === true ? 'exactly' : 'at least', Number(issue.minimum));
    case 'too_big':
      return boundText(issue, issue.exact === true ? 'exactly' : 'at most', Number(issue.maximum));
    default:
      return issue.message ?? 'is not valid';
  }
}

function typeText(expected: string, input: unknown): string {
  if (input === undefined) return 'this field is required';
  const wanted = KIND_WORDS[expected] ?? expected;
  const found = wordOf(input);
  if (found === wanted) return `must be ${wanted} of at most 2^53`;
  const hint = expected === 'string' && (typeof input === 'number' || typeof input === 'boolean') ? ': quote it' : '';
  return `must be ${wanted}, not ${found}${hint}`;
}

/** A reference is an object so that it may say more one day; authors write the name alone. */
function referenceHint({ inst, input }: RawIssue): string {
  const { shape } = (inst?._zod.def ?? {}) as { readonly shape?: Readonly<Record<string, unknown>> };
  const isReference = shape !== undefined && Object.keys(shape).join() === 'name';
  return isReference && typeof input === 'string' ? `: write {name: ${glimpse(input)}}` : '';
}

function wordOf(input: unknown): string {
  if (input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'number') return Number.isInteger(input) ? 'a whole number' : 'a number with a fraction';
  return KIND_WORDS[typeof input] ?? typeof input;
}

function choiceText(values: readonly unknown[], input: unknown): string {
  const words = values.map(String);
  const hint = typeof input === 'string' ? nearest(input, words) : undefined;
  const known = `must be one of ${words.join(', ')}`;
  return hint === undefined ? known : `${known}: did you mean "${hint}"?`;
}

function boundText({ origin }: RawIssue, how: string, bound: number): string {
  if (origin === 'array') return `must have ${how} ${bound} ${bound === 1 ? 'item' : 'items'}`;
  if (origin === 'string') return `must have ${how} ${bound} ${bound === 1 ? 'character' : 'characters'}`;
  return `must be ${how} ${bound}`;
}
