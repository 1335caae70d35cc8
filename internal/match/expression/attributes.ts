import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { nearest } from '../../core/nearest.ts';
import {
  type Attribute,
  ExpressionError,
  type MapAttribute,
  UNKNOWN_ADDRESS,
  VOCABULARY,
} from '../../core/vocabulary.ts';
import { noOverload } from './arithmetic.ts';
import { CompileError } from './calls.ts';
import type { Node, Scope } from './node.ts';
import { BOOL, DYN, describeType, INT, listOf, mapOf, STRING, type StaticType, TIMESTAMP } from './static-type.ts';
import { fromJson, isError, type MapSource, MapValue, type Result, Timestamp, type Value } from './value.ts';

/** What names mean in an expression. */
export interface Names {
  resolve(name: string): Node | undefined;
  /** Whether the name is the first part of attributes, as `request`. */
  isPrefix(name: string): boolean;
  readonly known: readonly string[];
  /** Parameters of the path templates in scope. */
  readonly params: readonly string[];
}

const TYPES: Readonly<Record<Attribute['type'], StaticType>> = {
  string: STRING,
  int: INT,
  timestamp: TIMESTAMP,
  'list(string)': listOf(STRING),
  dyn: DYN,
  'map(string, string)': mapOf(STRING),
  'map(string, list(string))': mapOf(listOf(STRING)),
  'map(string, dyn)': mapOf(DYN),
};

const ADDRESSES: ReadonlySet<string> = new Set(['client.address', 'client.network']);

/** The vocabulary of requests. In a condition an unknown client address is an error, in a key it is null. */
export function vocabularyNames(params: readonly string[], use: 'condition' | 'key'): Names {
  const known = Object.keys(VOCABULARY);
  return {
    known,
    params,
    isPrefix: (name) => known.some((attribute) => attribute.startsWith(`${name}.`)),
    resolve(name) {
      if (!Object.hasOwn(VOCABULARY, name)) return undefined;
      const attribute = VOCABULARY[name];
      if (attribute === undefined) return undefined;
      if ('lookup' in attribute) return mapNode(attribute);
      const node = scalarNode(attribute);
      return use === 'condition' && ADDRESSES.has(name)
        ? { ...node, run: (scope) => node.run(scope) ?? UNKNOWN_ADDRESS }
        : node;
    },
  };
}

function scalarNode({ type, read }: Extract<Attribute, { readonly read: unknown }>): Node {
  if (type === 'string' || type === 'list(string)')
    return { type: TYPES[type], run: ({ evaluation }) => read(evaluation) as Result };
  if (type === 'dyn') {
    return { type: DYN, run: ({ evaluation }) => lifted(read(evaluation)) };
  }
  if (type === 'timestamp') {
    return { type: TIMESTAMP, run: ({ evaluation }) => timestampOf(read(evaluation)) };
  }
  const small = ({ evaluation }: Scope): number | ExpressionError => read(evaluation) as number | ExpressionError;
  return {
    type: INT,
    small,
    run(scope) {
      const value = small(scope);
      return typeof value === 'number' ? BigInt(value) : value;
    },
  };
}

const lifted = (json: unknown): Result => (json instanceof ExpressionError ? json : fromJson(json));
const timestampOf = (ms: unknown): Result =>
  typeof ms === 'number' ? new Timestamp(BigInt(Math.round(ms)) * 1_000_000n) : null;

function mapNode(attribute: MapAttribute): Node {
  return {
    type: TYPES[attribute.type],
    map: attribute,
    run: ({ evaluation }) => new MapValue(new AttributeSource(attribute, evaluation)),
  };
}

class AttributeSource implements MapSource {
  readonly #attribute: MapAttribute;
  readonly #evaluation: Scope['evaluation'];

  constructor(attribute: MapAttribute, evaluation: Scope['evaluation']) {
    this.#attribute = attribute;
    this.#evaluation = evaluation;
  }

