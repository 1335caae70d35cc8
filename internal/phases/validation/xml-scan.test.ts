import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_XML_DEPTH, scanXml } from './xml-scan.ts';

describe('scanXml()', () => {
  it('measures what limits are about', () => {
    const text = `\ufeff<?xml version="1.0" encoding='UTF-8' standalone="yes"?>\n<!-- a --><a:b xmlns:a="urn:x" c='1 &amp; 2'>text &#x41;<d/><e f="g"></e><![CDATA[<!DOCTYPE &x;]]></a:b>\n<!-- z -->`;
    assert.deepEqual(scanXml(text), { depth: 2, elements: 3, attributes: 2 });
    assert.deepEqual(scanXml('<ä/>'), { depth: 1, elements: 1, attributes: 0 });
  });

  it('takes no document type, entity or instruction (XXE, billion laughs, parameter entities)', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['<!DOCTYPE a><a/>', 'dtd'],
      ['<!doctype a><a/>', 'dtd'],
      ['<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'dtd'],
      ['<!DOCTYPE a [<!ENTITY % p SYSTEM "http://e/x.dtd"> %p;]><a/>', 'dtd'],
      ['<?xml version="1.0"?><!-- x --><!DOCTYPE a><a/>', 'dtd'],
      ['<a><!ENTITY x "y"></a>', 'dtd'],
      ['<a>&x;</a>', 'entity'],
      ['<a b="&x;"/>', 'entity'],
      ['<a>&amp</a>', 'entity'],
      ['<a>&</a>', 'entity'],
      ['<a>&%p;</a>', 'entity'],
      ['<a>&#x110000000;</a>', 'entity'],
      ['<?xml-stylesheet href="http://e/x.xsl"?><a/>', 'instruction'],
      ['<a><?php x?></a>', 'instruction'],
      [' <?xml version="1.0"?><a/>', 'instruction'],
      ['<?xml version="1.0" encoding="utf-7"?><a/>', 'encoding'],
      ['<?xml version="1.0" encoding="UTF-16"?><a/>', 'encoding'],
      ['<?xml version="1.1"?><a/>', 'syntax'],
      ['<?xml encoding="utf-8" version="1.0"?><a/>', 'syntax'],
    ];
    for (const [text, problem] of cases) assert.equal(scanXml(text), problem, text);
  });

  it('takes no text that is not one whole document', () => {
    const wrong = [
      '',
      ' ',
      'a',
      '<a>',
      '</a>',
      '<a></b>',
      '<a/><b/>',
      '<a/>x',
      'x<a/>',
      '<a b=c/>',
      '<a b="<"/>',
      '<a b="1" b="2"/>',
      '<a b="1"c="2"/>',
      '<a',
      '<a b="',
      '< a/>',
      '<1/>',
      '<a><!-- -- --></a>',
      '<a><!-- --',
      '<a><![CDATA[',
      '<![CDATA[x]]><a/>',
      '<a>\u0000</a>',
      '<a></a >x',
      '<a\u00a0b="1"/>',
    ];
    for (const text of wrong) assert.equal(scanXml(text), text.includes('![CDATA[x') ? 'dtd' : 'syntax', text);
  });

  it('reads no more and no deeper than it may', () => {
    const nested = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth);
    assert.equal(typeof scanXml(nested(MAX_XML_DEPTH)), 'object');
    assert.equal(scanXml(nested(MAX_XML_DEPTH + 1)), 'deep');
    assert.equal(scanXml(`<a>${'<b/>'.repeat(30_000)}</a>`), 'large');
    assert.equal(scanXml(`<a>${'&lt;'.repeat(30_000)}</a>`), 'large');
    assert.equal(scanXml(`<a>${'<!---->'.repeat(30_000)}</a>`), 'large');
    assert.equal(scanXml(`<a ${Array.from({ length: 30_000 }, (_, i) => `a${i}=""`).join(' ')}/>`), 'large');
  });

  it('takes time linear in the text, whatever it is', () => {
    const large = 1_000_000;
    const texts = [
      `<a${' '.repeat(large)}`,
      `<a b="${'x'.repeat(large)}`,
      `<${'a'.repeat(large)}`,
      `<a>${' '.repeat(large)}`,
      `<a>${'<b '.repeat(large / 3)}`,
      `<a>${'</'.repeat(large / 2)}`,
      `<!--${'-'.repeat(large)}`,
      `<?xml ${' '.repeat(large)}`,
      `<?xml version${' '.repeat(large)}`,
      `<a>${'&'.repeat(large)}`,
      `<a>${']]'.repeat(large / 2)}`,
      ' '.repeat(large),
    ];
    for (const text of texts) {
      const start = performance.now();
      scanXml(text);
      assert.ok(performance.now() - start < 2000, text.slice(0, 20));
    }
  });
});
