import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { VERSION } from '../../internal/app/version.ts';
import { bundle } from './bundle.ts';
import { postern, ROOT, type Run, type Said } from './command.ts';

/** The bundle starts in a fraction of the time that the sources need, and is what is shipped. */
let out = '';
let main = '';
before(async () => {
  out = mkdtempSync(join(tmpdir(), 'postern-bundle-'));
  main = await bundle(out);
});
after(() => rmSync(out, { recursive: true, force: true }));

const run = (args: readonly string[], options: Run = {}): Promise<Said> => postern(args, { main, ...options });

describe('postern', () => {
  for (const [words, expected] of [
    [[], /serve .*dev .*check .*lint .*keys .*version .*help .*Exit codes: 0 .* 1 .* 2 /s],
    [['serve'], /Answer checks until told to stop.*--policies <DIR>.*POSTERN_POLICIES/s],
    [['dev'], /real Envoy.*--policies.*POSTERN_POLICIES.*--log-level.*POSTERN_LOG_LEVEL/s],
    [['check'], /--host-grants.*--now.*Exit codes: 0 for allow, 1 for any other decision, 2 for a mistake/s],
    [
      ['lint'],
      /paths.*POSTERN_POLICIES.*--host-grants.*POSTERN_HOST_GRANTS.*--strict.*Exit codes: 0 for nothing wrong, 1 for something wrong, 2 for/s,
    ],
    [['keys'], /new /],
    [['keys', 'new'], /--prefix/],
    [['inject'], /Add the sidecar to manifests.*--filename.*--image.*POSTERN_CLASS.*Exit codes: 0, or 2/s],
    [['version'], /Print the versions/],
  ] as const) {
    it(`${words.join(' ') || 'alone'} describes itself with --help`, async () => {
      const { code, out: help, err } = await run([...words, '--help']);
      assert.deepEqual([code, err], [0, '']);
      assert.match(help, expected);
    });
  }

  it('describes a command with "help" too', async () => {
    assert.equal((await run(['help', 'lint'])).out, (await run(['lint', '--help'])).out);
  });

  it('says its version in both ways', async () => {
    assert.deepEqual(await run(['version']), {
      code: 0,
      out: `postern ${VERSION} (node ${process.versions.node})\n`,
      err: '',
    });
    assert.equal((await run(['--version'])).out, `${VERSION}\n`);
  });

  for (const [args, err] of [
    [['serve', '--polices', 'x'], 'error: Unknown flag "--polices": the nearest is "--policies"\n'],
    [['dev', '--prot=1'], 'error: Unknown flag "--prot": the nearest is "--port"\n'],
    [['check', '--hedaer', 'x-api-key: secret'], 'error: Unknown flag "--hedaer": the nearest is "--header"\n'],
    [['lint', '--zzzzzzzz'], 'error: Unknown flag "--zzzzzzzz": none is like it, see --help\n'],
    [['keys', 'new', '--perfix=x'], 'error: Unknown flag "--perfix": the nearest is "--prefix"\n'],
    [['version', '--hlep'], 'error: Unknown flag "--hlep": the nearest is "--help"\n'],
    [['chekc'], 'error: Unknown command "chekc": the nearest is "check"\n'],
    [['keys', 'enw'], 'error: Unknown command "enw": the nearest is "new"\n'],
    [['bogus', '--help'], 'error: Unknown command "bogus": none is like it, see --help\n'],
    [['help', 'lnit'], 'error: Unknown command "lnit": the nearest is "lint"\n'],
    [['keys', 'enw', '-h'], 'error: Unknown command "enw": the nearest is "new"\n'],
    [['check'], "error: Missing required argument 'url'; see --help\n"],
    [
      ['check', '-H', 'x-api-key:', 'secret', 'http://a/'],
      "error: Too many arguments for 'check'. Expected 1 argument but got 2; see --help\n",
    ],
    [
      ['keys', 'new', '--prefix', 'a b'],
      'error: --prefix is "a b": write up to 32 letters, digits and "_"; see --help\n',
    ],
    [['dev', '--port', '0x50'], 'error: --port "0x50" is no port: write a number from 1 to 65535\n'],
    [['serve'], 'error: Nothing to serve: write --policies DIR (standalone) or --kube (Kubernetes)\n'],
  ] as const) {
    it(`ends with 2 and one sentence after "${args.join(' ')}"`, async () => {
      assert.deepEqual(await run(args), { code: 2, out: '', err });
    });
  }

  it('makes a key and its digest', async () => {
    const { code, out: said } = await run(['keys', 'new', '--prefix', 'pk_dev']);
    const [, key = '', digest] = /^key: {4}(pk_dev_[\w-]{43})\nsha256: ([0-9a-f]{64})\n/.exec(said) ?? [];
    assert.deepEqual([code, digest], [0, hash('sha256', key, 'hex')]);
  });
});

