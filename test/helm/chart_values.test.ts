import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { OPTION_NAMES, optionOf } from '../../internal/config/options.ts';
import { skipWithout } from '../components/cache.ts';
import { CHART, helm, obtainedHelm } from './chart.ts';
import { WRONG_VALUES } from './wrong-values.ts';

interface Schema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly pattern?: string;
}

const SCHEMA = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;
const VALUES = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as Record<string, unknown>;

function* nodesOf(schema: Schema, path: string): Generator<readonly [path: string, node: Schema]> {
  yield [path, schema];
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* nodesOf(child, `${path}.${name}`);
  if (schema.items !== undefined) yield* nodesOf(schema.items, `${path}[]`);
}

const nodes = [...nodesOf(SCHEMA, '')];
const camelCase = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

describe('the schema of the chart’s values', () => {
  it('describes every value', () => {
    const silent = nodes.filter(([path, node]) => path !== '' && !path.endsWith('[]') && !node.description);
    assert.deepEqual(
      silent.map(([path]) => path),
      [],
    );
  });

  it('knows every name, save those of other charts’ globals', () => {
    const open = nodes.filter(([, node]) => node.type === 'object' && node.additionalProperties !== false);
    assert.deepEqual(
      open.map(([path]) => path),
      ['.global'],
    );
  });

  it('has a default for every value, and no default without a value', () => {
    const isLeaf = (node: Schema | undefined): boolean => node?.properties === undefined;
    const missing: string[] = [];
    const compare = (schema: Schema, values: Record<string, unknown>, path: string): void => {
      const known = Object.keys(schema.properties ?? {});
      missing.push(
        ...Object.keys(values)
          .filter((name) => !known.includes(name))
          .map((name) => `${path}.${name}`),
      );
      for (const name of known) {
        const child = schema.properties?.[name];
        if (!(name in values)) missing.push(`${path}.${name}`);
        else if (child !== undefined && !isLeaf(child))
          compare(child, values[name] as Record<string, unknown>, `${path}.${name}`);
      }
    };
    compare(SCHEMA, VALUES, '');
    const isOption = (path: string): boolean => /^(\.sidecar)?\.options\./.test(path) || path === '.global';
    assert.deepEqual(
      missing.filter((path) => !isOption(path)),
      ['.sidecar.resources.limits.cpu', '.resources.limits.cpu'],
    );
  });

  it('takes no option that the agent would refuse', () => {
    const samples = [
      '0ms',
      '1ms',
      '9999ms',
      '60s',
      '61s',
      '9999s',
      '999m',
      '24h',
      '25h',
      '63Ki',
      '64Ki',
      '64Mi',
      '65Mi',
    ];
    const words = [
      'direct',
      'header:x-a',
      'forwarded-for:hops=0',
      'forwarded-for:hops=16',
      'forwarded-for:hops=17',
      'a=b',
    ];
    const networks = ['10.0.0.0/8', '10.0.0.0/33', '0.0.0.0/0', '256.0.0.0/8', '1.2/99', '192.0.2.7', '010.0.0.0/8'];
    const networks6 = [
      '::/0',
      ':::/999',
      '::',
      '2001:db8::/32',
      '2001:db8::/129',
      '1:2:3:4:5:6:7:8',
      '1::2::3',
      '::1:2/08',
    ];
    const sources = [...networks, ...networks6].map((network) => `forwarded-for:cidrs=${network}`);
    const more = [
      'a in (b, c)',
      'a in b',
      '!a',
      'a==',
      'https://a.example.org/r',
      'http://a.example.org',
      '',
      '0',
      '64',
      '65',
      'auto',
    ];
    for (const name of OPTION_NAMES) {
      const pattern = SCHEMA.properties?.options?.properties?.[camelCase(name)]?.pattern;
      if (pattern === undefined) continue;
      const taken = [...samples, ...words, ...networks, ...networks6, ...sources, ...more].filter((text) =>
        new RegExp(pattern).test(text),
      );
      assert.ok(taken.length > 0, `${name}: no sample is taken`);
      assert.deepEqual(
        taken.filter((text) => !optionOf(name).parse(text).ok),
        [],
        name,
      );
    }
  });
});

describe('helm install', { skip: skipWithout(obtainedHelm), concurrency: 2 }, () => {
  it('is tried with fifty wrong values files and more', () => assert.ok(WRONG_VALUES.length >= 50));

  it('leaves out what the Prometheus operator would read where it is not served, and says so', async () => {
    const values = { serviceMonitor: { enabled: true }, alerts: { enabled: true } };
    const { code, stdout } = await helm(['install', 'postern', CHART, '--dry-run=client'], { values });
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /^kind: (ServiceMonitor|PrometheusRule)$/m);
    assert.match(stdout, /MISSING: the ServiceMonitor and the alerts\. This cluster does not serve/);
  });

  for (const [values, said] of WRONG_VALUES) {
    it(`refuses ${JSON.stringify(values)} by name`, async () => {
      const { code, stderr } = await helm(['install', 'postern', CHART, '--dry-run=client'], { values });
      assert.equal(code, 1);
      assert.match(stderr, said);
    });
  }
});
