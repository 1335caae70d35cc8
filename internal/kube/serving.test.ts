import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { servingOf } from './serving.ts';

describe('servingOf()', () => {
  it('digests a policy that is refused once, however many builds refuse it', () => {
    let reads = 0;
    const policy = {
      namespace: 'evil',
      generation: 1,
      get uid() {
        reads += 1;
        return 'uid';
      },
    };
    const first = servingOf([], { '*': '1' }, [policy]);
    const second = servingOf([], { '*': '1' }, [policy]);
    assert.deepEqual(second, first);
    assert.equal(reads, 1);
    assert.notDeepEqual(servingOf([], { '*': '1' }, [{ namespace: 'evil', uid: 'uid', generation: 2 }]), first);
  });
});
