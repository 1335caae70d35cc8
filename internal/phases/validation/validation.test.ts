import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inOneGo } from '../../core/breather.ts';
import { anEvaluation, type Given } from '../../core/evaluation.fixture.ts';
import { ProblemList } from '../../core/problem.ts';
import type { Body } from '../../core/request.ts';
import { PartsBudget } from '../../match/expression/dear-parts.ts';
import { compileValidation, type Validation } from './compile.ts';
import { validationSpec } from './spec.ts';
import { validate } from './validation.ts';

const compiled = (spec: object | undefined, problems = new ProblemList()): Validation | undefined =>
  inOneGo(
    compileValidation(spec && validationSpec.parse(spec), { params: ['id'], budget: new PartsBudget() }, problems),
  );
const judge = (spec: object, given: Given = {}): unknown => {
  const validation = compiled(spec);
  assert.ok(validation);
  return validate(validation)(anEvaluation(given));
};
const reasonOf = (refusal: unknown): unknown => (refusal as { reason?: unknown } | undefined)?.reason;

describe('validate()', () => {
  it('says which limit of which place is broken, in one frozen refusal for all', () => {
    const headers: readonly (readonly [string, string])[] = [['cookie', 'session=secret']];
    const refusal = judge({ limits: { headers: '4' } }, { headers });
    assert.deepEqual(refusal, {
      reason: 'headers_too_large',
      rule: 'headers',
      detail: 'Send shorter headers, or fewer',
      errors: [{ pointer: '/header', rule: 'headers' }],
    });
    assert.equal(judge({ limits: { headers: '4' } }, { headers }), refusal);
    assert.ok(Object.isFrozen(refusal));
  });

  it('counts no pseudo-header', () => {
    const headers: readonly (readonly [string, string])[] = [
      [':path', '/a-path-that-is-long'],
      ['a', 'b'],
    ];
    assert.equal(judge({ limits: { headers: '2', headerCount: 1 } }, { headers }), undefined);
  });

  it('takes a body that was cut, or may have stayed behind, for no empty one', () => {
    const states: readonly Body[] = [{ state: 'none' }, { state: 'cut' }, { state: 'unknown' }];
    const reasons = states.map((body) => reasonOf(judge({ bodyless: ['POST'], limits: { body: '1Ki' } }, { body })));
    assert.deepEqual(reasons, [undefined, 'body_too_large', 'body_not_forwarded']);
  });

  it('asks for no body where no limit is on it', () => {
    assert.equal(judge({ limits: { url: '1Ki' } }, { body: { state: 'unknown' } }), undefined);
  });
});

describe('compileValidation()', () => {
  it('gives no step to a section that says nothing', () => {
    for (const spec of [undefined, {}, { bodyless: ['GET'], mode: 'Audit' }]) assert.equal(compiled(spec), undefined);
  });
});

describe('validationSpec', () => {
  const problemOf = (spec: object): string | undefined => validationSpec.safeParse(spec).error?.issues[0]?.message;

  it('refuses sizes that are none, or larger than can be', () => {
    const sizes = ['0', '64KB', '1.5Ki', '-1', '65Ki', ''];
    assert.deepEqual(
      sizes.map((url) => problemOf({ limits: { url } })?.slice(0, 25)),
      [
        'must be a size in bytes, ',
        'must be a size in bytes, ',
        'must be a size in bytes, ',
        'must be a size in bytes, ',
        'must be at most 64Ki',
        'must be a size in bytes, ',
      ],
    );
  });

  it('refuses limits without a limit', () => {
    assert.match(String(problemOf({ limits: {} })), /at least one of url, headers/);
  });
});
