import { setTimeout as wait } from 'node:timers/promises';
import { request } from 'undici';
import { parseAllDocuments } from 'yaml';
import { type ApiServer, startApiServer } from '../../test/components/api-server.ts';
import { obtainKubernetes } from '../../test/components/kubernetes.ts';
import { checkOver, closeClients } from '../../test/door/client.ts';
import { envoyBinary, send, startFront } from '../../test/envoy/harness.ts';
import { anyone, type Created, createAll } from '../cluster/objects.ts';
import type { Figure } from '../figures.ts';
import { API_KEY, apiKeyPolicies } from '../policies.ts';
import { type BenchServer, type StartedAt, startPostern } from '../servers.ts';

const POLICIES = 10_000;
const CHANGES = 100;
const FLIPS = 500;
const NAMESPACE = '/apis/postern.dev/v1alpha1/namespaces/default';
const PATH = `${NAMESPACE}/apipolicies`;
/** What one of the many policies lets in. */
const CALL = { path: '/v1/orders/42', headers: { 'x-api-key': API_KEY } };

const startAgent = (api: ApiServer, until?: StartedAt): Promise<BenchServer> =>
  startPostern(
    '',
    ['--kube', '--kubeconfig', api.kubeconfig, '--host-grants', 'first-come', '--log-level', 'info'],
    until,
  );

async function maxStallMs(admin: string): Promise<number> {
  const { body } = await request(`http://${admin}/metrics`);
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(await body.text())?.[1] ?? Number.NaN) * 1000;
}

/** Checks in a loop, and the longest wait for one of them: what a stall of the event loop looks like from outside. */
async function probe(target: string, host: string, isOver: () => boolean): Promise<number> {
  let longest = 0;
  while (!isOver()) {
    const start = performance.now();
    await checkOver(target, { host, ...CALL });
    longest = Math.max(longest, performance.now() - start);
    await wait(1);
  }
  return longest;
}

export async function measureCluster(say: (line: string) => void): Promise<Figure[]> {
  const found = await obtainKubernetes();
  const envoy = await envoyBinary();
  if (!('path' in found)) throw new Error(found.missing);
  if (!('path' in envoy)) throw new Error(envoy.missing);
  const api = await startApiServer(found.path);
  await api.kubectl(['apply', '-f', 'deploy/crds']);
  await wait(3000);
  const figures = [...(await measureChanges(api, envoy.path, say)), ...(await measureLoad(api, say))];
  closeClients();
  await api.stop();
  return figures;
}

async function measureChanges(api: ApiServer, envoyPath: string, say: (line: string) => void): Promise<Figure[]> {
  await createAll(api, [anyone('flip', 'api.example.org', true)]);
  const agent = await startAgent(api);
  const front = await startFront(envoyPath, agent.target);
  const latencies: number[] = [];
  for (let i = 0; i < CHANGES; i += 1) {
    const isOpen = i % 2 === 1;
    const { code, stderr } = await api.kubectl(
      ['apply', '-f', '-'],
      JSON.stringify(anyone('flip', 'api.example.org', isOpen)),
    );
    if (code !== 0) throw new Error(stderr);
    const start = performance.now();
    while ((await send(front.port, '/')).status !== (isOpen ? 200 : 403))
      if (performance.now() - start > 10_000) throw new Error('A change was not enforced');
    latencies.push(performance.now() - start);
  }
  latencies.sort((a, b) => a - b);
  say(`  changes: p50 ${latencies[CHANGES / 2]?.toFixed(1)} ms`);
  const mixed = await flip(api, agent, say);
  await front.stop();
  await agent.stop();
  return [
    {
      key: 'apply_p99_ms',
      value: Math.round(latencies[Math.ceil(CHANGES * 0.99) - 1] ?? Number.NaN),
      unit: 'ms',
      bar: '<= 1000',
      note: `${CHANGES} changes by kubectl, through Envoy`,
    },
    { key: 'flip_mixed', value: mixed, unit: 'answers', bar: '0', note: `${FLIPS} flips at 50 Hz` },
  ];
}

/**
 * Two forms of one spec that exclude each other: one lets GET in and names itself "get" to the upstream, the other POST
 * and "post". An answer that lets one in under the other's name mixes both.
 */
