// npm run bench: one server on one core, load on another; the ratio to the no-op of the same run, as JSON.
import { execFileSync } from 'node:child_process';
import { API_KEY, apiKeyPolicies, jwtPolicies, message } from './policies.ts';
import { load, startNoop, startPostern, writeBodies } from './servers.ts';

const SECONDS = Number(process.argv[2] ?? 5);
execFileSync('npm', ['run', '-s', 'build'], { stdio: 'inherit' });
const { yaml, token } = await jwtPolicies();
const bodies = (headers: Readonly<Record<string, string>>): string =>
  writeBodies(Array.from({ length: 5000 }, () => message('h0.example.org', headers)));
const key = bodies({ 'x-api-key': API_KEY });
const bearer = bodies({ authorization: `Bearer ${token}` });
const noop = await startNoop();
const floor = await load(noop.target, key, SECONDS);
const rows: Record<string, object> = { noop: floor };
for (const [name, policies, file] of [
  ['apikey', apiKeyPolicies(1), key],
  ['jwt', yaml, bearer],
  ['10000 policies', apiKeyPolicies(10_000), key],
] as const) {
  const server = await startPostern(policies);
  await load(server.target, file, 2);
  const result = await load(server.target, file, SECONDS);
  rows[name] = { ...result, ratio: result.perSecond / floor.perSecond };
  await server.stop();
}
await noop.stop();
process.stdout.write(`${JSON.stringify({ node: process.versions.node, seconds: SECONDS, rows }, null, 2)}\n`);
process.exit(0);
