import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonicalPath } from '../core/canonical-path.ts';
import { ProblemList } from '../core/problem.ts';
import type { PathReadings } from '../core/request.ts';
import { PathTable } from './path-table.ts';
import { compilePathTemplates, equalsIgnoringAsciiCase, matchesAll, parsePathTemplate } from './path-template.ts';

function readings(raw: string): PathReadings {
  const path = canonicalPath(raw);
  assert.ok(path.ok, raw);
  return path.readings;
}

function matcher(templates: readonly string[], caseInsensitive = false) {
  const problems = new ProblemList();
  const compiled = compilePathTemplates(templates, { caseInsensitive }, problems);
  assert.ok(compiled, JSON.stringify(problems.problems));
  return compiled;
}

describe('compilePathTemplates()', () => {
  it('covers what the template says and nothing else', () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['/a/**', '/a', true],
      ['/a/**', '/a/', true],
      ['/a/**', '/a/b/c', true],
      ['/a/**', '/ab', false],
      ['/**', '/', true],
      ['/', '/', true],
      ['/', '/a', false],
      ['/a', '/a/', true],
      ['/a/', '/a', true],
      ['/users/{id}', '/users/42', true],
      ['/users/{id}', '/users', false],
      ['/users/{id}', '/users/42/x', false],
      ['/users/{id}/**', '/users/42/x/y', true],
      ['/admin', '/ADMIN', false],
      ['/a.c', '/abc', false],
      ['/caf%C3%A9', '/caf%c3%a9', true],
    ];
    for (const [template, path, expected] of cases) {
      assert.equal(matchesAll(matcher([template]), readings(path)) !== undefined, expected, `${template} ${path}`);
    }
  });

  it('gives the parameters of the most specific template, decoded', () => {
    const compiled = matcher(['/users/**', '/users/{id}', '/users/{id}/orders/{order}']);
    assert.deepEqual(
      compiled.match(['users', 'a b', 'orders', '7']),
      new Map([
        ['id', 'a b'],
        ['order', '7'],
      ]),
    );
    assert.deepEqual(compiled.match(['users', '9']), new Map([['id', '9']]));
    assert.deepEqual(compiled.match(['users', '9', 'x']), new Map());
    assert.deepEqual(compiled.parameters, []);
    assert.deepEqual(matcher(['/a/{id}', '/b/{id}/{x}']).parameters, ['id']);
  });

  it('folds ASCII case and nothing beyond', () => {
    const compiled = matcher(['/Admin/k'], true);
    assert.ok(compiled.match(['ADMIN', 'K']));
    assert.equal(compiled.match(['ADMIN', '\u212A']), undefined);
    assert.equal(equalsIgnoringAsciiCase('@', '`'), false);
  });

  it('says what is wrong with a template', () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['a', /does not begin/],
      ['/a/**/b', /stands only last/],
      ['/a/*', /"\*": write/],
      ['/v{id}', /"v\{id\}": write/],
      ['/{id}/{id}', /twice/],
      ['/{1}', /write/],
      ['/a/../b', /can never match/],
      ['/a//b', /can never match/],
      ['/a%zz', /can never match/],
    ];
    for (const [template, message] of wrong) {
      const problems = new ProblemList('spec.paths');
      assert.equal(compilePathTemplates([template], { caseInsensitive: false }, problems), undefined, template);
      assert.match(problems.problems[0]?.message ?? '', message);
      assert.equal(problems.problems[0]?.path, 'spec.paths[0]');
    }
  });

  it('reads no template that is longer than a cluster takes: one of 30,000 parameters in a file took 1.3 s', () => {
    const problems = new ProblemList();
    const long = Array.from({ length: 30_000 }, (_, index) => `/{p${index}}`).join('');
    assert.equal(parsePathTemplate(long, problems), undefined);
    assert.equal(problems.problems[0]?.message, `A path has at most 1024 characters, not ${long.length}`);
    assert.ok(parsePathTemplate(`/${'a'.repeat(1023)}`, problems));
    assert.equal(parsePathTemplate(`/${'a'.repeat(1024)}`, problems), undefined);
  });

  it('covers an ambiguous path, for what lets in, only by all its readings', () => {
    for (const path of ['/admin%2fx', '/admin;x=1/y', '/admin;x%2fy'])
      assert.equal(matchesAll(matcher(['/admin/**']), readings(path)), undefined, path);
    assert.deepEqual(matchesAll(matcher(['/{a}', '/{a}/**']), readings('/a%2fb;x')), new Map([['a', 'a/b;x']]));
  });
});

describe('PathTable', () => {
  const table = (templates: readonly string[], caseInsensitive = false): PathTable<string> => {
    const built = new PathTable<string>({ caseInsensitive });
    for (const source of templates) {
      const template = parsePathTemplate(source, new ProblemList());
      assert.ok(template);
      built.add({ template, value: source });
    }
    return built;
  };

  it('finds the most specific template, going back where a closer one ends', () => {
    const built = table(['/**', '/v1/**', '/v1/{id}', '/v1/users', '/v1/{id}/orders', '/v1/users/{x}/end']);
    const cases: readonly (readonly [string[], string])[] = [
      [[], '/**'],
      [['v2'], '/**'],
      [['v1'], '/v1/**'],
      [['v1', 'users'], '/v1/users'],
      [['v1', 'x'], '/v1/{id}'],
      [['v1', 'users', 'orders'], '/v1/{id}/orders'],
      [['v1', 'users', '7', 'end'], '/v1/users/{x}/end'],
      [['v1', 'users', '7', 'no'], '/v1/**'],
    ];
    for (const [segments, expected] of cases) assert.equal(built.find(segments)?.value, expected, segments.join('/'));
  });

  it('keeps the first of two equal templates, and folds case where told', () => {
    const built = table(['/Admin/{id}', '/admin/{other}'], true);
    assert.deepEqual(built.find(['ADMIN', 'X']), { value: '/Admin/{id}', parameters: new Map([['id', 'X']]) });
  });
});
