import assert from 'node:assert/strict';
import { it } from 'node:test';
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';
import { inOneGo } from '../../core/breather.ts';
import { anEvaluation } from '../../core/evaluation.fixture.ts';
import { EXCLUDED } from './conformance.excluded.ts';
import { equals } from './equality.ts';
import { compileProgram, runProgram } from './expression.ts';
import type { Names } from './names.ts';
import { DYN } from './static-type.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import { isError, LiteralSource, MapValue, type Result, TypeValue, Uint, type Value } from './value.ts';

/** The suites of cel-spec whose language is ours: messages, enums, optional types and extensions are not in it. */
const SUITES = [
  'basic',
  'comparisons',
  'conversions',
  'fp_math',
  'integer_math',
  'lists',
  'logic',
  'macros',
  'parse',
  'string',
  'string_ext',
  'timestamps',
];

type Json = Readonly<Record<string, unknown>>;

interface Case {
  readonly name: string;
  readonly original: Json;
}

interface Suite {
  readonly name: string;
  readonly suites?: readonly Suite[];
  readonly tests?: readonly { readonly original: Json }[];
}

function casesOf(suite: Suite, path: string): Case[] {
  const own = (suite.tests ?? []).map(({ original }) => ({
    name: `${path}/${String(original.name).replaceAll(' ', '_')}`,
    original,
  }));
  return [...own, ...(suite.suites ?? []).flatMap((inner) => casesOf(inner, `${path}/${inner.name}`))];
}

function decode(json: unknown): Value {
  const [[kind, value] = ['', undefined]] = Object.entries(json as Json);
  switch (kind) {
    case 'int64Value':
      return BigInt(value as string);
    case 'uint64Value':
      return new Uint(BigInt(value as string));
    case 'doubleValue':
      return Number(value);
    case 'bytesValue':
      return Buffer.from(value as string, 'base64');
    case 'nullValue':
      return null;
    case 'typeValue':
      return new TypeValue(value as string);
    case 'objectValue':
      return decodeTime(value as { '@type': string; value: string });
    case 'listValue':
      return ((value as { values?: unknown[] }).values ?? []).map(decode);
    case 'mapValue':
      return decodeMap((value as { entries?: { key: unknown; value: unknown }[] }).entries ?? []);
    default:
      return value as string | boolean;
  }
}

function decodeTime({ '@type': type, value }: { readonly '@type': string; readonly value: string }): Value {
  if (!type.endsWith('.Duration') && !type.endsWith('.Timestamp')) return null;
  const time = type.endsWith('.Duration') ? parseDuration(value) : parseTimestamp(value);
  return isError(time) ? null : time;
}

function decodeMap(entries: readonly { key: unknown; value: unknown }[]): MapValue {
  const source = new LiteralSource();
  for (const { key, value } of entries) source.add(decode(key), decode(value));
  return new MapValue(source);
}

/** Variables that a case declares, of any type. */
const namesOf = (variables: ReadonlyMap<string, Value>): Names => ({
  known: [...variables.keys()],
  isPrefix: () => false,
  resolve: (name) =>
    variables.has(name) ? { type: DYN, run: (scope) => scope.variables.get(name) ?? null } : undefined,
});

/** @returns why a case fails; undefined when it passes */
function failureOf({ original }: Case): string | undefined {
  const given = Object.entries((original.bindings ?? {}) as Record<string, { value: unknown }>);
  const variables = new Map(given.map(([name, { value }]) => [name, decode(value)] as const));
  const program = inOneGo(compileProgram(String(original.expr), namesOf(variables)));
  const result = 'why' in program ? undefined : runProgram(program, anEvaluation(), variables);
  if (original.evalError !== undefined || original.anyEvalErrors !== undefined)
    return result === undefined || isError(result) ? undefined : 'gave no error';
  if (result === undefined) return 'why' in program ? program.why : '';
  const typed = original.typedResult as { result?: unknown } | undefined;
  return isSame(result, decode(original.value ?? typed?.result ?? { boolValue: true })) ? undefined : describe(result);
}

const isSame = (a: Result, b: Value): boolean =>
  !isError(a) && ((Number.isNaN(a) && Number.isNaN(b)) || equals(a, b, { work: 1e9, iterations: 0 }) === true);
const describe = (result: Result): string =>
  isError(result) ? result.message : JSON.stringify(result, (_, part) => (typeof part === 'bigint' ? `${part}` : part));

it('expressions pass the CEL conformance suites, but for the cases that are listed with their reasons', () => {
  const excluded = new Set(Object.values(EXCLUDED).flatMap((names) => names.trim().split(/\s+/)));
  const cases =
    (tests as unknown as Suite).suites
      ?.filter(({ name }) => SUITES.includes(name))
      .flatMap((suite) => casesOf(suite, suite.name)) ?? [];
  const failing = cases.map((test) => [test.name, failureOf(test)] as const).filter(([, why]) => why !== undefined);
  assert.deepEqual(
    failing.filter(([name]) => !excluded.has(name)),
    [],
  );
  const failed = new Set(failing.map(([name]) => name));
  assert.deepEqual(
    [...excluded].filter((name) => !failed.has(name)),
    [],
    'what passes is not excluded',
  );
  assert.deepEqual({ cases: cases.length, passed: cases.length - failing.length }, { cases: 1320, passed: 1102 });
});
