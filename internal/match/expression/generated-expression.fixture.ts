import fc from 'fast-check';

// Left out is where the interpreter goes its own way: int("") and double("") are 0, string() writes doubles and parts
// of a second otherwise than cel-go, characters beyond the first plane count twice, has() is false for a member that
// is null, and replace() of "" inserts elsewhere.

/** Text of an expression that type-checks over the vocabulary, by the type that it gives. */
export type Kind = 'bool' | 'int' | 'double' | 'string' | 'strings' | 'ints' | 'time' | 'duration' | 'dyn';

const quoted = (text: string): string => `"${text}"`;

const WORDS = ['', 'a', 'b', 'ab', 'GET', '/v1', ' x ', 'é', 'a,b', '1', '-7', '1.5', 'true'];
export const words = fc.constantFrom(...WORDS);
const word = words.map(quoted);
const pick = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);

const ints = pick('0', '1', '-1', '2', '7', '9223372036854775807', '-9223372036854775808', '4611686018427387904');
const doubles = pick('0.0', '-0.5', '1.0', '2.5', '1e18', '9223372036854775808.0', '(0.0 / 0.0)', '(1.0 / 0.0)');
const zones = pick('', '"UTC"', '"+05:30"', '"-08:00"', '"Europe/Berlin"', '"America/New_York"');
const fields = pick(
  'getHours',
  'getMinutes',
  'getSeconds',
  'getDayOfWeek',
  'getDayOfYear',
  'getMonth',
  'getDate',
  'getFullYear',
  'getMilliseconds',
);
const patterns = pick('"^a"', '"[0-9]+"', '"(?i)get"', '"^$"', '"é|b"', '"\\\\d$"');

/** Expressions of each kind, `depth` deep. `scope` holds the variables of macros around, by kind. */
export function expression(
  kind: Kind,
  depth: number,
  scope: Readonly<Partial<Record<Kind, string>>> = {},
): fc.Arbitrary<string> {
  const leaf = leafOf(kind, scope);
  if (depth <= 0) return leaf;
  const sub = (of: Kind): fc.Arbitrary<string> => expression(of, depth - 1, scope);
  const within = (of: Kind, name: string, item: Kind): fc.Arbitrary<string> =>
    expression(of, depth - 1, { ...scope, [item]: name });
  const name = `v${depth}`;
  const form = (parts: readonly Kind[], write: (...texts: string[]) => string): fc.Arbitrary<string> =>
    fc.tuple(...parts.map(sub)).map((texts) => `(${write(...texts)})`);
  const macro = (word: string, range: Kind, item: Kind): fc.Arbitrary<string> =>
    fc.tuple(sub(range), within('bool', name, item)).map(([list, test]) => `${list}.${word}(${name}, ${test})`);
  const branch = form(['bool', kind, kind], (test, yes, no) => `${test} ? ${yes} : ${no}`);
  return fc.oneof({ weight: 2, arbitrary: leaf }, branch, ...formsOf(kind, { form, macro, sub, within, name }));
}

interface Tools {
  readonly form: (parts: readonly Kind[], write: (...texts: string[]) => string) => fc.Arbitrary<string>;
  readonly macro: (word: string, range: Kind, item: Kind) => fc.Arbitrary<string>;
  readonly sub: (kind: Kind) => fc.Arbitrary<string>;
  readonly within: (of: Kind, name: string, item: Kind) => fc.Arbitrary<string>;
  readonly name: string;
}

function leafOf(kind: Kind, scope: Readonly<Partial<Record<Kind, string>>>): fc.Arbitrary<string> {
  const variable = scope[kind];
  const own = LEAVES[kind];
  return variable === undefined ? own : fc.oneof(own, fc.constant(variable));
}

