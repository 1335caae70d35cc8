import { setTimeout as wait } from 'node:timers/promises';
import { request } from 'undici';
import { startApiServer } from '../../test/components/api-server.ts';
import { obtainKubernetes } from '../../test/components/kubernetes.ts';
import { encodeCheck } from '../../test/door/client.ts';
import type { Figure } from '../figures.ts';
import { load, rssMib, startPostern, writeBodies } from '../servers.ts';

const KEYS = 1_000_000;

const POLICY = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: many}
spec:
  target: {hosts: [h0.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
  rateLimits: [{name: each, stage: BeforeAuthentication, key: [{expression: request.path}], rates: [{requests: 10, window: 24h}]}]
`;

async function metric(admin: string, name: string): Promise<number> {
  const { body } = await request(`http://${admin}/metrics`);
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await body.text())?.[1] ?? Number.NaN);
}

export async function measureMemory(say: (line: string) => void): Promise<Figure[]> {
  const found = await obtainKubernetes();
  if (!('path' in found)) throw new Error(found.missing);
  const api = await startApiServer(found.path);
  await api.kubectl(['apply', '-f', 'deploy/crds']);
  await wait(2000);
  const idle = await startPostern('', ['--kube', '--kubeconfig', api.kubeconfig, '--host-grants', 'first-come']);
  await wait(10_000);
  const idleMib = Math.round(rssMib(idle.pid));
  await idle.stop();
  await api.stop();
  const figures: Figure[] = [{ key: 'rss_idle_mib', value: idleMib, unit: 'MiB', bar: '<= 150' }];
  const server = await startPostern(POLICY);
  const batch = (start: number, count: number): string =>
    writeBodies(
      Array.from({ length: count }, (_, i) => encodeCheck({ host: 'h0.example.org', path: `/k/${start + i}` })),
    );
  // The same load without new keys first: what serving itself takes is no key's memory.
  const again = batch(-20_000, 20_000);
  for (let i = 0; i < 12; i += 1) await load(server.target, again, 3);
  const before = rssMib(server.pid);
  const held = await metric(server.admin, 'postern_ratelimit_keys');
  const size = 20_000;
  for (let start = 0; start + held < KEYS; start += size) {
    const bodies = batch(start, size);
    // The load goes round: until every one of the batch was sent.
    const wanted = Math.min(KEYS, held + start + size);
    for (let tries = 0; tries < 10 && (await metric(server.admin, 'postern_ratelimit_keys')) < wanted; tries += 1) {
      await load(server.target, bodies, 3);
    }
    if (start % 200_000 === 0)
      say(`  ${await metric(server.admin, 'postern_ratelimit_keys')} keys, ${Math.round(rssMib(server.pid))} MiB`);
  }
  await wait(3000);
  const added = Math.round(rssMib(server.pid) - before);
  figures.push({
    key: 'rss_1m_keys_mib',
    value: added,
    unit: 'MiB',
    bar: '<= 400',
    note: `${await metric(server.admin, 'postern_ratelimit_keys')} keys held`,
  });
  await server.stop();
  return figures;
}