async function flip(api: ApiServer, agent: BenchServer, say: (line: string) => void): Promise<number> {
  const form = (method: string): object => ({
    ...anyone('flip', 'api.example.org', true),
    spec: {
      target: { hosts: ['api.example.org'] },
      authentication: { anonymous: {} },
      authorization: { rules: [{ name: 'all', allow: { methods: [method] } }] },
      response: { upstreamHeaders: [{ name: 'x-form', value: { expression: `'${method}'` } }] },
    },
  });
  let isOver = false;
  let answers = 0;
  let mixed = 0;
  const seen = new Set<string>();
  const ask = async (): Promise<void> => {
    while (!isOver) {
      for (const method of ['GET', 'POST']) {
        const { http, response } = await checkOver(agent.target, { host: 'api.example.org', method });
        answers += 1;
        const name = response.ok_response?.headers?.find(({ header }) => header.key === 'x-form')?.header.value;
        if (http === 200 && name !== undefined) seen.add(name);
        if (http === 200 && name !== undefined && name !== method) mixed += 1;
      }
    }
  };
  const asking = Promise.all(Array.from({ length: 4 }, ask));
  const start = performance.now();
  for (let i = 0; i < FLIPS; i += 1) {
    const { status } = await api.call('PATCH', `${PATH}/flip`, form(i % 2 === 0 ? 'GET' : 'POST'), {
      contentType: 'application/merge-patch+json',
    });
    if (status !== 200) throw new Error(`A flip was refused with ${status}`);
    await wait(Math.max(0, start + (i + 1) * 20 - performance.now()));
  }
  isOver = true;
  await asking;
  say(`  ${answers} answers, forms seen: ${[...seen].join(' ')}`);
  if (seen.size !== 2) throw new Error('Only one form was ever seen');
  return mixed;
}

async function measureLoad(api: ApiServer, say: (line: string) => void): Promise<Figure[]> {
  say(`  making ${POLICIES} policies`);
  // The policies of `npm run bench`: a key, a role, a condition and a limit are what has to be compiled.
  await createAll(
    api,
    parseAllDocuments(apiKeyPolicies(POLICIES)).map((document) => document.toJS() as Created),
  );
  const start = performance.now();
  const agent = await startAgent(api, 'Postern listens');
  // The start of the program itself is no stall of a check: nobody could ask before.
  await maxStallMs(agent.admin);
  let isOver = false;
  const probing = probe(agent.target, 'h0.example.org', () => isOver);
  while ((await checkOver(agent.target, { host: `h${POLICIES - 1}.example.org`, ...CALL })).http !== 200) {
    if (performance.now() - start > 60_000) throw new Error('The policies were not loaded');
    await wait(20);
  }
  const loadS = Math.round((performance.now() - start) / 100) / 10;
  await wait(1000);
  const loading = await maxStallMs(agent.admin);
  say(`  loaded in ${loadS} s, longest stall meanwhile ${loading.toFixed(1)} ms`);
  // Then every policy gets another spec, so that all are compiled anew beside the traffic.
  for (let at = 0; at < POLICIES; at += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        api.call(
          'PATCH',
          `${PATH}/p${at + i}`,
          { spec: { mode: 'Audit' } },
          { contentType: 'application/merge-patch+json' },
        ),
      ),
    );
  }
  await wait(2000);
  isOver = true;
  const longest = await probing;
  const changing = await maxStallMs(agent.admin);
  say(`  all changed: longest stall ${changing.toFixed(1)} ms; longest wait for a check ${longest.toFixed(1)} ms`);
  await agent.stop();
  return [
    {
      key: 'load_s',
      value: loadS,
      unit: 's',
      bar: '<= 10',
      note: 'from the start of the process to the last policy enforced',
    },
    {
      key: 'load_stall_ms',
      value: Math.round(Math.max(loading, changing)),
      unit: 'ms',
      bar: '<= 50',
      note: `loading ${loading.toFixed(1)} ms, all specs changed ${changing.toFixed(1)} ms; longest wait of a check beside it ${longest.toFixed(1)} ms`,
    },
  ];
}
