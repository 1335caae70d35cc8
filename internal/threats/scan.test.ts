import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { inOneGo } from '../core/breather.ts';
import { DETECTORS } from './detectors.ts';
import type { ThreatExclusion } from './exclusion.ts';
import { maskEvidence } from './mask.ts';
import { PIECE_LENGTH } from './pieces.ts';
import { MAX_SCANNED_LENGTH, type Place, type ScanOptions, scan } from './scan.ts';
import { scanPlaces } from './scan-places.ts';
import { THREAT_KINDS } from './threat.ts';

const ALL: ScanOptions = { kinds: THREAT_KINDS, sensitivity: 1, exclusions: [] };
const PLACE: Place = { in: 'query', name: 'q' };
const ATTACK = "x' or 1=1--";

const excluding = (...exclusions: ThreatExclusion[]): ScanOptions => ({ ...ALL, kinds: ['sqlInjection'], exclusions });

describe('scan', () => {
  it('tells what, by which rule, how bad, and what matched without its words', () => {
    assert.deepEqual(scan("alice' or 17=17--", PLACE, { ...ALL, kinds: ['sqlInjection'] }), [
      { kind: 'sqlInjection', rule: 'tautology', score: 5, evidence: "' aa 00=00--" },
    ]);
  });

  it('has a detector for every kind, and one only', () => {
    assert.deepEqual(DETECTORS.map(({ kind }) => kind).sort(), [...THREAT_KINDS].sort());
  });

  it('looks for no kind that is not asked for', () => {
    assert.deepEqual(scan(ATTACK, PLACE, { ...ALL, kinds: ['crossSiteScripting'] }), []);
  });

  it('finds more at a higher sensitivity and never less', () => {
    const at = (sensitivity: 1 | 2 | 3): readonly string[] =>
      scan('a/.git/', PLACE, { ...ALL, sensitivity }).map(({ rule }) => rule);
    assert.deepEqual([at(1), at(2)], [[], ['hidden-file']]);
    fc.assert(
      fc.property(fc.string(), (value) => {
        const [low, middle, high] = ([1, 2, 3] as const).map(
          (sensitivity) => scan(value, PLACE, { ...ALL, sensitivity }).length,
        );
        return (low ?? 0) <= (middle ?? 0) && (middle ?? 0) <= (high ?? 0);
      }),
    );
  });

  it('refuses to pass a value that is too long to be looked at, and echoes nothing of it', () => {
    assert.deepEqual(scan('s'.repeat(MAX_SCANNED_LENGTH + 1), PLACE, ALL), [
      { kind: 'unscanned', rule: 'too-long', score: 5, evidence: 'a'.repeat(64) },
    ]);
  });

  it('excludes by place, name, kind and rule, all that an exclusion gives', () => {
    const cases: readonly (readonly [ThreatExclusion, boolean])[] = [
      [{ in: 'query' }, true],
      [{ in: 'body' }, false],
      [{ name: 'q' }, true],
      [{ name: 'other' }, false],
      [{ in: 'query', name: 'q', kind: 'sqlInjection', rule: 'tautology' }, true],
      [{ name: 'q', rule: 'union-select' }, false],
      [{ kind: 'crossSiteScripting' }, false],
    ];
    assert.deepEqual(
      cases.map(([exclusion]) => scan(ATTACK, PLACE, excluding(exclusion)).length === 0),
      cases.map(([, isExcluded]) => isExcluded),
    );
  });

  it('does not look at a place that is excluded whole, however long its value', () => {
    const long = 's'.repeat(MAX_SCANNED_LENGTH + 1);
    const found = [{ in: 'query' } as const, { name: 'q', kind: 'sqlInjection' } as const, {}].map(
      (exclusion) => scan(long, PLACE, excluding(exclusion)).length,
    );
    assert.deepEqual(found, [0, 1, 1]);
  });

  it('is not switched off by an exclusion that says nothing', () => {
    assert.equal(scan(ATTACK, PLACE, excluding({})).length, 1);
  });

  it('excludes what is below a pointer, and no neighbour whose name begins alike', () => {
    const at = (name: string): number => scan(ATTACK, { in: 'body', name }, excluding({ name: '/doc/*' })).length;
    assert.deepEqual(['/doc', '/doc/a', '/doc/a/b', '/document', '/other'].map(at), [0, 0, 0, 1, 1]);
  });

  it('finds an attack wherever it stands in a long value', () => {
    const attack = '<script>alert(1)</script>';
    for (const before of [0, PIECE_LENGTH - 10, PIECE_LENGTH, 3 * PIECE_LENGTH - 5, 50_000])
      assert.ok(scan(`${'word '.repeat(before / 5)}${attack}`, PLACE, ALL).length > 0, `behind ${before}`);
  });

  it('finds an attack that is spread by padding over more than a piece', () => {
    for (const padding of [' '.repeat(20_000), `/*${'x y'.repeat(9000)}*/`, '\n'.repeat(9000)])
      assert.ok(scan(`x' union${padding}select password from users`, PLACE, ALL).length > 0);
  });

  it('never throws, whatever it is given', () => {
    const unit = fc.constantFrom(
      ...'\'"`<>=&%\\$(){}[];:|.,/@#*+-!?~^ \n\r\t0aé\u00bc\uff1c\u0301\ud83c\udfff',
      'select',
      '<!entity',
      '{{',
      '${',
      '$(',
      '../',
      '//',
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 120 }), (value) => {
        scan(value, PLACE, { ...ALL, sensitivity: 3 });
      }),
      { numRuns: 2000 },
    );
  });
});

