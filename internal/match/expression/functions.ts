import type { Meter } from '../../core/meter.ts';
import { sizeOf, toInt, toTimestamp, toUint } from './arithmetic.ts';
import {
  bytesToText,
  doubleToInt,
  doubleToText,
  doubleToUint,
  textToBool,
  textToBytes,
  textToDouble,
  textToInt,
  textToUint,
  typeValueOf,
} from './conversion.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  STRING,
  type StaticType,
  TIMESTAMP,
  TYPE,
  UINT,
} from './static-type.ts';
import * as text from './text.ts';
import { floorDiv, formatDuration, formatTimestamp, NANOSECONDS, parseDuration, parseTimestamp } from './time.ts';
import type { Duration, Result, Timestamp, TypeName, Uint, Value } from './value.ts';

type Kind = TypeName | 'dyn';
type Apply = (meter: Meter, ...values: readonly Value[]) => Result;

/** One overload: the kinds it takes (a member's receiver first), what it gives, and how. */
export interface Overload {
  readonly takes: readonly Kind[];
  readonly gives: StaticType;
  readonly apply: Apply;
}

/** Overloads of one function, called as `value.name(…)` and as `name(value, …)`. */
export interface FunctionRow {
  readonly member: readonly Overload[];
  readonly global: readonly Overload[];
}

/** `apply` is called only with values of the kinds in `takes`, which its own parameters repeat. */
const overload = (
  takes: readonly Kind[],
  gives: StaticType,
  apply: (meter: Meter, ...values: never[]) => Result,
): Overload => ({
  takes,
  gives,
  apply: apply as Apply,
});
const member = (...overloads: readonly Overload[]): FunctionRow => ({ member: overloads, global: [] });
const global = (...overloads: readonly Overload[]): FunctionRow => ({ member: [], global: overloads });
const same = (_: Meter, value: Value): Result => value;

const sizeValue = (meter: Meter, value: Value): Result => {
  const size = sizeOf(value, meter);
  return typeof size === 'number' ? BigInt(size) : size;
};
const SIZES = (['string', 'bytes', 'list', 'map'] as const).map((kind) => overload([kind], INT, sizeValue));

const TEXT_FUNCTIONS: Readonly<Record<string, FunctionRow>> = {
  contains: member(overload(['string', 'string'], BOOL, text.contains)),
  startsWith: member(overload(['string', 'string'], BOOL, text.startsWith)),
  endsWith: member(overload(['string', 'string'], BOOL, text.endsWith)),
  lowerAscii: member(overload(['string'], STRING, text.lowerAscii)),
  upperAscii: member(overload(['string'], STRING, text.upperAscii)),
  trim: member(overload(['string'], STRING, text.trim)),
  charAt: member(overload(['string', 'int'], STRING, text.charAt)),
  indexOf: member(
    overload(['string', 'string'], INT, text.indexOf),
    overload(['string', 'string', 'int'], INT, text.indexOf),
  ),
  lastIndexOf: member(
    overload(['string', 'string'], INT, text.lastIndexOf),
    overload(['string', 'string', 'int'], INT, text.lastIndexOf),
  ),
  substring: member(
    overload(['string', 'int'], STRING, text.substring),
    overload(['string', 'int', 'int'], STRING, text.substring),
  ),
  split: member(
    overload(['string', 'string'], listOf(STRING), text.split),
    overload(['string', 'string', 'int'], listOf(STRING), text.split),
  ),
  replace: member(
    overload(['string', 'string', 'string'], STRING, text.replace),
    overload(['string', 'string', 'string', 'int'], STRING, text.replace),
  ),
  join: member(overload(['list'], STRING, text.joinTexts), overload(['list', 'string'], STRING, text.joinTexts)),
};

const CONVERSIONS: Readonly<Record<string, FunctionRow>> = {
  int: global(
    overload(['int'], INT, same),
    overload(['uint'], INT, (_, a: Uint) => toInt(a.value)),
    overload(['double'], INT, (_, a: number) => doubleToInt(a)),
    overload(['string'], INT, (_, a: string) => textToInt(a)),
    overload(['timestamp'], INT, (_, a: Timestamp) => floorDiv(a.ns, NANOSECONDS)),
  ),
  uint: global(
    overload(['uint'], UINT, same),
    overload(['int'], UINT, (_, a: bigint) => toUint(a)),
    overload(['double'], UINT, (_, a: number) => doubleToUint(a)),
    overload(['string'], UINT, (_, a: string) => textToUint(a)),
  ),
  double: global(
    overload(['double'], DOUBLE, same),
    overload(['int'], DOUBLE, (_, a: bigint) => Number(a)),
    overload(['uint'], DOUBLE, (_, a: Uint) => Number(a.value)),
    overload(['string'], DOUBLE, textToDouble),
  ),
  string: global(
    overload(['string'], STRING, same),
    overload(['int'], STRING, (_, a: bigint) => String(a)),
    overload(['uint'], STRING, (_, a: Uint) => String(a.value)),
    overload(['double'], STRING, (_, a: number) => doubleToText(a)),
    overload(['bool'], STRING, (_, a: boolean) => String(a)),
    overload(['bytes'], STRING, bytesToText),
    overload(['timestamp'], STRING, (_, a: Timestamp) => formatTimestamp(a)),
    overload(['duration'], STRING, (_, a: Duration) => formatDuration(a.ns)),
  ),
  bool: global(
    overload(['bool'], BOOL, same),
    overload(['string'], BOOL, (_, a: string) => textToBool(a)),
  ),
  bytes: global(overload(['bytes'], BYTES, same), overload(['string'], BYTES, textToBytes)),
  timestamp: global(
    overload(['timestamp'], TIMESTAMP, same),
    overload(['string'], TIMESTAMP, (_, a: string) => parseTimestamp(a)),
    overload(['int'], TIMESTAMP, (_, a: bigint) => toTimestamp(a * NANOSECONDS)),
  ),
  duration: global(
    overload(['duration'], DURATION, same),
    overload(['string'], DURATION, (_, a: string) => parseDuration(a)),
  ),
  dyn: global(overload(['dyn'], DYN, same)),
  type: global(overload(['dyn'], TYPE, (_, a: Value) => typeValueOf(a))),
};

/** Every function that expressions may call, besides operators, macros, `matches` and the fields of times. */
export const FUNCTIONS: ReadonlyMap<string, FunctionRow> = new Map<string, FunctionRow>([
  ['size', { member: SIZES, global: SIZES }],
  ...Object.entries(TEXT_FUNCTIONS),
  ...Object.entries(CONVERSIONS),
]);
