import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeEntities } from './decode-entities.ts';
import { decodeEscapes } from './decode-escapes.ts';
import { decodePercent } from './decode-percent.ts';
import { dropEighthBit, NARROWS, narrow } from './decode-width.ts';
import { MAX_READINGS, readingsOf } from './readings.ts';
import { rulesHit } from './threats.fixture.ts';

const texts = (value: string, isForm = true): readonly string[] =>
  [...readingsOf(value, isForm)].map(({ text }) => text);

describe('decoders', () => {
  for (const [decode, encoded, decoded] of [
    [decodePercent, '%3Cscript%3e', '<script>'],
    [decodePercent, '%u003c%U003C', '<<'],
    [decodePercent, '%c0%ae%e0%80%ae', '..'],
    [decodePercent, '%e2%82%ac', '€'],
    [decodePercent, '%bc', '\u00bc'],
    [decodePercent, '100% of %zz %2', '100% of %zz %2'],
    [decodeEntities, '&lt;&#60;&#x3c;&#x0000003C', '<<<<'],
    [decodeEntities, '&LT;&newline;&tab', '<\n\t'],
    [decodeEntities, 'AT&T &unknown; &#xffffffff;', 'AT&T &unknown; &#xffffffff;'],
    [decodeEscapes, '\\u003c\\x3c\\74\\u{0003c}', '<<<<'],
    [decodeEscapes, "\\'\\n", "'\n"],
    [decodeEscapes, 'c:\\', 'c:\\'],
    [narrow, '＜ｓｃｒｉｐｔ＞', '<script>'],
    [narrow, 'se\u200ble\u00adct', 'select'],
    [narrow, '\u2019 or \u201c', `' or "`],
    [narrow, '\u{1d42c}\u{1d41e}\u{1d425}', 'sel'],
    [dropEighthBit, '\u00bcscript\u00be', '<script>'],
    [dropEighthBit, '\u00bc of it', '\u00bc of it'],
  ] as const)
    it(`${decode.name} makes ${JSON.stringify(decoded)} of ${JSON.stringify(encoded)}`, () =>
      assert.equal(decode(encoded), decoded));

  it('know every character of the first plane that becomes ASCII or nothing', () => {
    const missed: string[] = [];
    for (let unit = 0x80; unit < 0xd800; unit += 1) {
      const character = String.fromCharCode(unit);
      const narrowed = narrow(`a${character}`).slice(1);
      const isMark = /\p{M}/u.test(character);
      if (!isMark && [...narrowed].some((one) => one < '\u0080') !== (NARROWS[unit] === 1) && narrowed !== '')
        missed.push(character);
    }
    assert.deepEqual(missed, []);
  });

  it('never throw and never grow a text more than sixfold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (value) => {
        for (const decode of [decodePercent, decodeEntities, decodeEscapes, narrow, dropEighthBit])
          assert.ok(decode(value).length <= 6 * value.length);
      }),
    );
  });
});

describe('readings', () => {
  it('are one where nothing is encoded', () => {
    assert.deepEqual(texts('Ann Example, 12 Main St.'), ['ann example, 12 main st.']);
  });

  it('hold every link of a chain, and each decoding alone', () => {
    assert.deepEqual(texts('%2526lt;\\u0027'), [
      '%2526lt;\\u0027',
      '%26lt;\\u0027',
      '&lt;\\u0027',
      '<\\u0027',
      "<'",
      "%2526lt;'",
    ]);
  });

  it('take + for a blank only in forms, and where there are no blanks', () => {
    assert.deepEqual(texts('a+b'), ['a+b', 'a b']);
    assert.deepEqual(texts('a+b', false), ['a+b']);
    assert.deepEqual(texts('a + b'), ['a + b']);
  });

  it('have an end', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'%25u0&#;\\x＜\u2019+') }),
        (value) => texts(value).length <= MAX_READINGS,
      ),
    );
  });

  it('see through chains of encodings of one attack', () => {
    const attack = "' union select 1,2--";
    const once = encodeURIComponent(attack).replaceAll("'", '%27');
    const entities = [...attack].map((character) => `&#${character.charCodeAt(0)};`).join('');
    const escapes = [...attack]
      .map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('');
    const wide = attack.replace(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0));
    const chained = [
      once,
      encodeURIComponent(once),
      entities,
      encodeURIComponent(entities),
      escapes,
      encodeURIComponent(escapes),
      encodeURIComponent(encodeURIComponent(escapes)),
      wide,
      encodeURIComponent(wide),
      entities.replaceAll('&', '%26'),
      escapes.replaceAll('\\', '&#92;'),
      attack.replaceAll(' ', '\u00a0'),
      attack.replaceAll(' ', '/**/'),
      attack.replaceAll(' ', '\u000b'),
      attack.toUpperCase(),
      attack.replace('union', 'un\u200bion'),
    ];
    assert.deepEqual(
      chained.filter((value) => !rulesHit('sqlInjection', value).includes('union-select')),
      [],
    );
  });
});
