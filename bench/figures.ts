// npm run figures -- gate: measures the figures of a part of the work again and writes bench/results/<part>.json.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { measureCluster } from './gate/cluster.ts';
import { measureMemory } from './gate/memory.ts';
import { measureFaults, measureSafety } from './gate/safety.ts';
import { measureThroughput } from './gate/throughput.ts';

/** One measured value, and what it should be. */
export interface Figure {
  readonly key: string;
  readonly value: number;
  readonly unit: string;
  readonly bar: string;
  readonly note?: string;
}

const ROOT = resolve(import.meta.dirname, '..');
const GROUPS = {
  throughput: measureThroughput,
  memory: measureMemory,
  safety: measureSafety,
  faults: measureFaults,
  cluster: measureCluster,
};
const [part = 'gate', ...only] = process.argv.slice(2);
const file = join(ROOT, `bench/results/${part}.json`);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

if (part !== 'gate') {
  say(`error: there is no "${part}": write "npm run figures -- gate"`);
  process.exit(2);
}
execFileSync('npm', ['run', '-s', 'build'], { cwd: ROOT, stdio: 'inherit' });
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
const common = {
  command: 'npm run figures -- gate',
  date: new Date().toISOString().slice(0, 10),
  node: process.versions.node,
  cpu: cpus()[0]?.model ?? '',
  commit,
};
const known = new Map(readKnown().map((figure) => [figure.key, figure]));
for (const [name, measure] of Object.entries(GROUPS)) {
  if (only.length > 0 && !only.includes(name)) continue;
  say(`— ${name}`);
  for (const figure of await measure(say)) {
    known.set(figure.key, { ...figure, ...common });
    say(`${figure.key} = ${figure.value} ${figure.unit} (bar ${figure.bar})`);
    mkdirSync(join(ROOT, 'bench/results'), { recursive: true });
    writeFileSync(file, `${JSON.stringify([...known.values()], null, 2)}\n`);
  }
}
process.exit(0);

function readKnown(): Figure[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Figure[];
  } catch {
    return [];
  }
}
