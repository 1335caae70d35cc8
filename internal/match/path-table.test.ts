import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_ITERATIONS, MAX_WORK } from '../core/meter.ts';
import { ProblemList } from '../core/problem.ts';
import { PathTable } from './path-table.ts';
import { compilePathTemplates, parsePathTemplate } from './path-template.ts';

const aMeter = () => ({ work: MAX_WORK, iterations: MAX_ITERATIONS, wanted: '' });
type Asked = ReturnType<typeof aMeter>;
const isWanted = (value: string, { wanted }: Asked): boolean => value === wanted;

function tableOf(paths: readonly string[], caseInsensitive = false): PathTable<string> {
  const table = new PathTable<string>({ caseInsensitive });
  for (const path of paths) {
    const template = parsePathTemplate(path, new ProblemList());
    assert.ok(template);
    table.add({ template, value: path });
  }
  return table;
}

describe('PathTable.covering()', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['/a/b', '/a/{x}'],
    ['/A/b', '/a/{x}'],
    ['/a/{y}', '/a/{x}'],
    ['/a/{y}/c', '/a/**'],
    ['/a/**', '/a/**'],
    ['/a', '/a/**'],
    ['/{x}/b', '/{x}/b'],
    ['/{x}/{y}', '/**'],
    ['/b', '/**'],
    ['/**', '/**'],
  ];
  for (const [asked, expected] of cases) {
    it(`finds ${expected} for all of ${asked}`, () => {
      const table = tableOf(['/**', '/a/**', '/a/{x}', '/{x}/b'], true);
      const template = parsePathTemplate(asked, new ProblemList());
      assert.equal(template && table.covering(template, () => true)?.value, expected);
    });
  }

  it('passes over what is not wanted, and finds nothing where only parts are covered', () => {
    const table = tableOf(['/**', '/a/**', '/a/b']);
    const whole = parsePathTemplate('/a/b', new ProblemList());
    assert.equal(whole && table.covering(whole, (path) => path !== '/a/b')?.value, '/a/**');
    const wide = parsePathTemplate('/{x}/**', new ProblemList());
    assert.equal(wide && tableOf(['/a/**', '/b/**']).covering(wide, () => true), undefined);
  });
});

describe('PathTable.some()', () => {
  it('finds every entry that covers a path, not only the most specific (property)', () => {
    const segment = fc.constantFrom('a', 'b', 'A', '{x}');
    const path = fc
      .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
      .map(
        ([segments, isOpen]) =>
          `/${[...segments.map((s, k) => (s === '{x}' ? `{x${k}}` : s)), ...(isOpen ? ['**'] : [])].join('/')}`,
      );
    const asked = fc.array(fc.constantFrom('a', 'b', 'A'), { maxLength: 5 });
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 8 }), asked, fc.boolean(), (paths, segments, caseInsensitive) => {
        const unlike = caseInsensitive
          ? [...new Map(paths.toReversed().map((p) => [p.toLowerCase(), p])).values()]
          : paths;
        const table = tableOf(unlike, caseInsensitive);
        for (const wanted of unlike) {
          const alone = compilePathTemplates([wanted], { caseInsensitive }, new ProblemList());
          const expected = alone?.match(segments) !== undefined;
          assert.equal(table.some(segments, isWanted, { ...aMeter(), wanted }), expected, wanted);
        }
      }),
    );
  });

  it('charges what it looks at, the length of what it folds too, and finds nothing once that is used up', () => {
    const meter = aMeter();
    assert.equal(tableOf(['/a/b']).some(['a', 'b'], isWanted, meter), false);
    assert.equal(MAX_WORK - meter.work, 450);
    const folding = aMeter();
    tableOf(['/a/b'], true).some(['a'.repeat(1000)], isWanted, folding);
    assert.equal(MAX_WORK - folding.work, 1150);
    assert.equal(tableOf(['/**']).some(['a'], isWanted, { ...aMeter(), work: 100, wanted: '/**' }), false);
  });
});