const LEAVES: Readonly<Record<Kind, fc.Arbitrary<string>>> = {
  bool: pick('true', 'false', '(identity.subject == null)', 'has(request.body.n)', 'has(request.body.none)'),
  int: fc.oneof(ints, pick('request.size', 'size(request.id)')),
  double: doubles,
  string: fc.oneof(
    word,
    pick('request.scheme', 'request.id', "request.headers['x-a']", 'identity.subject', 'context.team'),
  ),
  strings: fc.oneof(
    fc.array(word, { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    pick('identity.groups', "request.queryValues['q']", 'identity.scopes'),
  ),
  ints: fc.array(ints, { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
  time: pick('request.time', 'timestamp("2026-03-29T00:59:59.5Z")', 'timestamp("1969-12-31T23:59:59.999Z")'),
  duration: pick('duration("0s")', 'duration("90m")', 'duration("-1.5s")', 'duration("25h1m0.25s")'),
  dyn: pick(
    'request.body',
    'request.body.a',
    'request.body.list',
    'request.body.n',
    'identity.claims.level',
    'dyn(1)',
    'dyn(null)',
  ),
};

const COMPARED: readonly Kind[] = ['bool', 'int', 'double', 'string', 'time', 'duration'];

function formsOf(kind: Kind, tools: Tools): readonly fc.Arbitrary<string>[] {
  const { form, macro } = tools;
  switch (kind) {
    case 'bool':
      return boolForms(tools);
    case 'int':
      return [
        ...['+', '-', '*', '/', '%'].map((sign) => form(['int', 'int'], (a, b) => `${a} ${sign} ${b}`)),
        ...(['string', 'strings', 'ints', 'dyn'] as const).map((of) => form([of], (a) => `size(${a})`)),
        ...(['double', 'time'] as const).map((of) => form([of], (a) => `int(${a})`)),
        form(['int'], (a) => `int(string(${a}))`),
        form(['string', 'string'], (a, b) => `${a}.indexOf(${b})`),
        form(['string', 'string'], (a, b) => `${a}.lastIndexOf(${b})`),
        form(['ints', 'int'], (a, b) => `${a}[${b}]`),
        fc.tuple(tools.sub('time'), fields, zones).map(([a, field, zone]) => `${a}.${field}(${zone})`),
        fc
          .tuple(tools.sub('duration'), pick('getHours', 'getMinutes', 'getSeconds'))
          .map(([a, field]) => `${a}.${field}()`),
      ];
    case 'double':
      return [
        ...['+', '-', '*', '/'].map((sign) => form(['double', 'double'], (a, b) => `${a} ${sign} ${b}`)),
        form(['int'], (a) => `double(${a})`),
      ];
    case 'string':
      return stringForms(tools);
    case 'strings':
      return [
        macro('filter', 'strings', 'string'),
        form(['strings', 'strings'], (a, b) => `${a} + ${b}`),
        form(['string', 'string'], (a, b) => `${a}.split(${b})`),
        fc
          .tuple(tools.sub('ints'), tools.within('string', tools.name, 'int'))
          .map(([a, b]) => `${a}.map(${tools.name}, ${b})`),
      ];
    case 'ints':
      return [
        macro('filter', 'ints', 'int'),
        form(['int', 'int'], (a, b) => `[${a}, ${b}]`),
        form(['ints', 'ints'], (a, b) => `${a} + ${b}`),
      ];
    case 'time':
      return [form(['time', 'duration'], (a, b) => `${a} + ${b}`), form(['time', 'duration'], (a, b) => `${a} - ${b}`)];
    case 'duration':
      return [form(['time', 'time'], (a, b) => `${a} - ${b}`), form(['duration', 'duration'], (a, b) => `${a} + ${b}`)];
    case 'dyn':
      return (['bool', 'int', 'double', 'string', 'strings', 'ints'] as const).map((of) =>
        form([of], (a) => `dyn(${a})`),
      );
  }
}

function boolForms({ form, macro, sub }: Tools): readonly fc.Arbitrary<string>[] {
  return [
    form(['bool', 'bool'], (a, b) => `${a} && ${b}`),
    form(['bool', 'bool'], (a, b) => `${a} || ${b}`),
    form(['bool'], (a) => `!${a}`),
    ...COMPARED.flatMap((of) => ['==', '!=', '<', '>='].map((sign) => form([of, of], (a, b) => `${a} ${sign} ${b}`))),
    ...['==', '<'].flatMap((sign) => [
      form(['int', 'double'], (a, b) => `${a} ${sign} ${b}`),
      form(['dyn', 'dyn'], (a, b) => `${a} ${sign} ${b}`),
      form(['dyn', 'int'], (a, b) => `${a} ${sign} ${b}`),
    ]),
    form(['strings', 'strings'], (a, b) => `${a} == ${b}`),
    form(['string', 'strings'], (a, b) => `${a} in ${b}`),
    form(['int', 'ints'], (a, b) => `${a} in ${b}`),
    form(['dyn', 'dyn'], (a, b) => `${a} in ${b}`),
    ...['startsWith', 'endsWith', 'contains'].map((word) => form(['string', 'string'], (a, b) => `${a}.${word}(${b})`)),
    fc.tuple(sub('string'), patterns).map(([a, pattern]) => `${a}.matches(${pattern})`),
    ...['exists', 'all', 'exists_one'].flatMap((word) => [
      macro(word, 'strings', 'string'),
      macro(word, 'ints', 'int'),
      macro(word, 'dyn', 'dyn'),
    ]),
  ];
}

function stringForms({ form }: Tools): readonly fc.Arbitrary<string>[] {
  return [
    form(['string', 'string'], (a, b) => `${a} + ${b}`),
    ...['lowerAscii', 'upperAscii', 'trim'].map((word) => form(['string'], (a) => `${a}.${word}()`)),
    ...(['int', 'bool'] as const).map((of) => form([of], (a) => `string(${a})`)),
    form(['string', 'int'], (a, b) => `${a}.charAt(${b})`),
    form(['string', 'int'], (a, b) => `${a}.substring(${b})`),
    form(['string', 'int', 'int'], (a, b, c) => `${a}.substring(${b}, ${c})`),
    form(['string', 'string'], (a, b) => `${a}.replace("a", ${b})`),
    form(['strings', 'string'], (a, b) => `${a}.join(${b})`),
    form(['strings', 'int'], (a, b) => `${a}[${b}]`),
  ];
}
