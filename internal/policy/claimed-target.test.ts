import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimedTarget } from './claimed-target.ts';

const pathsOf = (paths: unknown): readonly string[] =>
  claimedTarget({ target: { paths } }).templates.map(({ source }) => source);

describe('claimedTarget()', () => {
  const templates: readonly (readonly [unknown, readonly string[]])[] = [
    [undefined, ['/**']],
    [[], ['/**']],
    [7, ['/**']],
    [{ exact: '/a' }, ['/**']],
    ['/a/{id}', ['/a/{id}']],
    [
      ['/a', null],
      ['/a', '/**'],
    ],
    [['/admin/*'], ['/admin/**']],
    [['admin/*'], ['/admin/**']],
    [[`${'/admin'.repeat(40)}*`], [`${'/admin'.repeat(32)}/**`]],
    [['/a//b'], ['/a/**']],
    [[`/a/b/${'c'.repeat(1024)}`], ['/a/b/**']],
    [['/a/**/b'], ['/a/**']],
    [['/{a}/{a}'], ['/{a}/**']],
    [['/a/../b'], ['/a/**']],
    [['*'], ['/**']],
    [[''], ['/**']],
  ];
  for (const [paths, claimed] of templates) {
    it(`claims ${claimed.at(-1)?.slice(0, 20)} where paths are ${JSON.stringify(paths)?.slice(0, 30)}`, () => {
      assert.deepEqual(pathsOf(paths), claimed);
    });
  }

  it('reads hosts and routes as far as they can be read, and never throws', () => {
    const target = {
      hosts: ['API.example.org:8443', '*.Example.org', '*', 7, 'a b'],
      routes: [
        'plain',
        { name: 'a', sectionName: 7 },
        { name: 'b', kind: 'Route', sectionName: 'x' },
        { name: 7 },
        null,
      ],
    };
    const { hosts, routes } = claimedTarget({ target });
    assert.deepEqual(hosts, ['api.example.org', '*.example.org']);
    assert.deepEqual(routes, [
      { kind: 'HTTPRoute', name: 'plain', sectionName: undefined },
      { kind: 'HTTPRoute', name: 'a', sectionName: undefined },
      { kind: 'HTTPRoute', name: 'b', sectionName: 'x' },
      { kind: 'GRPCRoute', name: 'b', sectionName: 'x' },
    ]);
    for (const spec of [undefined, null, 7, 'x', [], { target: null }, { target: [] }])
      assert.deepEqual(claimedTarget(spec).hosts, []);
  });

  const whole: readonly (readonly [object, boolean])[] = [
    [{ hosts: ['a.test'], paths: ['/v1/**'] }, true],
    [{ hosts: ['a.test'] }, true],
    [{ hosts: ['a.test'], paths: ['/v2/{id/**'] }, false],
    [{ hosts: ['a.test'], path: ['/v2/**'] }, false],
    [{ routes: [{ name: 'r', sectionName: 'x' }] }, true],
    [{ routes: [{ name: 'r', sectionName: 7 }] }, false],
    [{ routes: [{ name: 'r', section: 'x' }] }, false],
    [{ routes: [{ name: 'r', kind: 'Route' }] }, false],
    [{ routes: ['r'] }, false],
  ];
  for (const [target, isWhole] of whole) {
    it(`${isWhole ? 'read' : 'guessed'} ${JSON.stringify(target)}`, () => {
      assert.equal(claimedTarget({ target }).isWhole, isWhole);
    });
  }
});
