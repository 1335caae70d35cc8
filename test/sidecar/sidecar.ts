import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentProcess, startAgentProcess } from '../cli/agent-process.ts';

/** A container as a Pod has it. */
export interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

/** The volumes of one Pod, as folders: its labels and the socket. */
export class PodVolumes {
  readonly folder = mkdtempSync(join(tmpdir(), 'postern-pod-'));
  readonly labels = join(this.folder, 'labels');
  readonly socket = join(this.folder, 'postern.sock');
  #version = 0;

  /** As a kubelet does it: a new folder, and a link that is moved over to it. */
  relabel(labels: Readonly<Record<string, string>>): void {
    this.#version += 1;
    const version = `..${this.#version}`;
    mkdirSync(join(this.folder, version));
    const lines = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
    writeFileSync(join(this.folder, version, 'labels'), lines.sort().join('\n'));
    symlinkSync(version, join(this.folder, '..data_tmp'));
    renameSync(join(this.folder, '..data_tmp'), join(this.folder, '..data'));
    if (this.#version === 1) symlinkSync('..data/labels', this.labels);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs what the container would run: its arguments and variables, with the paths of the volumes. */
export function startSidecar(
  { args, env = [] }: Container,
  volumes: PodVolumes,
  account: { readonly namespace: string; readonly kubeconfig: string },
): Promise<AgentProcess> {
  const placed = args.map((arg) => {
    if (arg.startsWith('--workload-labels=')) return `--workload-labels=${volumes.labels}`;
    if (arg.startsWith('--grpc-addr=')) return `--grpc-addr=unix:${volumes.socket}`;
    return arg.startsWith('--admin-addr=') ? '--admin-addr=127.0.0.1:0' : arg;
  });
  assert.deepEqual(
    env.map(({ name }) => name),
    ['POSTERN_NAMESPACE', 'KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT'],
  );
  return startAgentProcess(placed, { POSTERN_NAMESPACE: account.namespace, KUBECONFIG: account.kubeconfig });
}
