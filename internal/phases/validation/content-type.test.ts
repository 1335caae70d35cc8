import assert from 'node:assert/strict';
import { it } from 'node:test';
import { headerFields } from '../../core/attributes.ts';
import { contentTypeOf, isJson, isUtf8 } from './content-type.ts';

const read = (...lines: readonly string[]): ReturnType<typeof contentTypeOf> =>
  contentTypeOf(headerFields(lines.map((line) => ['Content-Type', line] as const)));

it('contentTypeOf() reads a media type and its parameters', () => {
  assert.deepEqual(read('Application/JSON; Charset="UTF-8" ;v=1;'), {
    media: 'application/json',
    parameters: new Map([
      ['charset', 'UTF-8'],
      ['v', '1'],
    ]),
  });
  assert.deepEqual([read(), read('')], ['none', 'none']);
});

it('contentTypeOf() reads nothing that two readers may read as two types', () => {
  const ambiguous: readonly (readonly string[])[] = [
    ['application/json', 'text/plain'],
    ['application/json, text/plain'],
    ['application/json;a=b, text/plain'],
    ['application/json;,text/plain'],
    ['application/json; charset=utf-8; charset=utf-16'],
    ['application/json; charset=utf-8; CHARSET=utf-16'],
    ['application/json charset=utf-16'],
    ['application/json; charset = utf-16'],
    ['application/json; charset="utf\\-16"'],
    ['application/json; charset'],
    ['application/json\u00a0'],
    ['application /json'],
    ['json'],
    ['/json'],
    ['application/json/xml'],
    [`application/json;a=${'b'.repeat(2000)}`],
  ];
  for (const lines of ambiguous) assert.equal(read(...lines), undefined, lines.join(' + '));
});

it('contentTypeOf() takes a header that the door is not told of for no absent one', () => {
  assert.equal(contentTypeOf(headerFields([], true, new Set(['content-type']))), 'untold');
});

it('isJson() and isUtf8() know JSON and the charsets that it can have', () => {
  const judged = (line: string): readonly boolean[] => {
    const type = read(line);
    assert.ok(typeof type === 'object');
    return [isJson(type), isUtf8(type)];
  };
  assert.deepEqual(judged('application/problem+json'), [true, true]);
  assert.deepEqual(judged('application/json; charset=utf-16'), [true, false]);
  assert.deepEqual(judged('text/json;charset="us-ascii"'), [true, true]);
  assert.deepEqual(judged('application/jsonp; charset=utf-7'), [false, false]);
});
