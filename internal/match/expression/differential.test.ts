import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CelInput, isCelError, run } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { trimBlanks } from '../../core/blanks.ts';
import { inOneGo } from '../../core/breather.ts';
import { anEvaluation, type Given } from '../../core/evaluation.fixture.ts';
import { ProblemList } from '../../core/problem.ts';
import { compileExpression } from './expression.ts';
import { expression, type Kind, words } from './generated-expression.fixture.ts';
import { isError, type Result } from './value.ts';

interface Facts {
  readonly scheme: string;
  readonly header: string;
  readonly subject: string | null;
  readonly groups: readonly string[];
  readonly q: readonly string[];
  readonly body: { readonly a: unknown; readonly list: readonly unknown[]; readonly n: number };
  readonly level: number;
  readonly timeMs: number;
}

const SIZE = 77;
const ID = '/v1/é';

const given = ({ scheme, header, subject, groups, q, body, level, timeMs }: Facts): Given => ({
  request: { scheme, id: ID, timeMs, body: { state: 'forwarded', bytes: JSON.stringify(body), size: SIZE } },
  headers: [['x-a', header]],
  query: { q },
  context: { team: 'shop' },
  identity: { subject, groups, claims: { level } },
});

/** The same facts for the interpreter. */
const bindings = ({ scheme, header, subject, groups, q, body, level, timeMs }: Facts): Record<string, CelInput> => ({
  request: new Map<string, CelInput>([
    ['scheme', scheme],
    ['id', ID],
    ['size', BigInt(SIZE)],
    ['time', timestampFromMs(timeMs)],
    ['headers', new Map([['x-a', header]])],
    ['queryValues', new Map([['q', q]])],
    ['body', input(body)],
  ]),
  identity: new Map<string, CelInput>([
    ['subject', subject],
    ['groups', groups],
    ['scopes', []],
    ['claims', new Map([['level', level]])],
  ]),
  context: new Map([['team', 'shop']]),
});

function input(json: unknown): CelInput {
  if (Array.isArray(json)) return json.map(input);
  if (typeof json !== 'object' || json === null) return json as CelInput;
  return new Map(Object.entries(json).map(([key, value]) => [key, input(value)]));
}

const scalar = fc.oneof(fc.constant(null), fc.boolean(), words, fc.integer({ min: -3, max: 3 }), fc.constant(0.5));
const facts: fc.Arbitrary<Facts> = fc.record({
  scheme: fc.constantFrom('http', 'https'),
  // As the edge leaves a value.
  header: words.map(trimBlanks),
  subject: fc.option(words),
  groups: fc.array(words, { maxLength: 3 }),
  q: fc.array(words, { minLength: 1, maxLength: 3 }),
  body: fc.record({ a: scalar, list: fc.array(scalar, { maxLength: 3 }), n: fc.integer({ min: -3, max: 3 }) }),
  level: fc.integer({ min: 0, max: 9 }),
  timeMs: fc.integer({ min: Date.UTC(1971, 0, 1), max: Date.UTC(2037, 0, 1) }),
});

/** One shape for both sides; an error is an error, whatever it says. */
function plain(value: unknown): unknown {
  if (isError(value) || isCelError(value)) return 'error';
  if (typeof value === 'object' && value !== null && Symbol.iterator in value)
    return Array.from(value as Iterable<unknown>, plain);
  return Object.is(value, -0) ? 0 : value;
}

const KINDS: readonly Kind[] = ['bool', 'int', 'double', 'string', 'strings', 'ints'];

describe('closures and the interpreter of @bufbuild/cel', () => {
  for (const kind of KINDS) {
    it(`give the same ${kind} for generated expressions over the vocabulary`, () => {
      fc.assert(
        fc.property(expression(kind, 3), facts, (source, known) => {
          const problems = new ProblemList();
          const compiled = inOneGo(
            compileExpression(source, { result: 'any', params: [], use: 'condition' }, problems),
          );
          assert.ok(compiled !== undefined, `${problems.problems[0]?.message}`);
          const ours: Result = compiled.evaluate(anEvaluation(given(known)));
          const theirs = run(source, bindings(known), { funcs: strings });
          assert.deepEqual(plain(ours), plain(theirs), source);
        }),
        { numRuns: 400 },
      );
    });
  }
});
