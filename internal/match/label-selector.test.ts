import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileLabelSelector, type LabelSelectorSpec } from './label-selector.ts';

const LABELS = { team: 'shop', tier: 'gold' };
const matches = (selector: LabelSelectorSpec, labels: Readonly<Record<string, string>> = LABELS): boolean =>
  compileLabelSelector(selector)(labels);
const one = (key: string, operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', values?: readonly string[]) => ({
  matchExpressions: [{ key, operator, values }],
});

describe('compileLabelSelector', () => {
  it('selects everything when it is empty', () => {
    assert.deepEqual([matches({}), matches({}, {})], [true, true]);
  });

  it('asks for every label, with its value', () => {
    assert.deepEqual(
      [{ team: 'shop' }, { team: 'web' }, { team: 'shop', tier: 'gold' }, { team: 'shop', zone: 'a' }].map(
        (matchLabels) => matches({ matchLabels }),
      ),
      [true, false, true, false],
    );
  });

  it('compares as Kubernetes does: NotIn and DoesNotExist hold where there is no such label', () => {
    assert.deepEqual(
      [
        one('team', 'In', ['web', 'shop']),
        one('team', 'In', ['web']),
        one('zone', 'In', ['a']),
        one('team', 'NotIn', ['shop']),
        one('zone', 'NotIn', ['a']),
        one('team', 'Exists'),
        one('zone', 'Exists'),
        one('team', 'DoesNotExist'),
        one('zone', 'DoesNotExist'),
      ].map((selector) => matches(selector)),
      [true, false, false, false, true, true, false, false, true],
    );
  });

  it('asks for labels and expressions together', () => {
    assert.equal(matches({ matchLabels: { team: 'shop' }, ...one('tier', 'NotIn', ['gold']) }), false);
  });

  it('takes no member that every object has for a label', () => {
    assert.deepEqual(
      [one('constructor', 'Exists'), one('toString', 'NotIn', ['x'])].map((selector) => matches(selector)),
      [false, true],
    );
  });
});
