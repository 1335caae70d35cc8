import type { Json } from './structural-schema.ts';

/** One CEL rule of the admission policy. */
export interface UnknownFieldRule {
  readonly expression: string;
  readonly messageExpression: string;
}

/** A step from `spec` inwards: into a field, or into each item of a list. */
type Step = { readonly field: string } | 'each';

/**
 * A rule for each object below `spec` that lists the fields it may have. `object` is untyped in an admission policy, so
 * it still holds what a schema does not know. The message names the first field that is unknown, with its path.
 */
export function unknownFieldRules(schema: Json): UnknownFieldRule[] {
  return placesOf(schema, [{ field: 'spec' }]);
}

function placesOf(schema: Json, steps: readonly Step[]): UnknownFieldRule[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Json>);
  const known = `[${properties.map(([key]) => `'${key}'`).join(', ')}]`;
  const label = steps
    .map((step) => (step === 'each' ? '[]' : `.${step.field}`))
    .join('')
    .slice(1);
  const own: UnknownFieldRule = {
    expression: `!(${isBad({ cel: 'object', steps, known, depth: 0 })})`,
    messageExpression: `'unknown field ${label}.' + ${unknownNames({ cel: 'object', steps, known, depth: 0 })}.join(', ')`,
  };
  const below = properties.flatMap(([key, child]) => {
    const inner = [...steps, { field: key }];
    if (child.properties !== undefined) return placesOf(child, inner);
    const items = child.items as Json | undefined;
    return items?.properties === undefined ? [] : placesOf(items, [...inner, 'each']);
  });
  return [own, ...below];
}

interface Walk {
  readonly cel: string;
  readonly steps: readonly Step[];
  readonly known: string;
  readonly depth: number;
}

/** CEL: whether some object at the end of the steps has a field that is not known. */
function isBad({ cel, steps, known, depth }: Walk): string {
  const [step, ...rest] = steps;
  if (step === undefined) return `${cel}.exists(k, !(k in ${known}))`;
  if (step === 'each')
    return `${cel}.exists(v${depth}, ${isBad({ cel: `v${depth}`, steps: rest, known, depth: depth + 1 })})`;
  return `has(${cel}.${step.field}) && ${isBad({ cel: `${cel}.${step.field}`, steps: rest, known, depth })}`;
}

/** CEL: the unknown names of the first such object. */
function unknownNames({ cel, steps, known, depth }: Walk): string {
  const [step, ...rest] = steps;
  if (step === undefined) return `${cel}.filter(k, !(k in ${known}))`;
  if (step !== 'each') return unknownNames({ cel: `${cel}.${step.field}`, steps: rest, known, depth });
  const first = `${cel}.filter(v${depth}, ${isBad({ cel: `v${depth}`, steps: rest, known, depth: depth + 1 })})[0]`;
  return unknownNames({ cel: first, steps: rest, known, depth: depth + 1 });
}
