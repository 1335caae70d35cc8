import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseQuantity } from './quantity.ts';

it('parseQuantity() reads whole bytes with and without a unit', () => {
  assert.deepEqual(
    ['17', '1k', '64Ki', '4Mi', '2M', '1Gi'].map(parseQuantity),
    [17, 1000, 65_536, 4_194_304, 2_000_000, 1_073_741_824],
  );
});

it('parseQuantity() reads nothing that could be read otherwise', () => {
  const wrong = ['', ' 1', '1 Ki', '-1', '+1', '1e3', '0x10', '1.5Ki', '64ki', '64KB', '1m', '١', '1234567890123'];
  assert.deepEqual(
    wrong.map(parseQuantity),
    wrong.map(() => undefined),
  );
});
