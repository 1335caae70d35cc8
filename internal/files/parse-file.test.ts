import assert from 'node:assert/strict';
import { it } from 'node:test';
import { formatProblem } from './format-problem.ts';
import { parseFile } from './parse-file.ts';

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
  assert.deepEqual(said('apiVersion: v1\nkind: APIRole\nmetadata: {name: x}\n'), [
    'a.yaml:1:1: apiVersion: APIRole has the apiVersion "postern.dev/v1alpha1", not "v1" (Invalid)',
  ]);
  assert.deepEqual(said('apiVersion: postern.dev/v1alpha1\nkind: APIRole\nmetadata: {name: X}\n'), [
    'a.yaml:3:12: metadata.name: "X" is no name: use lower-case letters, digits, "-" and "." (Invalid)',
  ]);
  assert.deepEqual(said('apiVersion: postern.dev/v1alpha1\nkind: APIRole\nmetadata: {name: x}\nspecs: {}\n'), [
    'a.yaml:4:1: specs: Unknown field "specs" (UnknownField)',
  ]);
  assert.match(said('kind: APIRole\nkind: APIRole\n')[0] ?? '', /^a\.yaml:2:1: .*unique/);
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

it('parseFile() refuses a bomb of aliases', () => {
  const text = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
    .split('')
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
    .join('\n')}\n`;
  assert.match(said(text)[0] ?? '', /alias/i);
});
