import type { ExpressionError } from '../../core/expression-error.ts';
import { nearest } from '../../core/nearest.ts';
import {
  type Attribute,
  LOWER_PATH,
  type MapAttribute,
  type ScalarAttribute,
  UNKNOWN_ADDRESS,
  VOCABULARY,
} from '../../core/vocabulary.ts';
import { lifted } from './member.ts';
import type { Node, Scope } from './node.ts';
import { DYN, INT, listOf, mapOf, STRING, type StaticType, TIMESTAMP } from './static-type.ts';
import { chargeKey, isError, type MapSource, MapValue, type Result, Timestamp, type Value } from './value.ts';

/** What names mean in an expression. */
export interface Names {
  resolve(name: string): Node | undefined;
  /** Whether the name is the first part of attributes, as `request`. */
  isPrefix(name: string): boolean;
  readonly known: readonly string[];
}

const TYPES: Readonly<Record<Attribute['type'], StaticType>> = {
  string: STRING,
  int: INT,
  timestamp: TIMESTAMP,
  'list(string)': listOf(STRING),
  dyn: DYN,
  'map(string, string)': mapOf(STRING, STRING),
  'map(string, list(string))': mapOf(STRING, listOf(STRING)),
  'map(string, dyn)': mapOf(STRING, DYN),
};

const KNOWN = Object.keys(VOCABULARY);
const PREFIXES: ReadonlySet<string> = new Set(
  KNOWN.filter((name) => name.includes('.')).map((name) => name.slice(0, name.indexOf('.'))),
);

export interface VocabularyUse {
  /** Parameters that every path template in scope has. */
  readonly params: readonly string[];
  /** In keys an unknown client address is null, in conditions an error. */
  readonly use: 'condition' | 'key';
  /** The policy's `pathOptions.caseInsensitive`: `request.path` is in lower case. */
  readonly caseInsensitive?: boolean;
}

/** The vocabulary of requests. */
export function vocabularyNames({ params, use, caseInsensitive = false }: VocabularyUse): Names {
  return {
    known: KNOWN,
    isPrefix: (name) => PREFIXES.has(name),
    resolve(name) {
      const known = Object.hasOwn(VOCABULARY, name) ? VOCABULARY[name] : undefined;
      const attribute = caseInsensitive && name === 'request.path' ? LOWER_PATH : known;
      if (attribute === undefined) return undefined;
      if ('lookup' in attribute) return mapNode(name === 'request.params' ? withParams(attribute, params) : attribute);
      const node = scalarNode(attribute);
      if (use === 'key' || !attribute.isErrorInConditions) return node;
      return { ...node, run: (scope) => node.run(scope) ?? UNKNOWN_ADDRESS };
    },
  };
}

/** A parameter that some template in scope has not would be null on some paths: refused when the policy arrives. */
function withParams(attribute: MapAttribute, params: readonly string[]): MapAttribute {
  const known = params.length === 0 ? 'they share none' : `they share ${params.map((name) => `"${name}"`).join(', ')}`;
  return {
    ...attribute,
    keyProblem: (key) =>
      params.includes(key) ? undefined : `"${key}" is not a parameter of every path template in scope: ${known}`,
    dynamicKeyProblem: 'A path parameter must be named outright, as in request.params.id',
  };
}

function scalarNode({ type, read, neverEqual, isLowerCase }: ScalarAttribute): Node {
  if (type === 'dyn') return { type: DYN, run: ({ evaluation }) => lifted(read(evaluation), evaluation) };
  if (type === 'timestamp') return timestampNode(read);
  if (type !== 'int') {
    const node = { type: TYPES[type], run: ({ evaluation }: Scope) => read(evaluation) as Result };
    return { ...node, ...(neverEqual && { neverEqual }), ...(isLowerCase && { isLowerCase }) };
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

/** Milliseconds with a fraction become whole microseconds: nothing finer is in them. */
function timestampNode(read: ScalarAttribute['read']): Node {
  const epochMs = ({ evaluation }: Scope): number | null => read(evaluation) as number | null;
  return {
    type: TIMESTAMP,
    epochMs,
    run(scope) {
      const ms = epochMs(scope);
      return ms === null ? null : new Timestamp(BigInt(Math.floor(ms * 1000)) * 1000n);
    },
  };
}

function mapNode(map: MapAttribute): Node {
  return { type: TYPES[map.type], map, run: ({ evaluation }) => new MapValue(new AttributeSource(map, evaluation)) };
}

/** Steps of listing one key: measured. */
const KEY_COST = 5;

/** An attribute of maps as a value of its own; a key that is not there is null, as where it is read by name. */
class AttributeSource implements MapSource {
  readonly #map: MapAttribute;
  readonly #evaluation: Scope['evaluation'];

  constructor(map: MapAttribute, evaluation: Scope['evaluation']) {
    this.#map = map;
    this.#evaluation = evaluation;
  }

  get(key: Value): Result | undefined {
    if (typeof key !== 'string' || this.#map.keyProblem?.(key) !== undefined) return undefined;
    chargeKey(key, this.#evaluation);
    return lifted(this.#map.lookup(this.#evaluation, key), this.#evaluation);
  }

  has(key: Value): boolean | ExpressionError {
    return typeof key === 'string' && this.#map.has(this.#evaluation, key);
  }

  keys(): readonly Value[] | ExpressionError {
    const keys = this.#map.keys(this.#evaluation);
    if (isError(keys)) return keys;
    this.#evaluation.work -= KEY_COST * keys.length;
    return keys;
  }
}

/** What to say of a name that means nothing. */
export function unknownName(name: string, names: Names): string {
  if (names.isPrefix(name)) {
    const members = names.known.filter((known) => known.startsWith(`${name}.`));
    return `"${name}" is no value of its own: read one of ${members.join(', ')}`;
  }
  const hint = nearest(name, name.includes('.') ? names.known : [...names.known, ...PREFIXES]);
  return `There is no "${name}"${hint === undefined ? '' : `: did you mean "${hint}"?`}`;
}
