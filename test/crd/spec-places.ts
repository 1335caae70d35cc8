import type { Json } from '../../internal/crd/structural-schema.ts';

/** A way from `spec` inwards: names of fields, and indexes of lists. */
export type Way = readonly (string | number)[];

/** The way as Kubernetes writes it: `spec.keys[0].name`. */
export const pathOf = (way: Way): string =>
  way.reduce<string>((path, step) => path + (typeof step === 'number' ? `[${step}]` : `.${step}`), 'spec');

/** The way without its indexes: `spec.keys[].name`. */
export const placeOf = (way: Way): string => pathOf(way).replaceAll(/\[\d+\]/g, '[]');

/** Every field that a schema knows, without indexes; objects and lists as well as what is in them. */
export function* fieldsOf(schema: Json, place = 'spec'): Generator<readonly [place: string, schema: Json]> {
  yield [place, schema];
  for (const [name, child] of Object.entries((schema.properties ?? {}) as Record<string, Json>))
    yield* fieldsOf(child, `${place}.${name}`);
  if (schema.items !== undefined) yield* fieldsOf(schema.items as Json, `${place}[]`);
}

/** Every value in a spec, the outermost first. */
export function* valuesOf(value: unknown, way: Way = []): Generator<readonly [way: Way, value: unknown]> {
  yield [way, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [name, child] of Object.entries(value))
    yield* valuesOf(child, [...way, Array.isArray(value) ? Number(name) : name]);
}

/** A copy in which the value at the end of the way is another. */
export function withValue(spec: unknown, [step, ...rest]: Way, change: (value: unknown) => unknown): unknown {
  if (step === undefined) return change(spec);
  if (Array.isArray(spec)) return spec.map((item, index) => (index === step ? withValue(item, rest, change) : item));
  const members = spec as Readonly<Record<string, unknown>>;
  return { ...members, [step]: withValue(members[step], rest, change) };
}

/** A copy in which a field is called otherwise. */
export function renamed(spec: unknown, way: Way, name: string): unknown {
  const last = way.at(-1) as string;
  return withValue(spec, way.slice(0, -1), (value) => {
    const { [last]: member, ...rest } = value as Record<string, unknown>;
    return { ...rest, [name]: member };
  });
}
