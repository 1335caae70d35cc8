import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GROUP, KINDS } from '../../internal/policy/resource/kinds.ts';
import { type AddedToken, type ApiServer, startApiServer } from '../components/api-server.ts';
import { until } from '../components/until.ts';
import { checkOver } from '../door/client.ts';
import { startTestAgent, type TestAgent } from '../envoy/harness.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What an agent may do, and no more: its kinds, their status and definitions, leases. Secrets are granted name by name. */
export const RULES = `
- {apiGroups: [postern.dev], resources: [apipolicies, apiconsumers, apiroles, apirolebindings, hostgrants, apibaselines], verbs: [get, list, watch]}
- {apiGroups: [postern.dev], resources: [apipolicies/status, apiconsumers/status, apiroles/status, apirolebindings/status, hostgrants/status, apibaselines/status], verbs: [patch]}
- {apiGroups: [apiextensions.k8s.io], resources: [customresourcedefinitions], resourceNames: [apipolicies.postern.dev, apiconsumers.postern.dev, apiroles.postern.dev, apirolebindings.postern.dev, hostgrants.postern.dev, apibaselines.postern.dev], verbs: [get]}
- {apiGroups: [''], resources: [namespaces], verbs: [list, watch]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, list, watch, create, update, delete]}
`;

const RBAC = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: agent}
rules: ${RULES}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: agent}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: agent}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: agents}]
`;

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

interface StatusEntry {
  readonly className?: string;
  readonly conditions?: readonly Condition[];
}

/** A real API server with our kinds, and agents as users with no rights but an agent's. */
export interface Cluster {
  readonly api: ApiServer;
  apply(yaml: string): Promise<void>;
  /** Of a policy, or of a shared kind as the given class sees it. */
  conditions(kind: string, place: string, className?: string): Promise<readonly Condition[]>;
  /** The same in short: `{Accepted: 'True Accepted', …}`. */
  statusOf(kind: string, place: string, className?: string): Promise<Readonly<Record<string, string>>>;
  /** Started and ready; ended with the cluster unless it was stopped before. */
  agent(flags?: Readonly<Record<string, string>>, token?: AddedToken): Promise<TestAgent>;
  stop(): Promise<void>;
}

/** @param binaries the folder that `obtainKubernetes` gives */
export async function startCluster(binaries: string): Promise<Cluster> {
  const api = await startApiServer(binaries);
  const agents = new Set<TestAgent>();
  const apply = async (yaml: string): Promise<void> => {
    const { code, stderr } = await api.kubectl(['apply', '-f', '-'], yaml);
    assert.equal(code, 0, stderr);
  };
  await apply(RBAC);
  for (const { plural } of Object.values(KINDS))
    await apply(readFileSync(join(ROOT, `deploy/crds/${GROUP}_${plural}.yaml`), 'utf8'));
  await api.kubectl(['create', 'namespace', 'shop']);
  await until(async () => (await api.kubectl(['get', 'postern', '-A'])).code === 0);
  const conditions: Cluster['conditions'] = async (kind, place, className = 'postern') => {
    const [namespace = '', name = ''] = place.split('/');
    const { stdout } = await api.kubectl(['get', kind, name, '-n', namespace, '-o', 'json']);
    const { status } = JSON.parse(stdout) as { status?: StatusEntry & { instances?: StatusEntry[] } };
    return status?.conditions ?? status?.instances?.find((entry) => entry.className === className)?.conditions ?? [];
  };
  return {
    api,
    apply,
    conditions,
    async statusOf(kind, place, className) {
      const found = await conditions(kind, place, className);
      return Object.fromEntries(found.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
    },
    async agent(flags = {}, token = api.addToken('agent', ['agents'])) {
      const own = { kube: 'true', kubeconfig: token.kubeconfig, 'host-grants': 'first-come' };
      const agent = await startTestAgent('', { ...own, ...flags });
      agents.add(agent);
      await agent.ready;
      return {
        ...agent,
        async stop() {
          if (agents.delete(agent)) await agent.stop();
        },
      };
    },
    async stop() {
      for (const agent of agents) await agent.stop();
      await api.stop();
    },
  };
}

/** The HTTP status that Envoy would answer with. */
export const answer = async (
  agent: TestAgent,
  { host = 'api.example.org', key = '' }: { readonly host?: string; readonly key?: string } = {},
): Promise<number> =>
  (await checkOver(agent.grpcAddress, { host, headers: key === '' ? {} : { 'x-api-key': key } })).http;
