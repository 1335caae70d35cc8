import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type AgentProcess, onLoopback, startAgentProcess } from '../cli/agent-process.ts';
import { type ApiServer, type CommandResult, startApiServer } from '../components/api-server.ts';
import { obtainedHelm, type Rendered } from '../helm/chart.ts';
import { ROOT } from './page.ts';

/** An empty cluster, and a folder like the repository's, in which the commands of a page are run. */
export interface GuideCluster {
  readonly api: ApiServer;
  readonly folder: string;
  /** Runs commands as a reader would, with kubectl and Helm; never throws. */
  shell(commands: string, env?: Readonly<Record<string, string>>): Promise<CommandResult>;
  /** The agent of a release, as its Pod would be: the container's arguments, its account's token, and no other right. */
  agentOf(release: string): Promise<AgentProcess>;
  stop(): Promise<void>;
}

const COMMANDS_MS = 180_000;
const NAMESPACE = 'postern-system';

/** @param binaries the folder that `obtainKubernetes` gives */
export async function startGuideCluster(binaries: string): Promise<GuideCluster> {
  const api = await startApiServer(binaries);
  const folder = mkdtempSync(join(tmpdir(), 'postern-guide-'));
  for (const name of ['deploy', 'policies']) symlinkSync(join(ROOT, name), join(folder, name));
  const helm = 'path' in obtainedHelm ? dirname(obtainedHelm.path) : '';
  const own = { PATH: `${binaries}:${helm}:${process.env.PATH}`, KUBECONFIG: api.kubeconfig, HOME: folder };
  const agents: AgentProcess[] = [];
  return {
    api,
    folder,
    shell: (commands, env = {}) => bash(commands, folder, { ...own, ...env }),
    async agentOf(release) {
      const agent = await startAgentProcess(await argumentsOf(api, release));
      agents.push(agent);
      await agent.ready;
      return agent;
    },
    async stop() {
      await Promise.all(agents.map((agent) => agent.stop()));
      await api.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function argumentsOf(api: ApiServer, release: string): Promise<readonly string[]> {
  const kubectl = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await api.kubectl(['-n', NAMESPACE, ...args]);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
  const { spec } = JSON.parse(await kubectl('get', 'deployment', release, '-o', 'json')) as Rendered;
  const account = spec.template.spec.serviceAccountName as string;
  const kubeconfig = api.kubeconfigFor(account, (await kubectl('create', 'token', account)).trim());
  await kubectl('config', 'set-context', 'test', `--namespace=${NAMESPACE}`, '--kubeconfig', kubeconfig);
  return [...onLoopback(spec.template.spec.containers[0].args as string[]), `--kubeconfig=${kubeconfig}`];
}

function bash(commands: string, cwd: string, env: Readonly<Record<string, string>>): Promise<CommandResult> {
  return new Promise((done) => {
    execFile('bash', ['-ec', commands], { cwd, env, timeout: COMMANDS_MS }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      done({ code, stdout, stderr: stderr || (error === null ? '' : error.message) });
    });
  });
}
