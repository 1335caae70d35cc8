import type { Json } from './structural-schema.ts';

/** One CEL rule of the admission policy. */
export interface UnknownFieldRule {
  readonly expression: string;
  readonly messageExpression: string;
}

/** A step from `spec` inwards: into a field, or into each item of a list. */
type Step = { readonly field: string } | 'each';

/** An object that is reached by some steps, and the fields it may have. */
interface Place {
  readonly steps: readonly Step[];
  readonly fields: readonly string[];
}

/**
 * A rule for each object at and below `spec` that lists the fields it may have. `object` is untyped in an admission
 * policy, so it still holds what a schema does not know. The message names the unknown fields of the first object that
 * has any, with its path as Kubernetes writes it, and those that are known there.
 */
export function unknownFieldRules(schema: Json): UnknownFieldRule[] {
  return placesOf(schema, [{ field: 'spec' }]).map(ruleOf);
}

function placesOf(schema: Json, steps: readonly Step[]): Place[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Json>);
  const below = properties.flatMap(([key, child]) => {
    const inner: readonly Step[] = [...steps, { field: key }];
    if (child.properties !== undefined) return placesOf(child, inner);
    const items = child.items as Json | undefined;
    return items?.properties === undefined ? [] : placesOf(items, [...inner, 'each']);
  });
  return [{ steps, fields: properties.map(([key]) => key) }, ...below];
}

function ruleOf({ steps, fields }: Place): UnknownFieldRule {
  const unknown = (cel: string): string => `${cel}.filter(f, !(f in ${listOf(fields)}))`;
  const isBad = (cel: string): string => `${cel}.exists(f, !(f in ${listOf(fields)}))`;
  const hint = fields.length === 0 ? 'nothing is known here' : `known here: ${fields.join(', ')}`;
  const { cel, path } = firstAt('object', steps, isBad);
  return {
    expression: `!(${existsAt('object', steps, isBad)})`,
    messageExpression: [`'unknown field '`, path, `'.'`, `${unknown(cel)}.join(', ')`, `'; ${hint}'`].reduce(joined),
  };
}

/** CEL: whether an object at the end of the steps is bad. */
function existsAt(cel: string, steps: readonly Step[], isBad: (cel: string) => string, depth = 0): string {
  const [step, ...rest] = steps;
  if (step === undefined) return isBad(cel);
  if (step === 'each') {
    const item = `v${depth}`;
    return `${cel}.exists(${item}, ${existsAt(item, rest, isBad, depth + 1)})`;
  }
  const inner = `${cel}.${step.field}`;
  return `has(${inner}) && ${existsAt(inner, rest, isBad, depth)}`;
}

/** CEL: the first such object, and its path as text. */
function firstAt(
  object: string,
  steps: readonly Step[],
  isBad: (cel: string) => string,
): { cel: string; path: string } {
  let cel = object;
  let path = "''";
  for (const [index, step] of steps.entries()) {
    if (step !== 'each') {
      cel = `${cel}.${step.field}`;
      path = joined(path, `'${index === 0 ? '' : '.'}${step.field}'`);
      continue;
    }
    const first = `${cel}.filter(v, ${existsAt('v', steps.slice(index + 1), isBad)})[0]`;
    // An item that equals an earlier one is as bad as that one, so the first index is the right one.
    path = joined(path, `'[' + string(${cel}.indexOf(${first})) + ']'`);
    cel = first;
  }
  return { cel, path };
}

/** Two CEL texts as one, neighbouring literals as one literal. */
function joined(left: string, right: string): string {
  if (left === "''") return right;
  if (left.endsWith("'") && right.startsWith("'")) return left.slice(0, -1) + right.slice(1);
  return `${left} + ${right}`;
}

const listOf = (fields: readonly string[]): string => `[${fields.map((field) => `'${field}'`).join(', ')}]`;
