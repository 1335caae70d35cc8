import type { InputError } from '../../core/decision.ts';
import type { Evaluation, Mode, StepResult } from '../../core/evaluation.ts';
import type { FieldRule } from './compile-field.ts';
import { appliesTo, brokenRule } from './read-field.ts';

/** Most errors that one answer names. */
export const MAX_ERRORS = 8;

/**
 * Judges rules of single values. Pointers and rules of the errors are the author's words: nothing in them was sent.
 *
 * @param body as it was parsed, for rules of the body; undefined where there is none
 */
export function judgeFields(fields: readonly FieldRule[], evaluation: Evaluation, body?: unknown): StepResult {
  let errors: InputError[] | undefined;
  let first: FieldRule | undefined;
  for (let i = 0; i < fields.length; i += 1) {
    const field = fields[i];
    if (field === undefined) throw new Error('A list of fields has a hole');
    if (!appliesTo(field, evaluation)) continue;
    const rule = brokenRule(field, evaluation, body);
    if (rule === undefined || evaluation.refuse(field.refusal, field.mode) === undefined) continue;
    first ??= field;
    errors ??= [];
    if (errors.length < MAX_ERRORS) errors.push({ pointer: field.pointer, rule });
  }
  if (first === undefined || errors === undefined) return undefined;
  const words = errors.map(({ pointer, rule }) => `${pointer} (${rule})`).join(', ');
  return { ...first.refusal, detail: `Not valid: ${words}`, errors };
}

/** How strictly some rule asks for the body of a request; undefined where none does. */
export function strictestOf(fields: readonly FieldRule[], evaluation: Evaluation): Mode | undefined {
  let mode: Mode | undefined;
  for (let i = 0; i < fields.length && mode !== 'Enforce'; i += 1) {
    const field = fields[i];
    if (field !== undefined && appliesTo(field, evaluation)) mode = field.mode;
  }
  return mode;
}
