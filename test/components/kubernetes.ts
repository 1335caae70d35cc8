import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allOnPath, isProgram } from '../../internal/envoy/on-path.ts';
import { CACHE, type Obtained, obtain, progress, run } from './cache.ts';
import { goBuild, goEnvironment, goProgram } from './go.ts';

export const KUBERNETES_VERSION = '1.37.2';
const HOME = join(CACHE, `kubernetes-${KUBERNETES_VERSION}`);
const [, MINOR = ''] = KUBERNETES_VERSION.split('.');

interface Part {
  readonly name: string;
  readonly module: string;
  readonly versionArgs: readonly string[];
  /** Finds the version in what it says of itself. */
  readonly version: RegExp;
  /** Whether this version is as good as ours: the API server is the one thing under test, the others only serve. */
  readonly fits: (version: string) => boolean;
}

const minor = (version: string): number => Number(version.split('.')[1]);

const PARTS: readonly Part[] = [
  {
    name: 'kube-apiserver',
    module: 'k8s.io/kubernetes/cmd/kube-apiserver',
    versionArgs: ['--version'],
    version: /^Kubernetes v(\S+)/,
    fits: (version) => version === KUBERNETES_VERSION,
  },
  {
    // Older ones answer a watch without a resource version with "required storage feature is disabled".
    name: 'etcd',
    module: 'go.etcd.io/etcd/server/v3',
    versionArgs: ['--version'],
    version: /^etcd Version: (\S+)/,
    fits: (version) => Number(version.split('.')[0]) === 3 && minor(version) >= 7,
  },
  {
    name: 'kubectl',
    module: 'k8s.io/kubernetes/cmd/kubectl',
    versionArgs: ['version', '--client'],
    version: /^Client Version: v(\S+)/,
    // Kubernetes' version skew policy: one minor version either way.
    fits: (version) => Math.abs(minor(version) - Number(MINOR)) <= 1,
  },
];

/** The folder that holds kube-apiserver, etcd and kubectl: those of PATH that fit, the others built from modules. */
export function obtainKubernetes(): Promise<Obtained> {
  return obtain({ title: `Kubernetes ${KUBERNETES_VERSION}`, lock: 'go', find, make });
}

async function find(): Promise<string | undefined> {
  const areThere = await Promise.all(PARTS.map(({ name }) => isProgram(join(HOME, name))));
  return areThere.every(Boolean) ? HOME : undefined;
}

/** Part by part, so that one that was killed halfway goes on where it was. */
async function make(): Promise<void> {
  await mkdir(HOME, { recursive: true });
  for (const part of PARTS) {
    const path = join(HOME, part.name);
    if (await isProgram(path)) continue;
    const found = await fittingOnPath(part);
    if (found === undefined) await build(part, path);
    else await link(found, path);
  }
}

async function fittingOnPath(part: Part): Promise<string | undefined> {
  for (const path of await allOnPath(part.name, process.env.PATH ?? '')) {
    const version = await versionOf(path, part);
    if (version !== undefined && part.fits(version)) return path;
    progress(`${path} is ${part.name} ${version ?? 'of no known version'}: not used`);
  }
  return undefined;
}

async function versionOf(path: string, { versionArgs, version }: Part): Promise<string | undefined> {
  return run(path, [...versionArgs], { timeout: 30_000 }).then(
    ({ stdout }) => version.exec(stdout)?.[1],
    () => undefined,
  );
}

async function link(target: string, path: string): Promise<void> {
  await rm(`${path}.new`, { force: true });
  await symlink(target, `${path}.new`);
  await rename(`${path}.new`, path);
}

async function build(part: Part, path: string): Promise<void> {
  const source = join(HOME, 'source');
  await mkdir(source, { recursive: true });
  await writeFile(join(source, 'go.mod'), await goMod());
  progress(`Building ${part.name} from its modules; the first time this takes some minutes …`);
  const flags = `-s -w -X k8s.io/component-base/version.gitVersion=v${KUBERNETES_VERSION}`;
  await goBuild({ folder: source, program: part.module, flags, to: `${path}.new` });
  const version = await versionOf(`${path}.new`, part);
  if (version === undefined || !part.fits(version)) throw new Error(`${part.name} was built as "${version}"`);
  await rename(`${path}.new`, path);
}

/** A module that needs Kubernetes. Its own staged modules stand there as v0.0.0 and have to be told their release. */
async function goMod(): Promise<string> {
  const options = { cwd: HOME, env: goEnvironment() };
  const wanted = `k8s.io/kubernetes@v${KUBERNETES_VERSION}`;
  const { stdout } = await run(await goProgram(), ['mod', 'download', '-json', wanted], options);
  const modules = await readFile((JSON.parse(stdout) as { GoMod: string }).GoMod, 'utf8');
  const staged = [...modules.matchAll(/^\s+(k8s\.io\/[a-z-]+) v0\.0\.0$/gm)].map((match) => match[1]);
  const release = `v0${KUBERNETES_VERSION.slice(1)}`;
  return [
    'module components',
    'go 1.26',
    `require k8s.io/kubernetes v${KUBERNETES_VERSION}`,
    ...[...new Set(staged)].map((name) => `replace ${name} => ${name} ${release}`),
    ...PARTS.map(({ module }) => `tool ${module}`),
    '',
  ].join('\n');
}
