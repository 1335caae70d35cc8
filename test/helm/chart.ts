import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { CommandResult } from '../components/api-server.ts';
import { obtainHelm } from '../components/helm.ts';

export const CHART = resolve(import.meta.dirname, '../../deploy/helm/postern');
export const obtainedHelm = await obtainHelm();

/** A Kubernetes object as the chart renders it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: what a test looks at differs by kind
  readonly [field: string]: any;
}

const HELM_MS = 120_000;

/** Runs Helm with a home of its own. Never throws: a command that cannot be run has code 1. */
export function helm(
  args: readonly string[],
  { values, kubeconfig }: { readonly values?: unknown; readonly kubeconfig?: string } = {},
): Promise<CommandResult> {
  const home = mkdtempSync(join(tmpdir(), 'postern-helm-'));
  const path = 'path' in obtainedHelm ? obtainedHelm.path : '';
  const all = [...args, ...(values === undefined ? [] : ['-f', '-'])];
  const env = { PATH: process.env.PATH, HOME: home, KUBECONFIG: kubeconfig ?? join(home, 'none') };
  return new Promise((done) => {
    const child = execFile(path, all, { maxBuffer: 1 << 28, timeout: HELM_MS, env }, (error, stdout, stderr) => {
      rmSync(home, { recursive: true, force: true });
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      done({ code, stdout, stderr: stderr || (error === null ? '' : error.message) });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(values === undefined ? '' : JSON.stringify(values));
  });
}

/**
 * What the chart makes of values, in the namespace "infra", as a release of this name.
 *
 * @param served API versions that the cluster serves besides its own
 */
export async function render(
  values: unknown = {},
  release = 'postern',
  served: readonly string[] = [],
): Promise<readonly Rendered[]> {
  const apis = served.map((version) => `--api-versions=${version}`);
  const { code, stdout, stderr } = await helm(['template', release, CHART, '-n', 'infra', ...apis], { values });
  if (code !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(document.errors.join('\n'));
    const object = document.toJS() as Rendered | null;
    return object === null ? [] : [object];
  });
}

/** The one object of a kind, or the one whose name ends so. */
export function only(objects: readonly Rendered[], kind: string, end = ''): Rendered {
  const [found, ...others] = objects.filter((object) => object.kind === kind && object.metadata.name.endsWith(end));
  if (found === undefined || others.length > 0)
    throw new Error(`${others.length + Number(found !== undefined)} ${kind}`);
  return found;
}

/** The container of the agent. */
export const agentOf = (objects: readonly Rendered[]) => only(objects, 'Deployment').spec.template.spec.containers[0];
