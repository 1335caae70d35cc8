import { checkOver } from '../../test/door/client.ts';
import type { Figure } from '../figures.ts';
import { API_KEY, apiKeyPolicies, jwtPolicies, message } from '../policies.ts';
import { type BenchServer, load, median, startNoop, startPostern, writeBodies } from '../servers.ts';

const PAIRS = 5;
const SECONDS = 10;
const WARM_SECONDS = 4;
const BODIES = 10_000;

interface Side {
  readonly server: BenchServer;
  readonly bodies: string;
}

/** Median of the ratio of two servers' throughput, asked in turn so that both have the same weather. */
async function ratio(a: Side, b: Side, say: (line: string) => void): Promise<number> {
  for (const { server, bodies } of [a, b]) await load(server.target, bodies, WARM_SECONDS);
  const ratios: number[] = [];
  for (let i = 0; i < PAIRS; i += 1) {
    const left = await load(a.server.target, a.bodies, SECONDS);
    const right = await load(b.server.target, b.bodies, SECONDS);
    if (left.failed + right.failed > 0) throw new Error('A call failed under load');
    say(
      `  ${Math.round(left.perSecond)} against ${Math.round(right.perSecond)} a second, p99 ${left.p99Ms.toFixed(2)} and ${right.p99Ms.toFixed(2)} ms`,
    );
    ratios.push(left.perSecond / right.perSecond);
  }
  return Math.round(median(ratios) * 1000) / 1000;
}

/** What is measured must be an allow, else a quick refusal would look fast. */
async function mustAllow(server: BenchServer, host: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const { http } = await checkOver(server.target, { host, path: '/v1/orders/42', headers });
  if (http !== 200) throw new Error(`The check that is to be measured answers ${http}`);
}

const bodiesFor = (hosts: number, headers: Readonly<Record<string, string>>): string =>
  writeBodies(Array.from({ length: BODIES }, (_, index) => message(`h${index % hosts}.example.org`, headers)));

export async function measureThroughput(say: (line: string) => void): Promise<Figure[]> {
  const key = { 'x-api-key': API_KEY };
  const one = bodiesFor(1, key);
  const figures: Figure[] = [];
  const noop = await startNoop();
  const single = await startPostern(apiKeyPolicies(1));
  await mustAllow(single, 'h0.example.org', key);
  const apikey = await ratio({ server: single, bodies: one }, { server: noop, bodies: one }, say);
  figures.push({ key: 'apikey_ratio', value: apikey, unit: 'ratio', bar: '>= 0.75' });
  const many = await startPostern(apiKeyPolicies(10_000));
  await mustAllow(many, 'h9999.example.org', key);
  const spread = await ratio({ server: many, bodies: bodiesFor(10_000, key) }, { server: single, bodies: one }, say);
  figures.push({ key: 'policies_ratio', value: spread, unit: 'ratio', bar: '>= 0.90' });
  await many.stop();
  await single.stop();
  const { yaml, token } = await jwtPolicies();
  const tokens = await startPostern(yaml);
  const bearer = { authorization: `Bearer ${token}` };
  await mustAllow(tokens, 'h0.example.org', bearer);
  const withToken = bodiesFor(1, bearer);
  const jwt = await ratio({ server: tokens, bodies: withToken }, { server: noop, bodies: withToken }, say);
  figures.push({
    key: 'jwt_ratio',
    value: jwt,
    unit: 'ratio',
    bar: '>= 0.65',
    note: `a token of ${token.length} characters`,
  });
  await tokens.stop();
  await noop.stop();
  return figures;
}
