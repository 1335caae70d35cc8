import { headerValues } from '../../core/attribute-readers.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { ExpressionError } from '../../core/expression-error.ts';
import { type BrokenRule, checkJson, checkText } from './check-value.ts';
import type { FieldRule } from './compile-field.ts';
import { hasOtherCase } from './other-case.ts';

/** Whether a rule is for a request: by any reading of its path, as with a deny. */
export function appliesTo({ methods, paths }: FieldRule, { request }: Evaluation): boolean {
  if (methods !== undefined && !methods.has(request.method)) return false;
  if (paths === undefined) return true;
  const { kept, others } = request.readings;
  return paths.match(kept) !== undefined || others.some((reading) => paths.match(reading) !== undefined);
}

/**
 * What the value of a rule breaks; undefined where all is well.
 *
 * @param body as it was parsed; undefined where there is none
 */
export function brokenRule(field: FieldRule, evaluation: Evaluation, body: unknown): BrokenRule | undefined {
  const { place, value } = field;
  switch (place.kind) {
    case 'path':
      return brokenInPath(field, place.name, evaluation);
    case 'query': {
      const { query } = evaluation.request;
      return hasOtherCase(query, place.name) ? 'repeated' : brokenInValues(field, query.get(place.name), evaluation);
    }
    case 'header':
      return brokenInValues(field, headerValues(evaluation, place.name), evaluation);
    case 'cookie':
      return brokenInCookie(field, place.name, evaluation);
    case 'body': {
      const found = place.tokens.reduce(memberAt, body);
      if (found === SEVERAL) return 'repeated';
      return found === undefined ? missing(field) : checkJson(value, found, evaluation);
    }
  }
}

/** Every reading of the path that the rule is for has to hold a good value. */
function brokenInPath({ paths, value }: FieldRule, name: string, evaluation: Evaluation): BrokenRule | undefined {
  const { kept, others } = evaluation.request.readings;
  for (let i = -1; i < others.length; i += 1) {
    const reading = i === -1 ? kept : others[i];
    if (reading === undefined) continue;
    const params = paths ? paths.match(reading) : evaluation.targetParamsBy(reading);
    if (params === undefined) continue;
    const text = params.get(name);
    // Templates that have the parameter give it: without one nothing would be judged.
    const broken = text === undefined ? 'required' : checkText(value, text, evaluation);
    if (broken !== undefined) return broken;
  }
  return undefined;
}

function brokenInCookie(field: FieldRule, name: string, evaluation: Evaluation): BrokenRule | undefined {
  const { cookies } = evaluation.request;
  if (cookies === undefined) return 'readable';
  if (hasOtherCase(cookies, name)) return 'repeated';
  const text = cookies.get(name);
  if (text === null) return 'repeated';
  return text === undefined ? missing(field) : checkText(field.value, text, evaluation);
}

function brokenInValues(
  field: FieldRule,
  values: readonly string[] | ExpressionError | undefined,
  evaluation: Evaluation,
): BrokenRule | undefined {
  if (values instanceof ExpressionError) return 'readable';
  if (values === undefined || values.length === 0) return missing(field);
  return values.length > 1 ? 'repeated' : checkText(field.value, values[0] ?? '', evaluation);
}

const missing = ({ required }: FieldRule): BrokenRule | undefined => (required ? 'required' : undefined);

/** Which member is meant is not known, nor what is in it. */
const SEVERAL: object = Object.freeze({});

const INDEX = /^(?:0|[1-9][0-9]{0,8})$/;

/** Of a list by index alone: its length is no member. */
function memberAt(value: unknown, token: string): unknown {
  if (Array.isArray(value)) return INDEX.test(token) ? (value as readonly unknown[])[Number(token)] : undefined;
  if (typeof value !== 'object' || value === null || value === SEVERAL) return value === SEVERAL ? SEVERAL : undefined;
  if (hasOtherCase(value as Readonly<Record<string, unknown>>, token)) return SEVERAL;
  if (!Object.hasOwn(value, token)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[token];
}
