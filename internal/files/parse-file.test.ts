import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inOneGo } from '../core/breather.ts';
import { formatProblem } from './format-problem.ts';
import { parseFile, parseInSteps } from './parse-file.ts';

const ROLE = (name: string): string =>
  `apiVersion: postern.dev/v1alpha1\nkind: APIRole\nmetadata: {name: ${name}}\nspec: {}\n`;
const said = (text: string): string[] => parseFile('a.yaml', text).problems.map(formatProblem);

it('parseFile() reads every document with the defaults of a file', () => {
  const { objects, problems } = parseFile(
    'a.yaml',
    'apiVersion: postern.dev/v1alpha1\nkind: APIRole\nmetadata: {name: x}\nspec: {}\n---\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\ntype: postern.dev/credential\n',
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(
    objects.map(({ object: { kind, metadata } }) => [
      kind,
      metadata.namespace,
      metadata.name,
      metadata.generation,
      metadata.uid.length,
    ]),
    [
      ['APIRole', 'default', 'x', 1, 32],
      ['Secret', 'shop', 's', 1, 32],
    ],
  );
});

it('parseFile() says where each problem stands', () => {
  assert.deepEqual(said('apiVersion: postern.dev/v1alpha1\nkind: APIPolcy\nmetadata: {name: x}\n'), [
    'a.yaml:2:1: kind: Unknown kind "APIPolcy": did you mean "APIPolicy"? (Invalid)',
  ]);
  assert.deepEqual(said('apiVersion: v1\nkind: APIRole\nmetadata: {name: x}\nspec: {}\n'), [
    'a.yaml:1:1: apiVersion: APIRole has the apiVersion "postern.dev/v1alpha1", not "v1" (Invalid)',
  ]);
  assert.deepEqual(said('apiVersion: postern.dev/v1alpha1\nkind: APIRole\nmetadata: {name: X}\nspec: {}\n'), [
    'a.yaml:3:12: metadata.name: "X" is no name of an object: use lower-case letters, digits, "-" and ".", at most 253 (Invalid)',
  ]);
  assert.deepEqual(said('apiVersion: postern.dev/v1alpha1\nkind: APIRole\nmetadata: {name: x}\nspecs: {}\n'), [
    'a.yaml:4:1: specs: Unknown field "specs": did you mean "spec"? (UnknownField)',
    'a.yaml:1:1: spec: This field is required (Invalid)',
  ]);
  assert.deepEqual(said('kind: APIRole\n---\nkind: A\nspec: {}\nkind: B\nkind: C\n').slice(-2), [
    'a.yaml:5:1: The key "kind" stands here a second time: take it out here or in line 3 (Invalid)',
    'a.yaml:6:1: The key "kind" stands here a second time: take it out here or in line 3 (Invalid)',
  ]);
  assert.match(said('a: [b')[0] ?? '', /^a\.yaml:1:\d+: /);
  assert.match(said('- 1')[0] ?? '', /no object/);
});

it('parseFile() finds the place of a field inside the object', () => {
  const text =
    'apiVersion: postern.dev/v1alpha1\nkind: APIPolicy\nmetadata: {name: x}\nspec:\n  authorization:\n    rules:\n      - name: a\n        allow:\n          whn: []\n';
  const [found] = parseFile('a.yaml', text).objects;
  assert.deepEqual(found?.placeOf('spec.authorization.rules[0].allow.whn'), { file: 'a.yaml', line: 9, column: 11 });
  assert.deepEqual(found?.placeOf('spec.authorization.rules[0].allow.other'), { file: 'a.yaml', line: 8, column: 9 });
});

it('parseFile() refuses what lets a text say something else than it shows', () => {
  for (const [text, expected] of [
    ['%YAML 1.1\n---\na: yes\n', 'a.yaml:1:1: Only YAML 1.2 is read: take the %YAML directive out (Invalid)'],
    [
      'a: 1\n...\n%YAML 1.1\n---\na: yes\n',
      'a.yaml:3:1: Only YAML 1.2 is read: take the %YAML directive out (Invalid)',
    ],
    ['%FOO x\n---\na: 1\n', 'a.yaml:1:1: Unknown directive %FOO (Invalid)'],
    ['a: !unknown x\n', 'a.yaml:1:4: Unresolved tag (Invalid)'],
    [
      'a: !!binary aGk=\n',
      'a.yaml:1:13: Tags are not read: take it out, and quote the value where it is text (Invalid)',
    ],
    ['a: !!set {x}\n', 'a.yaml:1:10: Tags are not read: take it out, and quote the value where it is text (Invalid)'],
    ['a: &a {k: v}\n', /^a\.yaml:1:7: Anchors are not read: /],
    ['a: 1\nb: *a\n', 'a.yaml:2:4: Aliases are not read: write the value out (Invalid)'],
    [
      'a: {1: x, "1": y}\n',
      'a.yaml:1:11: The key "1" stands here a second time: take it out here or in line 1 (Invalid)',
    ],
    [
      'a: {true: x, "true": y}\n',
      'a.yaml:1:14: The key "true" stands here a second time: take it out here or in line 1 (Invalid)',
    ],
    ['[a]: 1\n', 'a.yaml:1:1: A key must be text (Invalid)'],
    [`a: ${'['.repeat(80)}${']'.repeat(80)}\n`, 'a.yaml:1:67: Nested deeper than 64 levels (Invalid)'],
  ] as const) {
    const found = said(text).find((line) => !/:1:1: kind: /.test(line)) ?? '';
    if (typeof expected === 'string') assert.equal(found, expected);
    else assert.match(found, expected);
  }
});

it('parseFile() refuses a bomb of aliases before it is unpacked', () => {
  const text = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
    .split('')
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
    .join('\n')}\n`;
  assert.match(said(text).join('\n'), /1:7: Anchors are not read.*2:\d+: Aliases are not read/s);
});

it('parseFile() throws at no depth', () => {
  for (const text of ['['.repeat(20_000), '- '.repeat(20_000), '{a: '.repeat(5000)])
    assert.match(said(`x: 1\n---\n${text}`).join('\n'), /Nested too deep to be read|Nested deeper than 64/);
});

it('parseFile() keeps a map of many keys from taking minutes', () => {
  const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1\n`).join('');
  const startMs = process.cpuUsage().user / 1000;
  assert.match(
    said(`${keys}k7: 2\n`)[0] ?? '',
    /a\.yaml:20001:1: The key "k7" stands here a second time: take it out here or in line 8 /,
  );
  assert.ok(process.cpuUsage().user / 1000 - startMs < 5000);
});

