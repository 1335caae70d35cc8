import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPTION_NAMES, type OptionName, optionOf } from '../../internal/config/options.ts';
import { generateCrds } from '../../internal/crd/generate.ts';
import { CHART_OPTIONS, OF_GATEWAYS } from './chart-options.ts';
import { sidecarTemplate } from './chart-sidecar.ts';
import { ALERTS } from './monitoring/alerts.ts';
import { generateMonitoring } from './monitoring/monitoring.ts';
import { CIDR, PEER_NETWORK } from './network-patterns.ts';

const CHART = 'deploy/helm/postern';

/** What the chart holds of the code, by path: copies of the CRDs, dashboards, alerts, and names in the schema of its values. */
export function generateChart(root: string): [string, string][] {
  const schemaPath = `${CHART}/values.schema.json`;
  return [
    ...[...generateCrds()].map(([name, text]): [string, string] => [`${CHART}/files/crds/${name}`, text]),
    ...generateMonitoring().map(([name, text]): [string, string] => [`${CHART}/${name}`, text]),
    [`${CHART}/templates/sidecar/_sidecar.tpl`, sidecarTemplate()],
    [schemaPath, withNames(readFileSync(join(root, schemaPath), 'utf8'))],
  ];
}

interface Options {
  properties: unknown;
}

interface Patterned {
  pattern: string;
}

interface Source {
  properties: { ipBlock: { properties: { cidr: Patterned; except: { items: Patterned } } } };
}

interface Schema {
  properties: {
    options: Options;
    sidecar: { properties: { options: Options } };
    http: { properties: { trustedPeers: { items: Patterned } } };
    networkPolicy: { properties: Record<'checksFrom' | 'metricsFrom', { items: Source }> };
    alerts: { properties: { disabled: { items: { enum: readonly string[] } } } };
  };
}

/** Options, networks and alerts; the rest of the schema is written by hand and stays as it is. */
function withNames(text: string): string {
  const schema = JSON.parse(text) as Schema;
  schema.properties.alerts.properties.disabled.items.enum = ALERTS.map(({ alert }) => alert);
  schema.properties.http.properties.trustedPeers.items.pattern = `^${PEER_NETWORK}$`;
  for (const from of ['checksFrom', 'metricsFrom'] as const) {
    const { cidr, except } = schema.properties.networkPolicy.properties[from].items.properties.ipBlock.properties;
    cidr.pattern = `^${CIDR}$`;
    except.items.pattern = `^${CIDR}$`;
  }
  const given = OPTION_NAMES.filter((name) => CHART_OPTIONS[name] !== 'chart');
  const schemas = (names: readonly OptionName[]): object =>
    Object.fromEntries(names.map((name) => [camelCase(name), schemaOf(name)]));
  schema.properties.options.properties = schemas(given);
  schema.properties.sidecar.properties.options.properties = schemas(given.filter((name) => !OF_GATEWAYS.has(name)));
  return `${JSON.stringify(schema, null, 2)}\n`;
}

export const camelCase = (name: string): string =>
  name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

function schemaOf(name: OptionName): object {
  const { doc, choices, fallback, fallbackDoc, placeholder } = optionOf(name);
  const byDefault = fallback ?? fallbackDoc;
  const description = `${doc}${byDefault === undefined ? '' : ` (default: ${byDefault})`}.`;
  if (placeholder === undefined) return { description, type: 'boolean' };
  if (choices !== undefined) return { description, type: 'string', enum: choices };
  return { description, ...(CHART_OPTIONS[name] as object) };
}
