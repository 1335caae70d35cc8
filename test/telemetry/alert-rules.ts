import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

export const RULES = resolve(import.meta.dirname, '../../deploy/helm/postern/files/alerts.yaml');

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook', string>>;
}

/** One world of series, and what an alert makes of it. */
export interface AlertCase {
  readonly alert: string;
  readonly name: string;
  /** promtool's notation of values, a minute apart, by series. */
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  /** Absent: the alert keeps quiet. */
  readonly fires?: readonly {
    readonly labels: Readonly<Record<string, string>>;
    /** Its description, with what stands for labels and the value. */
    readonly says: string;
  }[];
}

/** The alerts that are shipped. */
export const shippedRules = (): readonly Rule[] =>
  (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);

export const alertCases = (): readonly AlertCase[] =>
  parse(readFileSync(join(import.meta.dirname, 'alert-cases.yaml'), 'utf8')) as AlertCase[];

/**
 * Runs the cases of one alert with the real promtool.
 *
 * @param binaries the folder that `obtainPrometheus` gives
 * @returns what promtool said of the cases that failed; undefined when all are as they should be
 */
export function runCases(binaries: string, rule: Rule, cases: readonly AlertCase[]): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'postern-alerts-'));
  try {
    const [rules, tests] = [join(folder, 'rules.yaml'), join(folder, 'tests.yaml')];
    // JSON is YAML.
    writeFileSync(rules, JSON.stringify({ groups: [{ name: 'g', rules: [rule] }] }));
    writeFileSync(tests, JSON.stringify({ rule_files: [rules], tests: cases.map((one) => testOf(rule, one)) }));
    const { status, stdout, stderr } = spawnSync(join(binaries, 'promtool'), ['test', 'rules', tests], {
      encoding: 'utf8',
    });
    return status === 0 ? undefined : `${stdout}${stderr}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function testOf({ labels, annotations }: Rule, { alert, name, series, at, fires = [] }: AlertCase): object {
  return {
    name,
    interval: '1m',
    input_series: Object.entries(series).map(([one, values]) => ({ series: one, values })),
    alert_rule_test: [
      {
        eval_time: at,
        alertname: alert,
        exp_alerts: fires.map((fired) => ({
          exp_labels: { ...labels, ...fired.labels },
          exp_annotations: { ...annotations, description: fired.says },
        })),
      },
    ],
  };
}

/** Alerts of which no case says when they fire, or none when they keep quiet, or of which a case fails. */
export function untestedAlerts(binaries: string, say: (line: string) => void = () => undefined): readonly string[] {
  const cases = alertCases();
  return shippedRules()
    .filter((rule) => {
      const own = cases.filter(({ alert }) => alert === rule.alert);
      const hasBoth = own.some(({ fires }) => fires !== undefined) && own.some(({ fires }) => fires === undefined);
      const failure = runCases(binaries, rule, own);
      if (failure !== undefined) say(failure);
      return !hasBoth || failure !== undefined;
    })
    .map(({ alert }) => alert);
}
