import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { inOneGo } from '../../core/breather.ts';
import { anEvaluation } from '../../core/evaluation.fixture.ts';
import { ProblemList } from '../../core/problem.ts';
import { PartsBudget } from '../../match/expression/dear-parts.ts';
import { compileValidation } from './compile.ts';
import { validationSpec } from './spec.ts';
import { validate } from './validation.ts';

const FIELD = { name: 'f', type: 'Integer', minimum: 1, required: true };

function stepOf(place: object): ReturnType<typeof validate> {
  const spec = validationSpec.parse({ fields: [{ ...FIELD, ...place }] });
  const context = { params: [], budget: new PartsBudget() };
  const validation = inOneGo(compileValidation(spec, context, new ProblemList()));
  assert.ok(validation);
  return validate(validation);
}

const bodies = stepOf({ body: { pointer: '/n' } });
const queries = stepOf({ query: { name: 'n' } });

/** A member as it is written, and as readers read it: folded, as by those that mind no case. */
interface Written {
  readonly text: string;
  readonly name: string;
  readonly value: number;
}

const name = fc.constantFrom(
  ['"n"', 'n'],
  ['"\\u006e"', 'n'],
  ['"N"', 'n'],
  ['"\\u004E"', 'n'],
  ['"m"', 'm'],
  ['"n "', 'n '],
);
const member: fc.Arbitrary<Written> = fc
  .tuple(name, fc.integer({ min: -1, max: 3 }), fc.constantFrom('', ' ', '\n'))
  .map(([[written = '', read = ''], value, blank]) => ({
    text: `${blank}${written}${blank}:${value}`,
    name: read,
    value,
  }));

it('validate() lets pass no body in which some reader finds another value (property)', () => {
  const around = fc.constantFrom(['', ''], ['\ufeff', ''], ['', ' {"n":0}'], ['[', ']'], ['{"n":', '}']);
  let passed = 0;
  fc.assert(
    fc.property(fc.array(member, { maxLength: 4 }), around, (members, [before = '', behind = '']) => {
      const body = `${before}{${members.map(({ text }) => text).join()}}${behind}`;
      const refusal = bodies(anEvaluation({ body, headers: [['content-type', 'application/json']] }));
      if (refusal !== undefined) return;
      passed += 1;
      const found = members.filter((one) => one.name === 'n').map(({ value }) => value);
      assert.ok(before === '' && behind === '' && found.length === 1 && (found[0] ?? 0) >= 1, body);
    }),
    { numRuns: 3000 },
  );
  assert.ok(passed > 10, String(passed));
});

it('validate() lets pass no query in which some reader finds another value (property)', () => {
  const parameter = fc.tuple(
    fc.constantFrom('n', 'N', 'm', 'n '),
    fc.constantFrom('-1', '0', '1', '2', ' 1', '1 ', '01', '+1', '1.0', ''),
  );
  let passed = 0;
  fc.assert(
    fc.property(fc.array(parameter, { maxLength: 4 }), (parameters) => {
      const query: Record<string, string[]> = {};
      for (const [key, value] of parameters) query[key] = [...(query[key] ?? []), value];
      if (queries(anEvaluation({ query })) !== undefined) return;
      passed += 1;
      const found = parameters.filter(([key]) => key.toLowerCase() === 'n').map(([, value]) => value);
      assert.ok(found.length === 1 && /^[12]$/.test(found[0] ?? ''), JSON.stringify(parameters));
    }),
    { numRuns: 3000 },
  );
  assert.ok(passed > 50, String(passed));
});
