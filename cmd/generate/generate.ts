// Writes the files that come from the code; with --check it only says which of them are not up to date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { generateCrds } from '../../internal/crd/generate.ts';
import { generateChart } from './chart.ts';
import { generateReference } from './reference.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const isCheck = process.argv.includes('--check');
const files = new Map([
  ...[...generateCrds()].map(([name, text]) => [`deploy/crds/${name}`, text] as const),
  ...generateReference(),
  ...generateChart(ROOT),
]);
const stale: string[] = [];
for (const [name, text] of files) {
  const path = join(ROOT, name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale.push(name);
  if (isCheck) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
if (stale.length === 0) process.stdout.write(`${files.size} generated files are up to date\n`);
else
  process.stdout.write(
    `${isCheck ? 'Not up to date, run "npm run generate"' : 'Written'}:\n${stale.map((name) => `  ${name}`).join('\n')}\n`,
  );
process.exit(isCheck && stale.length > 0 ? 1 : 0);
