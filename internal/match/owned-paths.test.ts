import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ProblemList } from '../core/problem.ts';
import { OwnedPaths } from './owned-paths.ts';
import { compilePathTemplates, type PathTemplate, parsePathTemplate } from './path-template.ts';

function aTemplate(path: string): PathTemplate {
  const template = parsePathTemplate(path, new ProblemList());
  assert.ok(template, path);
  return template;
}

const plenty = () => ({ left: 10_000 });

function holding(held: readonly (readonly [string, string])[]): OwnedPaths {
  const paths = new OwnedPaths();
  for (const [path, of] of held) paths.add(aTemplate(path), of);
  return paths;
}

const meets = (held: readonly (readonly [string, string])[], asked: string, owner: string): boolean =>
  holding(held).meetsOther(aTemplate(asked), owner, plenty());

describe('OwnedPaths', () => {
  const overlaps: readonly (readonly [string, string, boolean])[] = [
    ['/a/**', '/a', true],
    ['/a/**', '/a/', true],
    ['/a/**', '/a/{id}', true],
    ['/a/**', '/{x}/b', true],
    ['/a', '/{x}', true],
    ['/{x}/b', '/a/{y}', true],
    ['/{x}/b', '/a/c', false],
    ['/a', '/a/b', false],
    ['/a/**', '/b/**', false],
    ['/', '/**', true],
    ['/', '/{x}', false],
    ['/Admin', '/aDMIN/**', true],
    ['/a/{x}/c', '/a/b/**', true],
  ];
  for (const [held, asked, expected] of overlaps) {
    it(`takes ${asked} to ${expected ? 'overlap' : 'be apart from'} ${held}, and the other way round`, () => {
      assert.deepEqual(
        [meets([[held, 'bank']], asked, 'evil'), meets([[asked, 'bank']], held, 'evil')],
        [expected, expected],
      );
      assert.equal(meets([[held, 'bank']], asked, 'bank'), false);
    });
  }

  it('finds a path that two templates cover, and one beyond it, if there is one, and none else (property)', () => {
    const template = fc
      .tuple(fc.array(fc.constantFrom('a', 'b', '{x}'), { maxLength: 3 }), fc.boolean())
      .map(([parts, isOpen]) => {
        const named = parts.map((part, index) => (part === '{x}' ? `{x${index}}` : part));
        return `/${[...named, ...(isOpen ? ['**'] : [])].join('/')}`;
      });
    const alphabet = ['a', 'b', 'c'];
    const all = [0, 1, 2, 3, 4].reduce<string[][]>(
      (paths) => [...paths, ...paths.flatMap((path) => alphabet.map((part) => [...path, part]))],
      [[]],
    );
    const covers = (path: string, segments: readonly string[]): boolean =>
      compilePathTemplates([path], { caseInsensitive: false }, new ProblemList())?.match(segments) !== undefined;
    const held = fc.array(fc.tuple(template, fc.constantFrom('one', 'two', 'three')), { maxLength: 5 });
    fc.assert(
      fc.property(held, template, (others, asked) => {
        const met = others.filter(
          ([path, owner]) =>
            owner !== 'one' && all.some((segments) => covers(path, segments) && covers(asked, segments)),
        );
        assert.equal(meets(others, asked, 'one'), met.length > 0);
        const isBeyond = met.some(([path]) =>
          all.some((segments) => covers(path, segments) && !covers(asked, segments)),
        );
        assert.equal(holding(others).reachesBeyond(aTemplate(asked), 'one', plenty()), isBeyond);
      }),
    );
  });

  it('passes over what is one’s own, however much it is', () => {
    const paths = new OwnedPaths();
    for (let i = 0; i < 1000; i += 1) paths.add(aTemplate(`/own${i}/x`), 'shop');
    paths.add(aTemplate('/theirs/y'), 'bank');
    const looks = plenty();
    assert.equal(paths.meetsOther(aTemplate('/{any}/x'), 'shop', looks), false);
    assert.ok(10_000 - looks.left < 5, `${10_000 - looks.left} looks`);
  });

  it('tells the same of what is added after it was asked (property)', () => {
    const template = fc
      .array(fc.constantFrom('a', 'b', '{x}'), { maxLength: 4 })
      .map((parts) => `/${parts.map((part, index) => (part === '{x}' ? `{x${index}}` : part)).join('/')}`);
    const held = fc.array(fc.tuple(template, fc.constantFrom('one', 'two', 'three')), { maxLength: 8 });
    fc.assert(
      fc.property(held, template, (others, asked) => {
        const grown = new OwnedPaths();
        for (const [index, [path, owner]] of others.entries()) {
          grown.add(aTemplate(path), owner);
          const first = holding(others.slice(0, index + 1));
          for (const asking of ['one', 'two'])
            assert.deepEqual(
              [
                grown.meetsOther(aTemplate(asked), asking, plenty()),
                grown.reachesBeyond(aTemplate(asked), asking, plenty()),
              ],
              [
                first.meetsOther(aTemplate(asked), asking, plenty()),
                first.reachesBeyond(aTemplate(asked), asking, plenty()),
              ],
            );
        }
      }),
    );
  });

  it('walks over what others have beside a question once, not for each question', () => {
    const paths = new OwnedPaths();
    for (let i = 0; i < 1000; i += 1) paths.add(aTemplate(`/v1/theirs${i}/x`), 'bank');
    const looks = plenty();
    for (let i = 0; i < 500; i += 1) {
      assert.equal(paths.meetsOther(aTemplate(`/v1/{id}/a${i}`), 'shop', looks), false);
      assert.equal(paths.reachesBeyond(aTemplate(`/v1/{id}/a${i}`), 'shop', looks), false);
    }
    assert.equal(paths.meetsOther(aTemplate('/v1/{id}/x'), 'shop', looks), true);
    assert.ok(10_000 - looks.left < 2000 + 4 * 1001, `${10_000 - looks.left} looks`);
  });

  it('takes what it has no looks left to tell for an overlap', () => {
    const given = Array.from({ length: 1000 }, (_, i) => [`/theirs${i}/x`, 'bank'] as const);
    const asked = aTemplate('/{any}/y');
    for (const left of [100, 1100]) {
      assert.equal(holding(given).meetsOther(asked, 'shop', { left }), true);
      assert.equal(holding(given).reachesBeyond(asked, 'shop', { left }), true);
    }
    assert.equal(holding(given).meetsOther(asked, 'shop', plenty()), false);
    assert.equal(holding(given).reachesBeyond(asked, 'shop', plenty()), false);
  });
});
