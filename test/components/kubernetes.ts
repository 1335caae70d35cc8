import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from '../../internal/envoy/obtain.ts';
import { CACHE, locked, type Obtained, progress, run } from './cache.ts';

export const KUBERNETES_VERSION = '1.37.2';
const HOME = join(CACHE, `kubernetes-${KUBERNETES_VERSION}`);
const PACKAGES = {
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  etcd: 'go.etcd.io/etcd/server/v3',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
} as const;

/** The folder that holds kube-apiserver, etcd and kubectl, built from their modules the first time. */
export async function obtainKubernetes(): Promise<Obtained> {
  if (isComplete()) return { path: HOME };
  const go = await onPath('go', process.env.PATH ?? '');
  if (go === undefined) return { missing: 'there is no "go" on PATH to build the API server with' };
  return locked('kubernetes', async () => {
    if (isComplete()) return { path: HOME };
    try {
      await build(go);
      return { path: HOME };
    } catch (error) {
      return {
        missing: `the API server could not be built: ${error instanceof Error ? error.message.slice(-500) : String(error)}`,
      };
    }
  });
}

const isComplete = (): boolean => Object.keys(PACKAGES).every((name) => existsSync(join(HOME, name)));

async function build(go: string): Promise<void> {
  const source = join(HOME, 'source');
  mkdirSync(source, { recursive: true });
  const options = {
    cwd: source,
    env: { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'auto' },
    maxBuffer: 64 * 1024 * 1024,
  };
  progress(`Resolving Kubernetes ${KUBERNETES_VERSION} …`);
  const { stdout } = await run(go, ['mod', 'download', '-json', `k8s.io/kubernetes@v${KUBERNETES_VERSION}`], {
    ...options,
    cwd: HOME,
  });
  const { GoMod } = JSON.parse(stdout) as { GoMod: string };
  const { stdout: modules } = await run('cat', [GoMod]);
  writeFileSync(join(source, 'go.mod'), goMod(modules));
  await run(go, ['mod', 'tidy'], options);
  for (const [name, path] of Object.entries(PACKAGES)) {
    if (existsSync(join(HOME, name))) continue;
    progress(`Building ${name} (the first time some minutes) …`);
    const flags = `-s -w -X k8s.io/component-base/version.gitVersion=v${KUBERNETES_VERSION}`;
    await run(go, ['build', '-ldflags', flags, '-o', join(HOME, `${name}.new`), path], options);
    renameSync(join(HOME, `${name}.new`), join(HOME, name));
  }
}

/** A module that needs Kubernetes; its own staged modules are at v0.0.0 there and have to be told their release. */
function goMod(modules: string): string {
  const staged = [...modules.matchAll(/^\s+(k8s\.io\/[a-z-]+) v0\.0\.0$/gm)].map((match) => match[1]);
  const release = `v0${KUBERNETES_VERSION.slice(1)}`;
  return [
    'module components',
    'go 1.26',
    `require k8s.io/kubernetes v${KUBERNETES_VERSION}`,
    ...[...new Set(staged)].map((name) => `replace ${name} => ${name} ${release}`),
    ...Object.values(PACKAGES).map((path) => `tool ${path}`),
    '',
  ].join('\n');
}