  get(key: Value): Result | undefined {
    if (typeof key !== 'string' || !this.#attribute.keys(this.#evaluation).includes(key)) return undefined;
    return lifted(this.#attribute.lookup(this.#evaluation, key));
  }

  keys(): readonly Value[] {
    return this.#attribute.keys(this.#evaluation);
  }
}

export interface Lookup {
  readonly object: Node;
  readonly key: Node;
  readonly names: Names;
  /** `has(object.key)`: whether it is there, not what it is. */
  readonly testOnly: boolean;
}

const NO_KEY = new ExpressionError('there is no such key');
const NO_ITEM = new ExpressionError('the index is out of range');
const NULL_OBJECT = new ExpressionError('a value is read from null');

/** `object.key` and `object[key]`. */
export function lookupNode(expr: Expr, lookup: Lookup): Node {
  const { object, key, testOnly } = lookup;
  if (object.map !== undefined) return attributeLookup(expr, lookup, object.map);
  const { name } = object.type;
  if (name !== 'map' && name !== 'list' && name !== 'dyn')
    throw new CompileError(expr, `A ${describeType(object.type)} has no members`);
  const type = testOnly ? BOOL : ((name === 'list' ? object.type.element : object.type.value) ?? DYN);
  return {
    type,
    run(scope) {
      const container = object.run(scope);
      if (isError(container)) return container;
      const index = key.run(scope);
      if (isError(index)) return index;
      return testOnly ? hasMember(container, index) : memberOf(container, index);
    },
  };
}

function hasMember(container: Value, key: Value): Result {
  if (container === null) return NULL_OBJECT;
  if (!(container instanceof MapValue)) return noOverload('has', container);
  const value = container.source.get(key);
  return isError(value) ? value : value !== undefined;
}

function memberOf(container: Value, key: Value): Result {
  if (container instanceof MapValue) return container.source.get(key) ?? NO_KEY;
  if (container === null) return NULL_OBJECT;
  if (!Array.isArray(container)) return noOverload('[]', container, key);
  const index =
    typeof key === 'bigint'
      ? Number(key)
      : typeof key === 'number'
        ? key
        : key instanceof Object && 'value' in key
          ? Number(key.value)
          : Number.NaN;
  if (!Number.isInteger(index) || index < 0) return NO_ITEM;
  return (container as readonly Value[])[index] ?? NO_ITEM;
}

/** An attribute's key is looked up where the request keeps it; one that is not there is null. */
function attributeLookup(expr: Expr, { key, names, testOnly }: Lookup, map: MapAttribute): Node {
  const type = TYPES[map.type].value ?? DYN;
  if (map.absent === 'refused at compile') checkParameter(expr, key, names);
  if (testOnly) return { type: BOOL, run: (scope) => hasKey(map, scope, key.run(scope)) };
  if (typeof key.constant === 'string') {
    const name = key.constant;
    if (map.type !== 'map(string, dyn)')
      return { type, run: ({ evaluation }) => map.lookup(evaluation, name) as Result };
    return { type, run: ({ evaluation }) => lifted(map.lookup(evaluation, name)) };
  }
  if (key.type.name !== 'string' && key.type.name !== 'dyn')
    throw new CompileError(expr, `The key must be a string, not ${describeType(key.type)}`);
  return {
    type,
    run(scope) {
      const name = key.run(scope);
      if (isError(name)) return name;
      return typeof name === 'string' ? lifted(map.lookup(scope.evaluation, name)) : noOverload('[]', name);
    },
  };
}

function hasKey(map: MapAttribute, { evaluation }: Scope, key: Result): Result {
  return typeof key === 'string' ? map.keys(evaluation).includes(key) : isError(key) ? key : noOverload('has', key);
}

/** A parameter that some template in scope has not would be null on some paths: refused when the policy arrives. */
function checkParameter(expr: Expr, key: Node, names: Names): void {
  if (typeof key.constant !== 'string')
    throw new CompileError(expr, 'A path parameter must be named outright, as in request.params.id');
  if (names.params.includes(key.constant)) return;
  const known =
    names.params.length === 0 ? 'they share none' : `they share ${names.params.map((name) => `"${name}"`).join(', ')}`;
  throw new CompileError(expr, `"${key.constant}" is not a parameter of every path template in scope: ${known}`);
}

export function unknownName(name: string, names: Names): string {
  if (names.isPrefix(name)) {
    const members = names.known.filter((known) => known.startsWith(`${name}.`));
    return `"${name}" is no value of its own: read one of ${members.slice(0, 4).join(', ')}, …`;
  }
  const hint = nearest(name, names.known);
  return `There is no "${name}"${hint === undefined ? '' : `: did you mean "${hint}"?`}`;
}
