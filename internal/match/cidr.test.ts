import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ProblemList } from '../core/problem.ts';
import { compileCidrs, inCidrs } from './cidr.ts';

it('compileCidrs() holds what the networks hold', () => {
  const list = compileCidrs(['192.0.2.0/24', '198.51.100.7', '2001:db8::/32', '0.0.0.0/32'], new ProblemList());
  assert.ok(list);
  for (const address of ['192.0.2.255', '198.51.100.7', '2001:db8:ffff::1'])
    assert.equal(inCidrs(list, address), true, address);
  for (const address of ['192.0.3.0', '198.51.100.8', '2001:db9::1', '::1'])
    assert.equal(inCidrs(list, address), false, address);
});

it('compileCidrs() says which network is none and what to write', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['10.0.0.0/33', /prefix "33": it must be 0–32/],
    ['10.0.0.1/24', /host bits set/],
    ['2001:db8::1/32', /host bits set/],
    ['10.0.0', /not an IP network/],
    ['010.0.0.0/8', /not an IP network/],
    ['10.0.0.0/', /prefix ""/],
    ['10.0.0.0/08', /prefix "08"/],
    ['::ffff:10.0.0.0/104', /v4-mapped/],
    ['fe80::1%eth0', /not an IP network/],
    ['', /not an IP network/],
  ];
  for (const [cidr, message] of wrong) {
    const problems = new ProblemList('spec.cidrs');
    assert.equal(compileCidrs([cidr], problems), undefined, cidr);
    assert.match(problems.problems[0]?.message ?? '', message);
  }
});
