import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_WORK, type Meter } from '../../core/meter.ts';
import { compilePattern } from '../../match/expression/pattern.ts';
import { checkJson, checkText } from './check-value.ts';
import type { ValueRules } from './compile-field.ts';

const ANY: ValueRules = {
  type: 'String',
  format: undefined,
  minLength: 0,
  maxLength: Number.POSITIVE_INFINITY,
  pattern: undefined,
  enum: undefined,
  minimum: Number.NEGATIVE_INFINITY,
  maximum: Number.POSITIVE_INFINITY,
};
const meter = (): Meter => ({ work: MAX_WORK, iterations: 0 });
const text = (rules: Partial<ValueRules>, given: string): unknown => checkText({ ...ANY, ...rules }, given, meter());
const json = (rules: Partial<ValueRules>, given: unknown): unknown => checkJson({ ...ANY, ...rules }, given, meter());

describe('checkText()', () => {
  it('reads numbers as JSON has them, and no other spelling', () => {
    const right = ['0', '-0', '12', '-7', '9007199254740993'];
    const wrong = [
      '',
      ' 1',
      '1 ',
      '+1',
      '01',
      '1.0',
      '1e3',
      '0x10',
      '1_000',
      '１',
      'NaN',
      'Infinity',
      '1,000',
      '-',
      `1${'0'.repeat(400)}`,
    ];
    assert.deepEqual(
      right.map((given) => text({ type: 'Integer' }, given)),
      right.map(() => undefined),
    );
    assert.deepEqual(
      wrong.map((given) => text({ type: 'Integer' }, given)),
      wrong.map(() => 'type'),
    );
    assert.deepEqual(
      ['1.5', '-1e-3', '1E5'].map((given) => text({ type: 'Number' }, given)),
      [undefined, undefined, undefined],
    );
    assert.deepEqual(
      ['.5', '5.', '1e400', '1e'].map((given) => text({ type: 'Number' }, given)),
      ['type', 'type', 'type', 'type'],
    );
    assert.deepEqual(
      ['true', 'false', 'TRUE', '1', ''].map((given) => text({ type: 'Boolean' }, given)),
      [undefined, undefined, 'type', 'type', 'type'],
    );
  });

  it('holds numbers in their range also where doubles are rare', () => {
    const range = { type: 'Integer', minimum: -5, maximum: Number.MAX_SAFE_INTEGER } as const;
    const given = ['-6', '-5', '9007199254740991', '9007199254740992', '9007199254740993', `9${'0'.repeat(200)}`];
    assert.deepEqual(
      given.map((one) => text(range, one)),
      ['minimum', undefined, undefined, 'maximum', 'maximum', 'maximum'],
    );
  });

  it('counts characters and not the units that they take', () => {
    const lengths = { minLength: 2, maxLength: 3 };
    assert.deepEqual(
      ['𝄞', 'a', '𝄞𝄞', 'ab', '𝄞𝄞𝄞', 'abc', '𝄞𝄞𝄞𝄞', 'abcd'].map((given) => text(lengths, given)),
      ['minLength', 'minLength', undefined, undefined, undefined, undefined, 'maxLength', 'maxLength'],
    );
  });

  it('takes what is no UTF-8 for no text', () => {
    assert.equal(text({}, 'a\udcff'), 'readable');
  });

  it('holds no pattern against a long text, nor against one beyond the budget of the check', () => {
    const pattern = compilePattern('\\A(?:a*)\\z');
    assert.ok(typeof pattern === 'object');
    const rules = { ...ANY, pattern: pattern.test };
    assert.deepEqual(
      ['a'.repeat(4096), 'a'.repeat(4097)].map((given) => checkText(rules, given, meter())),
      [undefined, 'pattern'],
    );
    assert.equal(checkText(rules, 'aaa', { work: 0, iterations: 0 }), 'pattern');
  });
});

describe('checkJson()', () => {
  it('takes each type for no other', () => {
    const values = ['1', 1, 1.5, true, {}, [], null];
    const taken = (type: ValueRules['type']): unknown[] =>
      values.filter((value) => json({ type }, value) === undefined);
    assert.deepEqual(taken('String'), ['1']);
    assert.deepEqual(taken('Integer'), [1]);
    assert.deepEqual(taken('Number'), [1, 1.5]);
    assert.deepEqual(taken('Boolean'), [true]);
    assert.deepEqual(taken('Object'), [{}]);
    assert.deepEqual(taken('Array'), [[]]);
  });

  it('knows what a String can be, exactly', () => {
    const known = { enum: new Set(['red', 'green']) };
    assert.deepEqual(
      ['red', 'Red', 'red ', '', '__proto__'].map((given) => json(known, given)),
      [undefined, 'enum', 'enum', 'enum', 'enum'],
    );
  });
});
