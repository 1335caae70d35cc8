import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { lintFiles } from '../../internal/app/lint.ts';
import { requireComponent } from '../components/cache.ts';
import { envoyBinary } from '../envoy/harness.ts';

const ROOT = join(import.meta.dirname, '../..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const COMMANDS = [...README.matchAll(/```sh\n(.*?)```/gs)].flatMap((match) => (match[1] ?? '').trim().split('\n'));
const shell = promisify(execFile);

/** What CI and this very test run already, and what needs a cluster: tried by the tests under test/kube. */
const ELSEWHERE = [
  /^npm ci && npm test$/,
  /^npm ci && npm start$/,
  /^kubectl apply -f deploy\/crds$/,
  /serve --kube/,
  /^curl /,
];

async function run(command: string): Promise<{ readonly code: number; readonly out: string }> {
  try {
    const { stdout } = await shell('bash', ['-c', command], { cwd: ROOT });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, out: stdout };
  }
}

/** Starts `npm start` and waits until it says how to stop it. */
function start(): Promise<{ readonly child: ChildProcess; readonly lines: readonly string[] }> {
  const child = spawn(
    'npm',
    ['start', '--silent', '--', '--port', '8017', '--admin-addr', '127.0.0.1:0', '--debug-addr', '127.0.0.1:0'],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], detached: true },
  );
  let said = '';
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (said.includes('Ctrl-C stops')) resolve({ child, lines: said.split('\n') });
    });
    child.once('exit', () => reject(new Error(`it ended: ${said}`)));
  });
}

describe('README.md', () => {
  it('holds the commands that this test knows', () => {
    const own = COMMANDS.filter((command) => !ELSEWHERE.some((pattern) => pattern.test(command)));
    assert.deepEqual(own, [
      "npm run -s policy -- check -H 'x-api-key: pk_dev_partner_9c1f2e77a0b44d5f' http://localhost/v1/orders/7",
      'npm run -s policy -- lint policies',
    ]);
  });

  it('decides a request without Envoy', async () => {
    const { code, out } = await run(COMMANDS.find((command) => command.includes('-- check')) ?? '');
    assert.equal(code, 0);
    assert.equal((JSON.parse(out) as { decision: string }).decision, 'allow');
    assert.equal((await run('npm run -s policy -- check http://localhost/v1/orders/7')).code, 1);
  });

  it('finds nothing wrong with the sample', async () => {
    assert.deepEqual(await run('npm run -s policy -- lint policies'), { code: 0, out: '6 objects, nothing wrong\n' });
  });

  it('shows a policy in which nothing is wrong, and nothing is missing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-readme-'));
    const file = join(folder, 'policy.yaml');
    writeFileSync(file, /```yaml\n(.*?)```/s.exec(README)?.[1] ?? '');
    const linted = await lintFiles([file], undefined);
    rmSync(folder, { recursive: true, force: true });
    assert.deepEqual(linted, { problems: [], count: 1 });
  });

  it('starts everything, and the lines that it prints answer 200, 401, 403 and 429', async (t) => {
    if (requireComponent(await envoyBinary(), t) === undefined) return;
    const { child, lines } = await start();
    try {
      const own = COMMANDS.filter((command) => command.startsWith('curl ')).map((command) =>
        command.replace(':8000', ':8017').replace('curl -i', "curl -s -o /dev/null -w '%{http_code}'"),
      );
      for (const host of ['localhost', '127.0.0.1']) {
        const answers = own.map(async (command) => (await run(command.replace('localhost', host))).out);
        assert.deepEqual(await Promise.all(answers), ['401', '200']);
      }
      const curls = lines.filter((line) => line.startsWith('  curl ')).map((line) => line.trim());
      assert.equal(curls.length, 4);
      const codes: string[] = [];
      for (const curl of curls) codes.push((await run(curl)).out.trim().split('\n').at(-1) ?? '');
      assert.deepEqual(codes, ['200', '401', '403', '429']);
      // Whoever asked too often was another client than that of the commands on the page.
      assert.equal((await run(own.at(-1) ?? '')).out, '200');
      assert.match(lines.find((line) => line.startsWith('Metrics:')) ?? '', /http:\/\/127\.0\.0\.1:\d+\/metrics/);
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGTERM');
    }
  });
});