it('parseFile() never repeats what it stumbled over', () => {
  for (const text of [
    'stringData: {k: "hunter2, x: y}\n',
    'stringData: {k: *hunter2}\n',
    'stringData: {k: !hunter2 x}\n',
    'k: >hunter2\n a\n',
    'k: [hunter2]x\n',
    'kind: Secret\napiVersion: v1\nmetadata: {name: s}\nstringData: {k: [hunter2]}\n',
  ]) {
    assert.notEqual(said(text).length, 0);
    assert.doesNotMatch(said(text).join('\n'), /hunter2/);
  }
  const long = said(`kind: ${'k'.repeat(10_000)}\n`);
  assert.ok(long.every((line) => line.length < 250));
});

it('parseFile() lets one broken document hide no other', () => {
  const { objects, problems, unread } = parseFile(
    'a.yaml',
    [ROLE('a'), 'kind: APIRol\n', '{\n', ROLE('b')].join('---\n'),
  );
  assert.deepEqual(
    objects.map(({ object }) => object.metadata.name),
    ['a', 'b'],
  );
  assert.deepEqual(
    problems.map(({ place }) => place.line),
    [6, 8],
  );
  assert.equal(unread, 2);
});

it('parseFile() gives a policy that is wrong around its spec to the store, so that its hosts are held', () => {
  const policy =
    'apiVersion: postern.dev/v1alpha1\nkind: APIPolicy\nmetadata: {name: x, lables: {}}\nspec: {target: {hosts: [a.b]}}\n';
  const { objects, problems, unread } = parseFile('a.yaml', policy);
  assert.deepEqual(
    objects.map(({ object }) => [object.spec, object.problems?.length]),
    [[{ target: { hosts: ['a.b'] } }, 1]],
  );
  assert.deepEqual(problems.map(formatProblem), [
    'a.yaml:3:21: metadata.lables: Unknown field "lables": did you mean "labels"? (UnknownField)',
  ]);
  assert.equal(unread, 0);
});

