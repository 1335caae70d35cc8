import assert from 'node:assert/strict';
import { it } from 'node:test';
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';
import type { Names } from './attributes.ts';
import { compileProgram } from './expression.ts';
import { MAX_ITERATIONS, type Scope } from './node.ts';
import { DYN } from './static-type.ts';
import {
  Duration,
  equals,
  isError,
  LiteralSource,
  MapValue,
  type Result,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from './value.ts';

/** The suites of cel-spec whose language is ours; messages, enums and optional types are not in it. */
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

/** What is not offered, by what a case needs, with the reason that the docs give. */
const EXCLUDED: readonly { readonly why: string; readonly matches: (test: Case) => boolean }[] = [
  {
    why: 'protobuf messages and enums',
    matches: ({ text }) =>
      /TestAll|NestedTest|google\.protobuf|GlobalEnum|proto[23]|\bcel\.|objectValue|enumValue/.test(text),
  },
  {
    why: 'types as values',
    matches: ({ expr }) =>
      /\btype\(|\b(?:int|uint|double|bool|string|bytes|list|map|null_type|type)\b(?!\()/.test(stripTexts(expr)),
  },
  { why: 'string formatting and quoting', matches: ({ expr }) => /\.format\(|strings\.quote|\.reverse\(/.test(expr) },
  { why: 'optional values and backtick fields', matches: ({ expr }) => /optional\.|\[\?|\.\?|`/.test(expr) },
];

interface Case {
  readonly name: string;
  readonly expr: string;
  readonly text: string;
  readonly original: Readonly<Record<string, unknown>>;
}

interface Suite {
  readonly name: string;
  readonly suites?: readonly Suite[];
  readonly tests?: readonly { readonly original: Readonly<Record<string, unknown>> }[];
}

const stripTexts = (expr: string): string => expr.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');

function casesOf(suite: Suite, path: string): Case[] {
  const own = (suite.tests ?? []).map(({ original }) => ({
    name: `${path}/${String(original['name'] ?? original['expr'])}`,
    expr: String(original['expr']),
    text: JSON.stringify(original),
    original,
  }));
  return [...own, ...(suite.suites ?? []).flatMap((inner) => casesOf(inner, `${path}/${inner.name}`))];
}

function decode(json: unknown): Value {
  const [[kind, value] = ['', undefined]] = Object.entries(json as Record<string, unknown>);
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
    case 'listValue':
      return ((value as { values?: unknown[] }).values ?? []).map(decode);
    case 'mapValue':
      return decodeMap((value as { entries?: { key: unknown; value: unknown }[] }).entries ?? []);
    default:
      return value as string | boolean;
  }
}

function decodeMap(entries: readonly { key: unknown; value: unknown }[]): MapValue {
  const source = new LiteralSource();
  for (const { key, value } of entries) source.add(decode(key), decode(value));
  return new MapValue(source);
}

function namesOf(bindings: ReadonlyMap<string, Value>): Names {
  return {
    known: [...bindings.keys()],
    params: [],
    isPrefix: () => false,
    resolve: (name) =>
      bindings.has(name) ? { type: DYN, run: (scope) => scope.variables.get(name) ?? null } : undefined,
  };
}

function run({ expr, original }: Case): Result | { readonly refused: string } {
  const given = Object.entries((original['bindings'] ?? {}) as Record<string, { value: unknown }>);
  const variables = new Map(given.map(([name, { value }]) => [name, decode(value)] as const));
  const program = compileProgram(expr, namesOf(variables));
  if ('why' in program) return { refused: program.why };
  const scope: Scope = { evaluation: {} as Scope['evaluation'], slots: [], budget: MAX_ITERATIONS, variables };
  return program.node.run(scope);
}

/** Cases that run without a type check: here the check is never off, so what they try is refused when a policy arrives. */
const REFUSED = 'names or types that the check refuses';
const isRefused = (result: unknown): result is { readonly refused: string } =>
  typeof result === 'object' && result !== null && 'refused' in result;
const show = (result: unknown): string =>
  JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
const isSame = (a: Value, b: Value): boolean =>
  equals(a, b) ||
  (Number.isNaN(a) && Number.isNaN(b)) ||
  (a instanceof Timestamp && b instanceof Timestamp && a.ns === b.ns) ||
  (a instanceof Duration && b instanceof Duration && a.ns === b.ns) ||
  (a instanceof TypeValue && b instanceof TypeValue && a.name === b.name);

it('expressions pass every case of the CEL conformance suites whose language they speak', () => {
  const failures: string[] = [];
  const excluded = new Map<string, number>();
  let passed = 0;
  const suites = (tests as unknown as Suite).suites?.filter((suite) => SUITES.includes(suite.name)) ?? [];
  for (const test of suites.flatMap((suite) => casesOf(suite, suite.name))) {
    const exclusion = EXCLUDED.find(({ matches }) => matches(test));
    if (exclusion !== undefined) {
      excluded.set(exclusion.why, (excluded.get(exclusion.why) ?? 0) + 1);
      continue;
    }
    const result = run(test);
    if (test.original['disableCheck'] === true && isRefused(result) && test.original['value'] !== undefined) {
      excluded.set(REFUSED, (excluded.get(REFUSED) ?? 0) + 1);
      continue;
    }
    const isFailure = isError(result) || isRefused(result);
    const wantsError = test.original['evalError'] !== undefined || test.original['anyEvalErrors'] !== undefined;
    const expected = (test.original['value'] ??
      (test.original['typedResult'] as { result?: unknown } | undefined)?.result ?? { boolValue: true }) as object;
    const isRight = wantsError ? isFailure : !isFailure && isSame(result as Value, decode(expected));
    if (isRight) passed += 1;
    else
      failures.push(
        `${test.name}: ${test.expr} gave ${show(result)}, expected ${wantsError ? 'an error' : show(expected)}`,
      );
  }
  assert.deepEqual(failures, []);
  assert.deepEqual(
    { passed, excluded: Object.fromEntries([...excluded].sort()) },
    {
      passed: 1023,
      excluded: {
        'names or types that the check refuses': 24,
        'optional values and backtick fields': 28,
        'protobuf messages and enums': 107,
        'string formatting and quoting': 108,
        'types as values': 30,
      },
    },
  );
});
