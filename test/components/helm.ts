import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeAside } from '../../internal/envoy/aside.ts';
import { allOnPath, isProgram } from '../../internal/envoy/on-path.ts';
import { CACHE, type Obtained, obtain, progress, run } from './cache.ts';
import { goEnvironment, goProgram } from './go.ts';

export const HELM_VERSION = '4.3.1';
const HOME = join(CACHE, `helm-${HELM_VERSION}`);
const MODULE = 'helm.sh/helm/v4';
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** `helm`: one of this major version from PATH, else built from its modules. */
export async function obtainHelm(): Promise<Obtained> {
  for (const path of await allOnPath('helm', process.env.PATH ?? '')) {
    const version = await versionOf(path);
    if (version?.startsWith('4.')) return { path };
    progress(`${path} is Helm ${version ?? 'of no known version'}: not used`);
  }
  const path = join(HOME, 'helm');
  const find = async (): Promise<string | undefined> => ((await isProgram(path)) ? path : undefined);
  return obtain({ title: `Helm ${HELM_VERSION}`, lock: 'go', find, make: () => makeAside(dirname(path), build) });
}

async function versionOf(path: string): Promise<string | undefined> {
  return run(path, ['version', '--template', '{{.Version}}'], { timeout: 30_000 }).then(
    ({ stdout }) => /^v(\d\S*)/.exec(stdout)?.[1],
    () => undefined,
  );
}

async function build(folder: string): Promise<void> {
  progress('Building Helm from its modules; the first time this takes a minute or two …');
  await mkdir(folder, { recursive: true });
  const flags = `-s -w -X ${MODULE}/internal/version.version=v${HELM_VERSION}`;
  await run(await goProgram(), ['install', '-ldflags', flags, `${MODULE}/cmd/helm@v${HELM_VERSION}`], {
    cwd: folder,
    env: { ...goEnvironment(), GOBIN: folder },
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  const version = await versionOf(join(folder, 'helm'));
  if (version !== HELM_VERSION) throw new Error(`Helm was built as "${version}"`);
}
