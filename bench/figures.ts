// npm run figures -- gate|cluster|door|input: measures the figures of a part of the work again, writes bench/results/<part>.json.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { measureDashboards } from './cluster/dashboards.ts';
import { measureInstall } from './cluster/install.ts';
import { measureNoisy } from './cluster/noisy.ts';
import { measureOutage } from './cluster/outage.ts';
import { measureReplicas } from './cluster/replicas.ts';
import { measureRestarts } from './cluster/restarts.ts';
import { measureRights } from './cluster/rights.ts';
import { measureTenants } from './cluster/tenants.ts';
import { measureValues } from './cluster/values.ts';
import { measureCollections } from './door/collections.ts';
import { measureDifferences } from './door/diff.ts';
import { measureEnvoyTail } from './door/envoy.ts';
import { measureFloods } from './door/floods.ts';
import { measureFuzz } from './door/fuzz.ts';
import { measureH2spec } from './door/h2spec.ts';
import { measureDoorThroughput } from './door/throughput.ts';
import { measureWorkers } from './door/workers.ts';
import { measureCluster } from './gate/cluster.ts';
import { measureCoverage } from './gate/coverage.ts';
import { measureLimits } from './gate/limits.ts';
import { measureMemory } from './gate/memory.ts';
import { measureFaults, measureSafety } from './gate/safety.ts';
import { measureSeries } from './gate/series.ts';
import { measureThroughput } from './gate/throughput.ts';
import { measureDetectors } from './input/detectors.ts';
import { measureStretches } from './input/stretches.ts';
import { LOAD_CORE, type Measured, measuredBy } from './servers.ts';

/** One measured value, and what it should be. */
export interface Figure {
  readonly key: string;
  readonly value: number;
  readonly unit: string;
  /** A comparison and a number, as in `>= 0.75`; a number alone is to be met exactly. */
  readonly bar: string;
  readonly note?: string;
}

const ROOT = resolve(import.meta.dirname, '..');
type Measure = (say: (line: string) => void) => Promise<Figure[]>;
const PARTS: Readonly<Record<string, Readonly<Record<string, Measure>>>> = {
  gate: {
    throughput: measureThroughput,
    memory: measureMemory,
    safety: measureSafety,
    faults: measureFaults,
    limits: measureLimits,
    series: measureSeries,
    cluster: measureCluster,
    coverage: measureCoverage,
  },
  cluster: {
    install: measureInstall,
    dashboards: measureDashboards,
    replicas: measureReplicas,
    restarts: measureRestarts,
    outage: measureOutage,
    noisy: measureNoisy,
    rights: measureRights,
    tenants: measureTenants,
    values: measureValues,
  },
  door: {
    throughput: measureDoorThroughput,
    envoy: measureEnvoyTail,
    collections: measureCollections,
    h2spec: measureH2spec,
    fuzz: measureFuzz,
    floods: measureFloods,
    diff: measureDifferences,
    workers: measureWorkers,
  },
  input: {
    detectors: measureDetectors,
    stretches: measureStretches,
  },
};
const [part = 'gate', ...only] = process.argv.slice(2);
const file = join(ROOT, `bench/results/${part}.json`);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const groups = Object.hasOwn(PARTS, part) ? PARTS[part] : undefined;
if (groups === undefined) {
  say(`error: there is no "${part}": write one of ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
const unknown = only.filter((name) => !Object.hasOwn(groups, name));
if (unknown.length > 0) {
  say(`error: there is no group "${unknown[0]}": write one of ${Object.keys(groups).join(', ')}`);
  process.exit(2);
}
execFileSync('npm', ['run', '-s', 'build'], { cwd: ROOT, stdio: 'inherit' });
// Servers that are measured have the other core to themselves; whatever else is started here inherits this one.
execFileSync('taskset', ['-acp', LOAD_CORE, String(process.pid)], { stdio: 'ignore' });
const common = measuredBy(`npm run figures -- ${part}`);
const known = new Map(readKnown().map((figure) => [figure.key, figure]));
for (const [name, measure] of Object.entries(groups)) {
  if (only.length > 0 && !only.includes(name)) continue;
  say(`— ${name}`);
  for (const figure of await measure(say)) {
    known.set(figure.key, { ...figure, ...common });
    say(`${figure.key} = ${figure.value} ${figure.unit} (bar ${figure.bar})`);
    mkdirSync(join(ROOT, 'bench/results'), { recursive: true });
    writeFileSync(file, `${JSON.stringify([...known.values()], null, 2)}\n`);
  }
}
// What was not measured now stays, and says so: it tells of other code.
for (const { key, commit } of known.values())
  if (commit !== common.commit) say(`${key} is of ${commit}, not of ${common.commit}`);
const short = [...known.values()].filter((figure) => !meets(figure));
for (const { key, value, unit, bar } of short) say(`${key} is ${value} ${unit}, and should be ${bar}`);
process.exit(short.length === 0 ? 0 : 1);

function meets({ value, bar }: Figure): boolean {
  const [, comparison = '=', number] = /^(>=|<=|=)?\s*(\S+)$/.exec(bar) ?? [];
  const wanted = Number(number);
  if (comparison === '>=') return value >= wanted;
  return comparison === '<=' ? value <= wanted : value === wanted;
}

function readKnown(): (Figure & Measured)[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as (Figure & Measured)[];
  } catch {
    return [];
  }
}