describe('maskEvidence', () => {
  it('keeps signs, and of letters and digits only that they are some', () => {
    assert.equal(maskEvidence("Käthe's 42 <b>", 0, 99), "aaaaa'a 00 <a>");
  });

  it('never shows a letter or digit of a value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) =>
        /^[^b-zA-Z1-9\u007f-\uffff]*$/.test(maskEvidence(value, 0, 64)),
      ),
    );
  });
});

describe('scanPlaces', () => {
  const rulesAt = (places: readonly (readonly [Place, string])[]): readonly string[] =>
    inOneGo(scanPlaces(places, ALL)).map(
      ({ place, isName, kind }) => `${place.in} ${place.name} ${isName ? 'name' : 'value'} ${kind}`,
    );

  it('looks at values and names of every place', () => {
    assert.deepEqual(
      rulesAt([
        [{ in: 'path', name: '' }, '../../etc/passwd'],
        [{ in: 'query', name: 'a[$ne]' }, '1'],
        [{ in: 'header', name: 'x-a' }, '<script>'],
        [{ in: 'cookie', name: 'c' }, ATTACK],
        [{ in: 'body', name: '/a/__proto__' }, '1'],
        [{ in: 'body', name: '/a/0' }, 'fine'],
      ]),
      [
        'path  value pathTraversal',
        'path  value pathTraversal',
        'query a[$ne] name nosqlInjection',
        'header x-a value crossSiteScripting',
        'cookie c value sqlInjection',
        'body /a/__proto__ name prototypePollution',
      ],
    );
  });

  it('reads a name of a pointer unescaped', () => {
    assert.deepEqual(rulesAt([[{ in: 'body', name: '/a/~1etc~1passwd' }, '']]), [
      'body /a/~1etc~1passwd name pathTraversal',
    ]);
  });

  it('looks at a repeated name once and at each of its values', () => {
    const place: Place = { in: 'query', name: '$where' };
    assert.deepEqual(
      rulesAt([
        [place, '1'],
        [place, '2'],
      ]),
      ['query $where name nosqlInjection'],
    );
  });

  it('stops between places, so that others are answered', () => {
    const steps = scanPlaces(
      [
        [PLACE, 'a'],
        [PLACE, 'b'],
      ],
      ALL,
    );
    assert.deepEqual([steps.next().done, steps.next().done, steps.next().done], [false, false, true]);
  });
});
