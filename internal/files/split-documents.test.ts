import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { splitDocuments } from './split-documents.ts';

const texts = (text: string): string[] => splitDocuments(text).map((document) => document.text);

it('splitDocuments() cuts where YAML does, and keeps directives and comments with the document after them', () => {
  assert.deepEqual(splitDocuments('a: 1\n---\nb: 2\n...\n# c\n%YAML 1.2\n---\nc: 3'), [
    { text: 'a: 1\n', linesBefore: 0 },
    { text: '---\nb: 2\n...\n', linesBefore: 1 },
    { text: '# c\n%YAML 1.2\n---\nc: 3', linesBefore: 4 },
  ]);
  assert.deepEqual(texts('a: "x ---\n  --- y"\nb: |\n  ---\n---x: 1\n'), [
    'a: "x ---\n  --- y"\nb: |\n  ---\n---x: 1\n',
  ]);
  assert.deepEqual(texts('# nothing\n'), ['# nothing\n']);
  assert.deepEqual(texts(''), []);
});

const LINES = [
  '---',
  '--- ',
  '...',
  '# c',
  '',
  'a: 1',
  'b: "x',
  '  y"',
  'c: |',
  '  z',
  '- 1',
  '---\r',
  '--- d: 1',
  'x ---',
];

it('splitDocuments() reads the same as the whole text, and loses no character', () => {
  const values = (text: string): unknown[] =>
    [parseAllDocuments(text, { prettyErrors: false })].flat().map((document) => document.toJS() as unknown);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...LINES), { maxLength: 12 }), (lines) => {
      const text = lines.join('\n');
      assert.equal(texts(text).join(''), text);
      const whole = [parseAllDocuments(text, { prettyErrors: false })].flat();
      // What YAML itself cannot read may be cut otherwise: it is refused either way.
      if (whole.some(({ errors }) => errors.length > 0)) return;
      const said = (found: readonly unknown[]): unknown[] =>
        found.filter((value) => value !== null && value !== undefined);
      assert.deepEqual(said(texts(text).flatMap(values)), said(values(text)));
    }),
    { seed: 20261124, numRuns: 2000 },
  );
});
