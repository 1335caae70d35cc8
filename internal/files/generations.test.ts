import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Generations } from './generations.ts';
import { type FileObject, parseFile } from './parse-file.ts';

const role = (name: string, spec: string, metadata = ''): string =>
  `apiVersion: postern.dev/v1alpha1\nkind: APIRole\nmetadata: {name: ${name}${metadata}}\nspec: ${spec}\n`;
const read = (...texts: readonly string[]): readonly FileObject[] => parseFile('a.yaml', texts.join('---\n')).objects;

describe('Generations', () => {
  it('counts changes of the spec, and nothing else', () => {
    const generations = new Generations();
    const counted = (...texts: readonly string[]): string[] =>
      generations.count(read(...texts)).map(({ object: { metadata } }) => `${metadata.name} ${metadata.generation}`);
    const other = role('b', '{inherits: []}');
    assert.deepEqual(counted(role('a', '{}'), other), ['a 1', 'b 1']);
    assert.deepEqual(counted(role('a', '{permissions: []}'), other), ['a 2', 'b 1']);
    assert.deepEqual(counted(role('a', '{permissions: []}', ', labels: {x: y}'), other), ['a 2', 'b 1']);
    assert.deepEqual(counted(role('a', '{}'), other), ['a 3', 'b 1']);
    assert.deepEqual(counted(other), ['b 1']);
    assert.deepEqual(counted(role('a', '{}')), ['a 1']);
  });

  it('gives the same object for what did not change, with the places of now', () => {
    const generations = new Generations();
    generations.count(read(role('a', '{}')));
    const [found] = read(role('a', '{permissions: []}'));
    if (found === undefined) return assert.fail();
    const [first] = generations.count([found]);
    const moved: FileObject = { ...found, placeOf: () => ({ file: 'b.yaml', line: 7, column: 1 }) };
    const [second] = generations.count([moved]);
    assert.equal(second?.object, first?.object);
    assert.deepEqual(second?.placeOf('spec'), { file: 'b.yaml', line: 7, column: 1 });
  });
});
