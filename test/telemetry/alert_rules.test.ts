import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import { alertCases, RULES, runCases, shippedRules, untestedAlerts } from './alert-rules.ts';
import { obtainPrometheus } from './obtain-prometheus.ts';

const obtained = await obtainPrometheus();
const binaries = 'path' in obtained ? obtained.path : '';
const rules = shippedRules();
const cases = alertCases();

describe('the alerts', { skip: skipWithout(obtained) }, () => {
  it('are rules that Prometheus takes', () => {
    const { status, stdout, stderr } = spawnSync(join(binaries, 'promtool'), ['check', 'rules', RULES], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`${rules.length} rules found`));
  });

  for (const rule of rules) {
    const own = cases.filter(({ alert }) => alert === rule.alert);

    it(`${rule.alert} fires when it must, and keeps quiet when it must not`, () => {
      assert.equal(runCases(binaries, rule, own), undefined);
    });

    it(`${rule.alert} has cases that see when it says nothing, and when it always speaks`, () => {
      const [loud, quiet] = [own.filter(({ fires }) => fires), own.filter(({ fires }) => !fires)];
      assert.ok(loud.length > 0 && quiet.length > 0);
      assert.match(runCases(binaries, { ...rule, expr: 'vector(1) > 1' }, loud) ?? '', /got:\[\]|got: *\[\]/);
      // Without its threshold and its patience whatever it looks at would be an alert.
      const { for: _, ...hasty } = rule;
      assert.notEqual(runCases(binaries, { ...hasty, expr: 'vector(1)' }, quiet), undefined);
    });
  }

  it('are all tested, and no case is of an alert that is not there', () => {
    assert.deepEqual(untestedAlerts(binaries), []);
    const names = new Set(rules.map(({ alert }) => alert));
    assert.deepEqual(
      cases.filter(({ alert }) => !names.has(alert)),
      [],
    );
  });
});
