import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inOneGo, type Steps } from '../../core/breather.ts';
import { ProblemList } from '../../core/problem.ts';
import { MAX_PATTERNS, MAX_ZONES, PartsBudget } from './dear-parts.ts';
import { compileExpression } from './expression.ts';

const matching = (...patterns: readonly string[]): string =>
  patterns.map((pattern) => `request.path.matches('${pattern}')`).join(' || ');
const numbered = (count: number, name: string): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);

function countSteps(steps: Steps<unknown>): number {
  let count = 1;
  while (!steps.next().done) count += 1;
  return count;
}

/** What is said of expressions that share one budget, in turn. */
function said(...sources: readonly string[]): (string | undefined)[] {
  const budget = new PartsBudget();
  return sources.map((source) => {
    const problems = new ProblemList();
    inOneGo(compileExpression(source, { result: 'bool', params: [], use: 'condition', budget }, problems));
    return problems.problems[0]?.message.split('\n')[0];
  });
}

const LARGE = numbered(20, '[a-z]{900}x');

describe('compiling what is dear', () => {
  it('makes one pattern or time zone in a step, so that many do not keep checks waiting', () => {
    const use = { result: 'bool', params: [], use: 'condition' } as const;
    const patterns = compileExpression(matching(...numbered(40, 'step')), use, new ProblemList());
    assert.ok(countSteps(patterns) > 40);
    const zones = [1, 2, 3, 4].map((hour) => `request.time.getHours('Etc/GMT+${hour}') == 1`).join(' || ');
    assert.ok(countSteps(compileExpression(zones, use, new ProblemList())) > 4);
  });

  it('bounds the patterns of a policy together, also those that another policy had compiled before', () => {
    assert.deepEqual(said(matching(...LARGE)), [undefined]);
    const others = numbered(20, '[a-z]{901}x');
    said(matching(...others));
    const [first, second, third] = said(matching(...LARGE), matching(...others), matching('short'));
    assert.equal(first, undefined);
    assert.match(
      second ?? '',
      new RegExp(`patterns of the policy have more than ${MAX_PATTERNS} parts together.*split`),
    );
    assert.equal(third, undefined, 'it was said once');
  });

  it('counts an expression that is written again only once, for it is kept once', () => {
    const again = matching(...numbered(20, '[a-z]{902}x'));
    assert.deepEqual(said(again, again, again), [undefined, undefined, undefined]);
    assert.deepEqual(said(again, again, again), [undefined, undefined, undefined]);
  });

  it('points at the pattern that is one too many', () => {
    const [message] = said(matching(...numbered(60, '[b-y]{900}x')));
    assert.match(message ?? '', /^1:\d{4}: With this one the patterns/);
  });

  it('weighs what reaches beyond ASCII by its ranges: it is short to write and slow to prepare', () => {
    assert.match(said(matching(...numbered(5, '[\\\\pL\\\\pN]{190}')))[0] ?? '', /With this one the patterns/);
    assert.deepEqual(said(matching('^[\\\\pL\\\\pN ]{1,64}$')), [undefined]);
  });

  it('bounds the time zones of a policy together, each counted once', () => {
    const hours = Array.from({ length: MAX_ZONES + 1 }, (_, i) => `request.time.getHours('+00:${10 + i}') == 1`);
    const most = hours.slice(0, MAX_ZONES).join(' || ');
    assert.deepEqual(said(most, most), [undefined, undefined]);
    assert.match(said(most, hours.join(' || '))[1] ?? '', new RegExp(`more than ${MAX_ZONES} time zones.*name fewer`));
  });
});
