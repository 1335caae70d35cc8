// npm run bench [seconds]: servers on one core, load on the other. Prints the rows and writes bench/results/bench.json.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compare } from './compare.ts';
import { API_KEY, apiKeyPolicies, jwtPolicies, message } from './policies.ts';
import { type LoadResult, measuredBy, rssMib, startNoop, startPostern, writeBodies } from './servers.ts';
import { loadThroughEnvoy, startBenchEnvoy } from './through-envoy.ts';

interface Row {
  readonly name: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Throughput for each check of the no-op, which was asked in turn with it. */
  readonly ratioToNoop?: number;
  readonly rssMib?: number;
}

const ROOT = resolve(import.meta.dirname, '..');
const seconds = Number(process.argv[2] ?? 5);
if (!Number.isInteger(seconds) || seconds < 1) {
  process.stderr.write(`error: "${process.argv[2]}" is no number of seconds: write "npm run bench -- 5"\n`);
  process.exit(2);
}
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const rows: Row[] = [];
const rounded = (value: number): number => Math.round(value * 1000) / 1000;
const row = (name: string, result: Omit<LoadResult, 'done' | 'failed'>, more: Partial<Row> = {}): void => {
  const { perSecond, p50Ms, p99Ms } = result;
  rows.push({ name, perSecond: Math.round(perSecond), p50Ms: rounded(p50Ms), p99Ms: rounded(p99Ms), ...more });
};

execFileSync('npm', ['run', '-s', 'build'], { cwd: ROOT, stdio: 'inherit' });
const { yaml, token } = await jwtPolicies();
const bodies = (hosts: number, headers: Readonly<Record<string, string>>): string =>
  writeBodies(Array.from({ length: 10_000 }, (_, index) => message(`h${index % hosts}.example.org`, headers)));
const key = { 'x-api-key': API_KEY };
const noop = await startNoop();
const one = bodies(1, key);
for (const [name, start, asked] of [
  ['no-op, native door', () => startNoop('native'), one],
  ['API key', () => startPostern(apiKeyPolicies(1)), one],
  ['API key, grpc-js', () => startPostern(apiKeyPolicies(1), ['--transport', 'grpc-js']), one],
  ['cached JWT', () => startPostern(yaml), bodies(1, { authorization: `Bearer ${token}` })],
  ['API key, 10,000 policies', () => startPostern(apiKeyPolicies(10_000)), bodies(10_000, key)],
] as const) {
  say(`— ${name}, against the no-op of grpc-js`);
  const server = await start();
  const sides = { a: { server, bodies: asked }, b: { server: noop, bodies: asked } };
  const { ratio, a, b } = await compare({ ...sides, pairs: 3, seconds, say });
  if (rows.length === 0) row('no-op, grpc-js', b);
  row(name, a, { ratioToNoop: rounded(ratio), rssMib: Math.round(rssMib(server.pid)) });
  await server.stop();
}
await noop.stop();
say('— through Envoy');
const server = await startPostern(apiKeyPolicies(1));
const alone = await startBenchEnvoy(undefined);
const asking = await startBenchEnvoy(server.target);
for (const envoy of [alone, asking]) await loadThroughEnvoy(envoy, 2);
row('Envoy without Postern', await loadThroughEnvoy(alone, seconds));
row('Envoy with Postern, API key', await loadThroughEnvoy(asking, seconds), { rssMib: Math.round(rssMib(server.pid)) });
await Promise.all([alone.stop(), asking.stop(), server.stop()]);
const result = { ...measuredBy(`npm run bench -- ${seconds}`), seconds, rows };
writeFileSync(join(ROOT, 'bench/results/bench.json'), `${JSON.stringify(result, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.exit(0);
