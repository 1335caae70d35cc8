// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what is looked for
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DETECTORS } from './detectors.ts';
import type { Sensitivity, ThreatKind } from './threat.ts';
import { rulesHit } from './threats.fixture.ts';

/** Values that are mostly honest, with the rule that tells of them, and from which sensitivity on. */
const DOUBTFUL: readonly (readonly [ThreatKind, rule: string, from: Sensitivity, value: string])[] = [
  ['sqlInjection', 'operator', 2, '!='],
  ['sqlInjection', 'operator', 2, 'is null'],
  ['sqlInjection', 'quotes', 3, "the boys' room"],
  ['crossSiteScripting', 'unfinished-tag', 2, '<a href="x"'],
  ['pathTraversal', 'parent-step', 2, '../sibling'],
  ['pathTraversal', 'hidden-file', 2, 'shop/.env'],
  ['commandInjection', 'redirection', 2, 'x > /tmp/a'],
  ['commandInjection', 'lone-command', 3, 'cat /tmp/a'],
  ['ldapInjection', 'wildcard-filter', 3, '(uid=*'],
  ['templateInjection', 'expression', 3, '{{name}}'],
  ['serverSideRequestForgery', 'bare-address', 2, '10.0.0.1'],
  ['externalEntity', 'schema-location', 2, '<a xsi:schemaLocation="x">'],
  ['externalEntity', 'doctype', 2, '<!DOCTYPE html>'],
  ['headerInjection', 'line-end', 2, 'two\nlines'],
];

describe('sensitivity', () => {
  for (const [kind, rule, from, value] of DOUBTFUL)
    it(`is ${from} before ${kind} tells of ${JSON.stringify(value)}`, () => {
      const tells = ([1, 2, 3] as const).map((sensitivity) =>
        rulesHit(kind, value, 'query', sensitivity).includes(rule),
      );
      assert.deepEqual(tells, [from <= 1, from <= 2, from <= 3]);
    });

  it('has a test for every rule', () => {
    const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
      .join('\n');
    const untested = DETECTORS.flatMap(({ kind, rules }) =>
      Object.keys(rules).flatMap((rule) => (tests.includes(`'${rule}'`) ? [] : [`${kind} ${rule}`])),
    );
    assert.deepEqual(untested, []);
  });
});
