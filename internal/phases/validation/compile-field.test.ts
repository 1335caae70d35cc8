import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inOneGo } from '../../core/breather.ts';
import { ProblemList } from '../../core/problem.ts';
import { MAX_PATTERNS, PartsBudget } from '../../match/expression/dear-parts.ts';
import { compileFields, type FieldRule } from './compile-field.ts';
import { fieldsSpec } from './field-spec.ts';

function compile(fields: readonly object[], budget = new PartsBudget()): [readonly FieldRule[], string[]] {
  const problems = new ProblemList('spec.validation.fields');
  const named = fields.map((field, index) => ({ name: `f${index}`, ...field }));
  const rules = inOneGo(compileFields(fieldsSpec.parse(named), { mode: 'Enforce', params: ['id'], budget }, problems));
  return [rules, problems.problems.map(({ severity, path, message }) => `${severity} ${path}: ${message}`)];
}

describe('compileFields()', () => {
  it('refuses a parameter that some template has not', () => {
    const [rules, problems] = compile([
      { path: { name: 'id' } },
      { path: { name: 'name' } },
      { path: { name: 'id' }, paths: ['/a/{id}', '/b'] },
      { path: { name: 'name' }, paths: ['/a/{name}'] },
    ]);
    assert.deepEqual(
      rules.map(({ name }) => name),
      ['f0', 'f3'],
    );
    assert.deepEqual(problems, [
      'error spec.validation.fields[1].path.name: "name" is not in every template of the target: name a parameter that is, or give paths',
      'error spec.validation.fields[2].path.name: "id" is not in every template of paths: name a parameter that is, or give paths',
    ]);
  });

  it('refuses patterns that are none, not linear, or a pattern in pieces alone', () => {
    const wrong = ['(', '(?=a)b', '(a)\\1', 'a)|(b', '\\Qa', '(x{100}){100}'];
    const [rules, problems] = compile(wrong.map((pattern) => ({ query: { name: 'q' }, pattern })));
    assert.deepEqual(rules, []);
    assert.deepEqual(
      problems.map((problem) => problem.slice(0, problem.indexOf('used:') + 5)),
      wrong.map((_, index) => `error spec.validation.fields[${index}].pattern: The pattern cannot be used:`),
    );
  });

  it('refuses more patterns than a policy may have', () => {
    const budget = new PartsBudget();
    budget.take({ patterns: MAX_PATTERNS, zones: new Set() });
    const [, [problem]] = compile([{ query: { name: 'q' }, pattern: 'a' }], budget);
    assert.match(String(problem), /the patterns of the policy have more than/);
  });

  it('writes pointers of errors as RFC 6901 has them, in the words of the author', () => {
    const [rules] = compile([
      { query: { name: 'a/b~c' } },
      { body: { pointer: '/a~1b/0' } },
      { header: { name: 'x-a' } },
    ]);
    assert.deepEqual(
      rules.map(({ pointer }) => pointer),
      ['/query/a~1b~0c', '/body/a~1b/0', '/header/x-a'],
    );
    assert.deepEqual(rules[1]?.place, { kind: 'body', tokens: ['a/b', '0'] });
  });
});

describe('fieldsSpec', () => {
  it('refuses what would mean nothing', () => {
    const problemOf = (field: object): string | undefined =>
      fieldsSpec.safeParse([{ name: 'f', ...field }]).error?.issues[0]?.message;
    const query = { name: 'q' };
    assert.deepEqual(
      [
        {},
        { query, header: { name: 'x' } },
        { query, type: 'Integer', pattern: 'a' },
        { query, minimum: 1 },
        { query, type: 'Array' },
        { query, minLength: 3, maxLength: 2 },
        { query, type: 'Number', minimum: 3, maximum: 2 },
        { body: { pointer: 'a' } },
        { body: { pointer: '' } },
      ].map(problemOf),
      [
        'exactly one of path, query, header, cookie or body must be set',
        'exactly one of path, query, header, cookie or body must be set',
        'format, minLength, maxLength, pattern and enum go with type String',
        'minimum and maximum go with type Integer or Number',
        'type Object and Array go with body',
        'the smallest must not be above the largest',
        'the smallest must not be above the largest',
        'must be a JSON pointer, as in "/card/number"',
        'must be a JSON pointer, as in "/card/number"',
      ],
    );
  });
});
