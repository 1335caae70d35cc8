import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { inOneGo } from '../../core/breather.ts';
import { anEvaluation } from '../../core/evaluation.fixture.ts';
import { ProblemList } from '../../core/problem.ts';
import { compileExpression, type Expression } from './expression.ts';
import { expression, type Kind } from './generated-expression.fixture.ts';
import { isError } from './value.ts';

/** What evaluate() answers when a closure threw all the same. */
const UNFORESEEN = 'the expression could not be evaluated';
const KINDS: readonly Kind[] = ['bool', 'int', 'double', 'string', 'strings', 'ints'];

function compile(source: string): Expression | undefined {
  const problems = new ProblemList();
  const compiled = inOneGo(compileExpression(source, { result: 'any', params: ['id'], use: 'key' }, problems));
  assert.equal(compiled === undefined, problems.hasErrors);
  return compiled;
}

it('compileExpression() answers any text with an expression or one problem', () => {
  const tokens = fc.constantFrom(
    ...[
      'request',
      '.',
      'headers',
      '[',
      ']',
      '(',
      ')',
      '"x"',
      'identity',
      'groups',
      'exists',
      'map',
      ',',
      'x',
      '&&',
      '||',
    ],
    ...[
      '?',
      ':',
      '1',
      '-',
      '+',
      '1u',
      '2.5',
      '==',
      'in',
      'b"\\xff"',
      'has',
      'matches',
      'dyn',
      '{',
      '}',
      'null',
      '!',
      '`',
      '"\\ud800"',
    ],
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(tokens, { maxLength: 25 }).map((parts) => parts.join('')),
    fc.tuple(expression('bool', 2), fc.nat(), fc.string({ maxLength: 3 })).map(([text, at, piece]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + piece + text.slice(cut + piece.length);
    }),
  );
  fc.assert(
    fc.property(texts, (source) => {
      compile(source)?.evaluate(anEvaluation());
    }),
    { numRuns: 3000 },
  );
});

it('evaluate() gives a value or an error, whatever JSON stands where a text or a number was meant', () => {
  const sources = fc.oneof(...KINDS.map((kind) => expression(kind, 3)));
  const anything = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('', '1', 'a', 0, 1, -1, 2 ** 53, 1e300));
  const bodies = fc.record({ a: anything, list: anything, n: anything, s: anything });
  fc.assert(
    fc.property(sources, bodies, fc.constantFrom('a', 'list', 'n', 's', 'none'), (source, body, member) => {
      const dynamic = source.replace(
        /request\.(?:scheme|id|size|time)|identity\.(?:subject|groups|scopes)/g,
        `request.body.${member}`,
      );
      const compiled = compile(dynamic);
      const evaluation = anEvaluation({ body: JSON.stringify(body) });
      for (const result of [compiled?.evaluate(evaluation), compiled?.text(evaluation), compiled?.key(evaluation)]) {
        assert.notEqual(isError(result) && result.message, UNFORESEEN, dynamic);
      }
    }),
    { numRuns: 3000 },
  );
});
