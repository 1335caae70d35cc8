import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { onLoopback, startAgentProcess } from '../cli/agent-process.ts';
import { checkOver, closeClients, OPEN_POLICY } from '../door/client.ts';
import { type Instruction, readDockerfile } from './dockerfile.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const DOCKERFILE = readDockerfile(join(ROOT, 'Dockerfile'));
const stages = DOCKERFILE.reduce<Instruction[][]>((all, one) => {
  if (one.kind === 'FROM') all.push([]);
  all.at(-1)?.push(one);
  return all;
}, []);

/** Does in a folder what the stage that builds does in its image: the same copies, then the same commands. */
function build(folder: string): void {
  for (const one of stages[0] ?? []) {
    if (one.kind === 'COPY') {
      const isFolder = one.target.endsWith('/');
      for (const source of one.sources)
        cpSync(join(ROOT, source), join(folder, isFolder ? join(one.target, basename(source)) : one.target), {
          recursive: true,
        });
    }
    if (one.kind === 'RUN')
      execFileSync('sh', ['-ec', one.command], {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, NODE_ENV: '' },
      });
  }
}

/** Every file below a folder with the digest of its bytes. */
const digests = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(folder, name)).isFile())
      .sort()
      .map((name) => [name, hash('sha256', readFileSync(join(folder, name)))]),
  );

describe('the image, built by its own commands', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-image-'));
  const [source, app] = [join(folder, 'src'), join(folder, 'app')];

  before(() => {
    mkdirSync(source);
    build(source);
    for (const one of stages[1] ?? [])
      if (one.kind === 'COPY')
        for (const from of one.sources) cpSync(from.replace(/^\/src/, source), app, { recursive: true });
  });
  after(() => {
    closeClients();
    rmSync(folder, { recursive: true, force: true });
  });

  it('holds one bundle and its protos, and neither packages nor sources', () => {
    assert.equal(existsSync(join(app, 'node_modules')), false);
    const kinds = new Set(
      readdirSync(app, { recursive: true, encoding: 'utf8' })
        .filter((name) => statSync(join(app, name)).isFile())
        .map((name) => name.replace(/^.*\./, '')),
    );
    // Licences of what is bundled, and a word about the protos.
    assert.deepEqual([...kinds].sort(), ['js', 'json', 'md', 'proto', 'txt']);
  });

  it('is the same bytes whenever it is built', () => {
    const first = digests(app);
    rmSync(join(source, 'dist'), { recursive: true });
    const last = stages[0]?.findLast((one) => one.kind === 'RUN');
    assert.ok(last?.kind === 'RUN');
    execFileSync('sh', ['-ec', last.command], { cwd: source, stdio: ['ignore', 'ignore', 'pipe'] });
    assert.deepEqual(digests(join(source, 'dist')), first);
  });

  it('starts by its entry point, and answers a Check', async () => {
    const [entry, cmd] = (['ENTRYPOINT', 'CMD'] as const).map((kind) => stages[1]?.find((one) => one.kind === kind));
    assert.ok(entry !== undefined && 'args' in entry && cmd !== undefined && 'args' in cmd);
    const [, script = ''] = entry.args;
    const policies = join(folder, 'policies');
    mkdirSync(policies);
    writeFileSync(join(policies, 'open.yaml'), OPEN_POLICY);
    const args = onLoopback([...cmd.args, `--policies=${policies}`]);
    const agent = await startAgentProcess(args, {}, join(app, script));
    await agent.ready;
    const asked = async (host: string): Promise<number> => (await checkOver(agent.grpcAddress, { host })).http;
    assert.deepEqual([await asked('open.example.org'), await asked('other.example.org')], [200, 404]);
    assert.equal(await agent.stop(), 0);
  });

  it('runs as nobody in particular, from a base without a shell', () => {
    const user = stages[1]?.find((one) => one.kind === 'USER');
    assert.deepEqual(user, { kind: 'USER', text: '65532' });
    const [base] = stages[1] ?? [];
    assert.ok(base?.kind === 'FROM' && /^gcr\.io\/distroless\/nodejs\d+-debian\d+:nonroot$/.test(base.image));
  });
});