it('parseFile() drops a Secret that is wrong, and a status', () => {
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: 12345678901234567890}\n';
  assert.deepEqual(parseFile('a.yaml', secret).objects, []);
  const [found] = parseFile('a.yaml', `${ROLE('a')}status: {hosts: [victim.example.org]}\n`).objects;
  assert.equal(found?.object.status, undefined);
});

it('parseInSteps() takes a document that did not change for the object that it was', () => {
  const before = parseFile('a.yaml', `${ROLE('a')}---\n${ROLE('b')}`);
  const after = inOneGo(parseInSteps('a.yaml', `# new\n---\n${ROLE('c')}---\n${ROLE('b')}`, before.documents));
  assert.notEqual(after.objects[0]?.object, before.objects[0]?.object);
  assert.equal(after.objects[1]?.object, before.objects[1]?.object);
  assert.deepEqual(after.objects[1]?.placeOf('metadata.name'), { file: 'a.yaml', line: 10, column: 12 });
});

it('parseFile() reads the objects of a List, each with its own places', () => {
  const list = `apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: postern.dev/v1alpha1
  kind: APIRole
  metadata: {name: first, namespace: shop, uid: u, resourceVersion: "7"}
  spec: {permissions: []}
  status: {instances: []}
- apiVersion: postern.dev/v1alpha1
  kind: APIRole
  metadata: {name: second}
  specs: {}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
`;
  const { objects, problems, unread } = parseFile('a.yaml', `# before\n---\n${list}`);
  assert.deepEqual(
    objects.map(({ object: { metadata }, placeOf }) => [metadata.namespace, metadata.name, placeOf('spec').line]),
    [
      ['shop', 'first', 10],
      ['default', 'second', 12],
    ],
  );
  assert.deepEqual(problems.map(formatProblem), [
    'a.yaml:15:3: items[1].specs: Unknown field "specs": did you mean "spec"? (UnknownField)',
    'a.yaml:12:3: items[1].spec: This field is required (Invalid)',
    'a.yaml:16:20: items[2].kind: Unknown kind "ConfigMap": known are APIPolicy, APIConsumer, APIRole, APIRoleBinding, HostGrant, APIBaseline, Namespace, Secret (Invalid)',
  ]);
  assert.equal(unread, 1);
});

it('parseFile() refuses what is around the objects of a List', () => {
  assert.deepEqual(said('apiVersion: v1\nkind: List\nitem: []\n'), [
    'a.yaml:3:1: item: Unknown field "item" of a List (UnknownField)',
    'a.yaml:1:1: items: A List holds a list of objects (Invalid)',
  ]);
  assert.deepEqual(parseFile('a.yaml', 'apiVersion: v1\nkind: List\nitems: []\n').objects, []);
});

it('parseFile() reads JSON, however it is written', () => {
  const role = {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIRole',
    metadata: { name: 'x' },
    spec: { é: '/"\u2028' },
  };
  const read = (text: string): unknown => parseFile('a.json', text).objects.map(({ object }) => object.spec);
  for (const space of [0, 2, '\t']) assert.deepEqual(read(JSON.stringify(role, null, space)), [role.spec]);
});
