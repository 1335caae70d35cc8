import type { Steps } from '../../core/breather.ts';
import type { Refusal } from '../../core/decision.ts';
import type { Mode } from '../../core/evaluation.ts';
import type { ProblemList } from '../../core/problem.ts';
import type { PartsBudget } from '../../match/expression/dear-parts.ts';
import type { Search } from '../../match/expression/metered-search.ts';
import { compilePattern } from '../../match/expression/pattern.ts';
import { compilePathTemplates, type PathMatcher } from '../../match/path-template.ts';
import type { FieldSpec } from './field-spec.ts';
import type { Format } from './formats.ts';

/** Where a value stands. */
export type FieldPlace =
  | { readonly kind: 'path' | 'query' | 'header' | 'cookie'; readonly name: string }
  | { readonly kind: 'body'; readonly tokens: readonly string[] };

/** One rule of `fields`. */
export interface FieldRule {
  readonly name: string;
  readonly mode: Mode;
  readonly methods: ReadonlySet<string> | undefined;
  readonly paths: PathMatcher | undefined;
  readonly place: FieldPlace;
  /** Of the error: the place, and what of it. */
  readonly pointer: string;
  /** Names the rule; errors are put to it. */
  readonly refusal: Refusal;
  readonly required: boolean;
  readonly value: ValueRules;
}

/** What a value has to be. */
export interface ValueRules {
  readonly type: FieldSpec['type'];
  readonly format: Format | undefined;
  readonly minLength: number;
  readonly maxLength: number;
  readonly pattern: Search | undefined;
  readonly enum: ReadonlySet<string> | undefined;
  readonly minimum: number;
  readonly maximum: number;
}

export interface FieldsContext {
  /** Of the section, which covers its rules. */
  readonly mode: Mode;
  /** Parameters that every template of the target has. */
  readonly params: readonly string[];
  /** What the policy's patterns may use together. */
  readonly budget: PartsBudget;
}

/** Compiles `fields`, in the order of their names: the one they were written in has no meaning. */
export function* compileFields(
  specs: readonly FieldSpec[],
  context: FieldsContext,
  problems: ProblemList,
): Steps<readonly FieldRule[]> {
  const fields: FieldRule[] = [];
  for (const [index, spec] of specs.entries()) {
    yield;
    const field = yield* compileField(spec, context, problems.at(index));
    if (field !== undefined) fields.push(field);
  }
  return Object.freeze(fields.sort((a, b) => (a.name < b.name ? -1 : 1)));
}

function* compileField(spec: FieldSpec, context: FieldsContext, problems: ProblemList): Steps<FieldRule | undefined> {
  const place = placeOf(spec);
  if (place === undefined) return undefined;
  // A rule only ever refuses: as in a deny, `/ADMIN` is `/admin`.
  const paths = spec.paths && compilePathTemplates(spec.paths, { caseInsensitive: true }, problems.at('paths'));
  if (spec.paths !== undefined && paths === undefined) return undefined;
  if (place.kind === 'path' && !(paths?.parameters ?? context.params).includes(place.name)) {
    const where = spec.paths === undefined ? 'the target' : 'paths';
    problems
      .at('path')
      .at('name')
      .error(
        'Invalid',
        `"${place.name}" is not in every template of ${where}: name a parameter that is, or give paths`,
      );
    return undefined;
  }
  const pattern =
    spec.pattern === undefined ? undefined : yield* wholeMatch(spec.pattern, context, problems.at('pattern'));
  if (spec.pattern !== undefined && pattern === undefined) return undefined;
  const reason = place.kind === 'body' ? 'invalid_body' : 'invalid_parameter';
  return Object.freeze({
    name: spec.name,
    mode: context.mode === 'Audit' ? 'Audit' : (spec.mode ?? 'Enforce'),
    methods: spec.methods && new Set(spec.methods),
    paths,
    place,
    pointer: pointerOf(spec, place),
    refusal: Object.freeze({ reason, rule: spec.name }),
    required: spec.required,
    value: Object.freeze({
      type: spec.type,
      format: spec.format,
      minLength: spec.minLength ?? 0,
      maxLength: spec.maxLength ?? Number.POSITIVE_INFINITY,
      pattern,
      enum: spec.enum && new Set(spec.enum),
      minimum: spec.minimum ?? Number.NEGATIVE_INFINITY,
      maximum: spec.maximum ?? Number.POSITIVE_INFINITY,
    }),
  });
}

function placeOf({ path, query, header, cookie, body }: FieldSpec): FieldPlace | undefined {
  if (path !== undefined) return { kind: 'path', name: path.name };
  if (query !== undefined) return { kind: 'query', name: query.name };
  if (header !== undefined) return { kind: 'header', name: header.name };
  if (cookie !== undefined) return { kind: 'cookie', name: cookie.name };
  return body && { kind: 'body', tokens: body.pointer.split('/').slice(1).map(unescapeToken) };
}

const unescapeToken = (token: string): string => token.replaceAll('~1', '/').replaceAll('~0', '~');
const escapeToken = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const pointerOf = ({ body }: FieldSpec, place: FieldPlace): string =>
  place.kind === 'body' ? `/body${body?.pointer}` : `/${place.kind}/${escapeToken(place.name)}`;

/** A pattern that has to fit all of a value. One that is a pattern only in pieces, as `a)|(b`, is none. */
function* wholeMatch(pattern: string, { budget }: FieldsContext, problems: ProblemList): Steps<Search | undefined> {
  const alone = compilePattern(pattern);
  yield;
  const compiled = typeof alone === 'string' ? alone : compilePattern(`\\A(?:${pattern})\\z`);
  const why = typeof compiled === 'string' ? compiled : budget.take({ patterns: compiled.weight, zones: NO_ZONES });
  if (typeof compiled !== 'string' && why === undefined) return compiled.test;
  problems.error('Invalid', `The pattern cannot be used: ${why}`);
  return undefined;
}

const NO_ZONES: ReadonlySet<string> = new Set();
