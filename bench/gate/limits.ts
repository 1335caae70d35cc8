import { envoyBinary, send, startFront } from '../../test/envoy/harness.ts';
import type { Figure } from '../figures.ts';
import { startPostern } from '../servers.ts';

const LIMIT = 100;
const CLIENTS = 400;
const ALGORITHMS = ['GCRA', 'SlidingWindow', 'FixedWindow'] as const;

const policy = (algorithm: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: ${algorithm.toLowerCase()}}
spec:
  target: {hosts: [${algorithm.toLowerCase()}.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
  rateLimits: [{name: exact, stage: AfterAuthentication, rates: [{requests: ${LIMIT}, window: 1h, algorithm: ${algorithm}}]}]
`;

/** Requests that are started together, and how many of them reach the upstream. */
export async function measureLimits(say: (line: string) => void): Promise<Figure[]> {
  const envoy = await envoyBinary();
  if ('missing' in envoy) throw new Error(`There is no Envoy: ${envoy.missing}`);
  const server = await startPostern(ALGORITHMS.map(policy).join('\n---\n'));
  const front = await startFront(envoy.path, server.target, { timeoutMs: 10_000 });
  const reached: number[] = [];
  for (const algorithm of ALGORITHMS) {
    const before = front.upstream.count();
    const host = `Host: ${algorithm.toLowerCase()}.example.org`;
    await Promise.all(Array.from({ length: CLIENTS }, () => send(front.port, '/', [host])));
    reached.push(front.upstream.count() - before);
    say(`  ${algorithm}: ${reached.at(-1)} of ${CLIENTS}`);
  }
  await front.stop();
  await server.stop();
  const furthest = reached.toSorted((a, b) => Math.abs(b - LIMIT) - Math.abs(a - LIMIT))[0] ?? Number.NaN;
  return [
    {
      key: 'limit_exact',
      value: furthest,
      unit: 'requests',
      bar: `= ${LIMIT}`,
      note: `of ${CLIENTS} started together; ${ALGORITHMS.map((name, i) => `${name} ${reached[i]}`).join(', ')}`,
    },
  ];
}
