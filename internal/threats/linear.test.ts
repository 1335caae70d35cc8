// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what is looked for
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inOneGo } from '../core/breather.ts';
import { DETECTORS } from './detectors.ts';
import { readingsOf } from './readings.ts';
import { Findings } from './scan.ts';
import { THREAT_KINDS } from './threat.ts';
import { traitsOf } from './traits.ts';

const SHORT = 2048;
const GROWTH = 8;
/** Steps that one character may take of one detector, signs and words of SQL among them. */
const MOST_STEPS = 400;

/** Compositions that are quadratic where something looks for an end, a close or a blank from each beginning. */
const SHAPES = [
  ...'\'"`<>=&%\\$(){}[];:|.,/@#*+-!?~^ \n\r\t0a',
  ...[
    '/*',
    '*/',
    '/*!',
    '--',
    "''",
    "\\'",
    '((',
    '()',
    '(select ',
    'select 1,',
    'a,',
    'a||',
    '1.e(',
    'case when ',
    '::int',
    "'a' ",
  ],
  ...[
    'union select ',
    "' or ",
    '<a ',
    '<script',
    '<a b=',
    'a<script>',
    ' on',
    ' onload',
    'onload =',
    'javascript',
    ':',
    'data:',
  ],
  ...[
    'document.',
    'document/*',
    'alert ',
    '![]',
    '../',
    '..',
    '/./',
    '..;',
    ';cat',
    '; ',
    '\n ',
    '$(id ',
    '`id',
    '/bin/sh',
    ')(',
    ')(a=',
  ],
  ...[
    '(|(',
    'parent::',
    '] | //',
    '$ne',
    '[$ne',
    '{{',
    '{{a',
    '${',
    '${a',
    '<%',
    '}}',
    '//',
    '///',
    'http://',
    ':\\\\',
    '@',
    '[:',
    '.1',
  ],
  ...[
    '${${',
    '<!doctype ',
    '<!entity',
    '__proto__',
    'constructor',
    '\r\n',
    '\nhost:',
    '%',
    '%2',
    '%25',
    '&#',
    '&#0',
    '&lt',
    '\\u{0',
    '\u0301',
    '\uff1c',
  ],
];

function stepsOf(text: string): ReadonlyMap<string, number> {
  const options = { kinds: THREAT_KINDS, sensitivity: 3, exclusions: [] } as const;
  return new Map(
    DETECTORS.map((detector) => {
      const findings = new Findings({ in: 'query', name: '' }, options);
      const rest = findings.look(detector, { text, traits: traitsOf(text), depth: 1 });
      if (rest !== undefined) inOneGo(rest);
      return [detector.kind, findings.steps];
    }),
  );
}

describe('detectors', () => {
  for (const shape of SHAPES)
    it(`take steps in proportion to the length of ${JSON.stringify(shape)}, many times`, () => {
      const short = stepsOf(shape.repeat(Math.ceil(SHORT / shape.length)));
      const long = stepsOf(shape.repeat(Math.ceil((SHORT * GROWTH) / shape.length)));
      for (const [kind, steps] of short) {
        assert.ok(steps <= MOST_STEPS * SHORT, `${kind} takes ${steps} steps for ${SHORT} characters`);
        assert.ok((long.get(kind) ?? 0) <= steps * GROWTH * 1.1 + 4096, `${kind}: ${steps}, then ${long.get(kind)}`);
      }
    });

  it('are given no reading that is more than six times as long as the value', () => {
    for (const shape of SHAPES) {
      const value = shape.repeat(200);
      for (const { text } of readingsOf(value, true)) assert.ok(text.length <= 6 * value.length, shape);
    }
  });
});
