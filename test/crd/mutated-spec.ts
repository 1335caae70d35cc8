import fc from 'fast-check';
import { FULL_SPECS, type FullSpec } from './full-specs.ts';
import { valuesOf, type Way, withValue } from './spec-places.ts';

/** Values that one reader or another could take for good: edges of every bound, and the types that are not wanted. */
const VALUES: readonly unknown[] = [
  ...[null, true, false, -1, 0, 1, 1.5, 100, 101, 1_000_000_000, 1_000_000_001, 2 ** 53, 2 ** 63],
  ...[
    '',
    ' ',
    'a',
    'A',
    '0',
    'a-',
    '-a',
    'a.b',
    'a..b',
    'a_b',
    '*.a.b',
    '*',
    'a/b',
    'ä',
    '😀',
    '\u0000',
    'GET',
    'get',
    'UTC',
  ],
  ...['1s', '1d', '9ms', '10ms', '8784h', '8785h', '99999h', '1h1m1s1ms', '1h1m1s1ms1h', '-1s', '1.5h', '1s\n'],
  ...[
    '/',
    '/a',
    '/a/',
    '/**',
    '/a/**/',
    '/*',
    '/a**',
    '/a/**/b',
    '/{a}/**',
    '//',
    '/😀/**',
    'spiffe://a/b',
    'spiffe://a',
    'https://a',
  ],
  ...[
    '2027-02-29T00:00:00Z',
    '2028-02-29T23:59:59.999999999-23:59',
    '0999-01-01T00:00:00Z',
    '2999-12-31T23:59:59Z',
    '2027-01-01T00:00:00z',
  ],
  ...[32, 63, 64, 65, 128, 129, 253, 254, 256, 257, 1024, 1025, 2048, 2049].map((length) => 'x'.repeat(length)),
  ...['f'.repeat(64), 'F'.repeat(64), `/${'😀'.repeat(1023)}`, '😀'.repeat(32)],
  ...['Enforce', 'Keep', 'Set', 'Share', 'FixedWindow', 'AuthenticationFailure', 'HS256', 'Day', 'app'],
  ...[[], [[]], ['a'], [1], [{}], {}, { any: {} }, { name: 'a' }, { a: 'b' }, { a: 1 }, { expression: 'true' }],
];

export type Change =
  | { readonly kind: 'replace'; readonly value: unknown }
  | { readonly kind: 'remove' | 'twice' | 'add'; readonly value?: undefined };

/** A full spec after one or two changes, each at a place of its own choice. Some of them are right again. */
export function mutatedSpec(): fc.Arbitrary<FullSpec> {
  const change: fc.Arbitrary<Change> = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...VALUES).map((value) => ({ kind: 'replace' as const, value })) },
    { weight: 3, arbitrary: fc.constant({ kind: 'remove' as const }) },
    { weight: 1, arbitrary: fc.constantFrom({ kind: 'twice' as const }, { kind: 'add' as const }) },
  );
  return fc
    .tuple(fc.constantFrom(...FULL_SPECS), fc.array(fc.tuple(fc.nat(), change), { minLength: 1, maxLength: 2 }))
    .map(([{ kind, spec }, changes]) => ({ kind, spec: changes.reduce(changed, spec) }));
}

function changed(spec: FullSpec['spec'], [at, change]: readonly [number, Change]): FullSpec['spec'] {
  const ways = [...valuesOf(spec)].map(([way]) => way).filter((way) => way.length > 0);
  const way = ways[at % ways.length];
  if (way === undefined) return spec;
  if (change.kind === 'replace') return withValue(spec, way, () => change.value) as FullSpec['spec'];
  if (change.kind === 'add') return withValue(spec, way, added) as FullSpec['spec'];
  return withValue(spec, way.slice(0, -1), (parent) =>
    without(parent, way, change.kind === 'twice'),
  ) as FullSpec['spec'];
}

const added = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...value, name: 'added', extra: 'x' }
    : value;

function without(parent: unknown, way: Way, isTwice: boolean): unknown {
  const last = way.at(-1);
  if (Array.isArray(parent)) return isTwice ? [...parent, parent[last as number]] : parent.toSpliced(last as number, 1);
  if (isTwice) return parent;
  const { [last as string]: _, ...rest } = parent as Record<string, unknown>;
  return rest;
}
