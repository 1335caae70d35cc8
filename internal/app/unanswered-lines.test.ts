import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UnansweredClass } from '../kube/unanswered-classes.ts';
import { type Answering, unansweredLine } from './unanswered-lines.ts';

const found = (parts: Partial<UnansweredClass>): UnansweredClass => ({
  className: 'edge',
  isForPods: false,
  isServed: false,
  count: 1,
  isAtLeast: false,
  policies: ['shop/orders'],
  ...parts,
});
const EVERYWHERE: Answering = { className: 'postern', namespaces: [] };
/** What is to be done besides naming another class. */
const mend = (parts: Partial<UnansweredClass>, own = EVERYWHERE): string | undefined =>
  / make it anew, or (.*)$/.exec(unansweredLine(found(parts), own))?.[1];

describe('what is said of a class that nobody has answered for', () => {
  it('names a release that serves it, of sidecars where its policies select Pods', () => {
    assert.equal(
      unansweredLine(found({}), EVERYWHERE),
      'One policy names the class "edge", for which no instance has written a status: shop/orders. This one serves "postern"; a policy\'s class cannot be changed: delete it and make it anew, or install a release with className=edge',
    );
    assert.equal(
      mend({ isForPods: true }),
      'install a release with sidecar.enabled=true and sidecar.className=edge',
      'not className=edge, which would refuse them',
    );
  });

  it('names the namespaces where an instance serves the class, and not a second release of it', () => {
    const policies = ['shop/a', 'shop/b', 'web/c'];
    const label = '(and where it has options.policySelector, label the policies so)';
    assert.equal(
      mend({ isServed: true, count: 3, policies }),
      `add the namespaces shop, web to "namespaces" of the release that serves the class ${label}`,
    );
    assert.equal(
      mend({ isServed: true, isForPods: true, count: 4, policies }),
      `add their namespaces to "sidecar.namespaces" of the release that serves the class ${label}`,
    );
    assert.match(
      unansweredLine(found({ isServed: true }), EVERYWHERE),
      /^One policy names the class "edge", whose instance has written no status there: shop\/orders\. /,
    );
  });

  it('names both where it sees a part of the policies only', () => {
    assert.equal(
      mend({}, { className: 'postern', namespaces: ['shop'] }),
      'install a release with className=edge; where there is one, add the namespace shop to "namespaces" of the release that serves the class',
    );
  });

  it('says so where there may be more than were counted', () => {
    const line = unansweredLine(found({ count: 1, isAtLeast: true, isServed: true }), EVERYWHERE);
    assert.match(line, /^At least one policy names the class "edge", /);
    assert.match(line, / or add their namespaces to "namespaces" of the release/);
  });
});
