import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { workerCount } from './workers-flag.ts';

const machine = (parallelism: number) => () => parallelism;

describe('workerCount()', () => {
  it('takes a number from 1 to 64', () => {
    assert.deepEqual(
      ['1', '2', '64'].map((text) => workerCount(text, machine(8))),
      [1, 2, 64].map((value) => ({ ok: true, value })),
    );
  });

  it('takes auto for what the CPU limit allows, and for no more than there may be', () => {
    assert.deepEqual(
      [1, 4, 200, 0].map((parallelism) => workerCount('auto', machine(parallelism))),
      [1, 4, 64, 1].map((value) => ({ ok: true, value })),
    );
  });

  it('refuses anything else, and says what to write', () => {
    const problem = 'is not a number from 1 to 64: write one, or auto';
    for (const text of ['0', '65', '-1', '1.5', '02', ' 2', 'Auto', '2x', '1e1', '100'])
      assert.deepEqual(workerCount(text, machine(8)), { ok: false, problem }, text);
  });
});
