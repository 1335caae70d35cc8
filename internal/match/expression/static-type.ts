import type { TypeName } from './value.ts';

/** What is known of a value before it exists. `dyn` may be anything. */
export interface StaticType {
  readonly name: TypeName | 'dyn';
  /** Of a list's members. */
  readonly element?: StaticType;
  /** Of a map's keys and values. */
  readonly key?: StaticType;
  readonly value?: StaticType;
}

const type = (name: StaticType['name']): StaticType => Object.freeze({ name });
export const DYN = type('dyn');
export const BOOL = type('bool');
export const INT = type('int');
export const UINT = type('uint');
export const DOUBLE = type('double');
export const STRING = type('string');
export const BYTES = type('bytes');
export const TIMESTAMP = type('timestamp');
export const DURATION = type('duration');
export const NULL = type('null');
export const TYPE = type('type');
export const listOf = (element: StaticType): StaticType => Object.freeze({ name: 'list', element });
export const mapOf = (key: StaticType, value: StaticType): StaticType => Object.freeze({ name: 'map', key, value });

export const elementTypeOf = (t: StaticType): StaticType => t.element ?? DYN;
export const keyTypeOf = (t: StaticType): StaticType => t.key ?? DYN;
export const valueTypeOf = (t: StaticType): StaticType => t.value ?? DYN;

export function describeType(t: StaticType): string {
  if (t.name === 'list') return `list(${describeType(elementTypeOf(t))})`;
  if (t.name === 'map') return `map(${describeType(keyTypeOf(t))}, ${describeType(valueTypeOf(t))})`;
  return t.name;
}

const NUMERIC: ReadonlySet<string> = new Set(['int', 'uint', 'double']);
export const isNumeric = (t: StaticType): boolean => NUMERIC.has(t.name);

/** Whether a value of one could be equal to a value of the other; null may stand for any absent attribute. */
export function comparable(a: StaticType, b: StaticType): boolean {
  if (a.name === 'dyn' || b.name === 'dyn' || a.name === 'null' || b.name === 'null') return true;
  if (isNumeric(a) && isNumeric(b)) return true;
  if (a.name !== b.name) return false;
  if (a.name === 'list') return comparable(elementTypeOf(a), elementTypeOf(b));
  return a.name !== 'map' || (comparable(keyTypeOf(a), keyTypeOf(b)) && comparable(valueTypeOf(a), valueTypeOf(b)));
}

/** The type of a place that may hold either. */
export function join(a: StaticType, b: StaticType): StaticType {
  if (a.name !== b.name) return DYN;
  if (a.name === 'list') return listOf(join(elementTypeOf(a), elementTypeOf(b)));
  return a.name === 'map' ? mapOf(join(keyTypeOf(a), keyTypeOf(b)), join(valueTypeOf(a), valueTypeOf(b))) : a;
}