describe('paths and variables of the command line', () => {
  const underNpm = { npm_lifecycle_event: 'policy', INIT_CWD: join(ROOT, 'docs') };

  it('count from where they were typed, also under npm', async () => {
    const { code, out: said } = await run(['lint', '../policies/orders.yaml'], { env: underNpm });
    assert.deepEqual([code, said], [0, '6 objects, nothing wrong\n']);
    const missing = await run(['serve', '--policies', 'none'], { env: underNpm });
    assert.deepEqual(
      [missing.code, missing.err],
      [2, `error: --policies: there is no directory "${ROOT}/docs/none"\n`],
    );
  });

  for (const [flags, err] of [
    [['--policies', 'README.md'], `--policies: "${ROOT}/README.md" is a file`],
    [['--kube', '--namespace=a', '--kubeconfig', 'none'], `--kubeconfig: there is no file "${ROOT}/none"`],
    [['--kube', '--namespace=a', '--kubeconfig', 'docs'], `--kubeconfig: "${ROOT}/docs" is a directory`],
    [['--config', 'none.yaml', '--policies', 'policies'], `--config: there is no file "${ROOT}/none.yaml"`],
    [['--config', 'docs', '--policies', 'policies'], `--config: "${ROOT}/docs" is a directory`],
    [
      ['--policies', 'policies', '--tls-cert', 'docs', '--tls-key', 'none'],
      `--tls-cert: "${ROOT}/docs" is a directory\nerror: --tls-key: there is no file "${ROOT}/none"`,
    ],
    [
      ['--policies', 'policies', '--tls-cert', 'README.md', '--tls-key', 'README.md'],
      `--tls-cert: "${ROOT}/README.md" holds no certificate in PEM`,
    ],
  ] as const) {
    it(`serve ${flags.join(' ')} ends with 2 and says what lies there`, async () => {
      assert.deepEqual(await run(['serve', ...flags]), { code: 2, out: '', err: `error: ${err}\n` });
    });
  }

  it('POSTERN_POLICIES stands for --policies in check and lint', async () => {
    const env = { POSTERN_POLICIES: join(ROOT, 'policies') };
    assert.deepEqual(await run(['lint'], { cwd: tmpdir(), env }), {
      code: 0,
      out: '6 objects, nothing wrong\n',
      err: '',
    });
    const { out: said } = await run(['check', 'http://localhost/healthz'], { cwd: tmpdir(), env });
    assert.equal((JSON.parse(said) as { decision: string }).decision, 'allow');
  });

  for (const args of [['serve'], ['dev'], ['check', 'http://localhost/'], ['lint'], ['version'], ['keys', 'new']]) {
    it(`${args.join(' ')} refuses variables that nobody knows`, async () => {
      const env = { POSTERN_POLICES: 'policies' };
      const err = 'error: Unknown variable "POSTERN_POLICES": the nearest is "POSTERN_POLICIES"\n';
      assert.deepEqual(await run(args, { env }), { code: 2, out: '', err });
    });
  }
});
