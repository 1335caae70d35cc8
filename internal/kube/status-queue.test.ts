import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DesiredStatus } from './apply-status.ts';
import { StatusQueue } from './status-queue.ts';

const desired = (kind: string, namespace: string, name: string, generation = 1): DesiredStatus => ({
  resource: { group: 'postern.dev', version: 'v1alpha1', plural: 'any' },
  apiVersion: 'postern.dev/v1alpha1',
  kind,
  namespace,
  name,
  uid: name,
  generation,
  resourceVersion: '1',
  status: {},
});

/** What it gives, one after the other, as `namespace/name generation`. */
function drained(queue: StatusQueue, mayBegin: (key: string) => boolean = () => true): string[] {
  const order: string[] = [];
  for (let next = queue.next(mayBegin); next !== undefined; next = queue.next(mayBegin)) {
    const [key, status] = next;
    queue.remove(key, status);
    order.push(`${status.namespace}/${status.name} ${status.generation}`);
  }
  return order;
}

function queueOf(...all: readonly DesiredStatus[]): StatusQueue {
  const queue = new StatusQueue();
  for (const one of all) queue.set(`${one.kind}/${one.namespace}/${one.name}`, one);
  return queue;
}

describe('StatusQueue', () => {
  it('gives namespaces turns, so that nobody waits behind another one with a thousand statuses', () => {
    const many = Array.from({ length: 1000 }, (_, i) => desired('APIConsumer', 'evil', `c${i}`));
    const queue = queueOf(...many, desired('APIPolicy', 'bank', 'p'), desired('APIPolicy', 'bank', 'q'));
    assert.deepEqual(drained(queue).slice(0, 5), ['evil/c0 1', 'bank/p 1', 'evil/c1 1', 'bank/q 1', 'evil/c2 1']);
  });

  it('gives policies of a namespace before its consumers, roles and bindings', () => {
    const queue = queueOf(
      desired('APIConsumer', 'shop', 'c'),
      desired('APIRole', 'shop', 'r'),
      desired('APIPolicy', 'shop', 'p'),
    );
    assert.deepEqual(drained(queue), ['shop/p 1', 'shop/c 1', 'shop/r 1']);
  });

  it('keeps the newest of an object, at the place of the one before', () => {
    const queue = queueOf(
      desired('APIPolicy', 'shop', 'p', 1),
      desired('APIPolicy', 'shop', 'q'),
      desired('APIPolicy', 'shop', 'p', 2),
    );
    assert.equal(queue.size, 2);
    assert.deepEqual(drained(queue), ['shop/p 2', 'shop/q 1']);
    assert.equal(queue.size, 0);
  });

  it('passes over what may not begin, and keeps it', () => {
    const queue = queueOf(desired('APIPolicy', 'shop', 'p'), desired('APIPolicy', 'bank', 'q'));
    assert.deepEqual(
      drained(queue, (key) => key !== 'APIPolicy/shop/p'),
      ['bank/q 1'],
    );
    assert.equal(queue.size, 1);
    assert.deepEqual(drained(queue), ['shop/p 1']);
  });

  it('gives back what waited for an object that is removed, and nothing for one that did not', () => {
    const waits = desired('APIPolicy', 'shop', 'p', 2);
    const queue = queueOf(waits);
    assert.equal(queue.remove('APIPolicy/shop/q', waits), undefined);
    assert.equal(queue.remove('APIPolicy/shop/p', waits), waits);
    assert.equal(queue.remove('APIPolicy/shop/p', waits), undefined);
    assert.equal(queue.size, 0);
  });
});
