import { checkOver } from '../../test/door/client.ts';
import { type Comparison, compare } from '../compare.ts';
import type { Figure } from '../figures.ts';
import { API_KEY, apiKeyPolicies, jwtPolicies, LIMIT, message } from '../policies.ts';
import { type BenchServer, startNoop, startPostern, writeBodies } from '../servers.ts';

const PAIRS = 5;
const SECONDS = 10;
const BODIES = 10_000;

async function ratio(a: Comparison['a'], b: Comparison['b'], say: (line: string) => void): Promise<number> {
  const { ratio: median } = await compare({ a, b, pairs: PAIRS, seconds: SECONDS, say });
  return Math.round(median * 1000) / 1000;
}

/** What is measured must be an allow, else a quick refusal would look fast; it returns what is left of the limit. */
async function mustAllow(
  server: BenchServer,
  host: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const { http, response } = await checkOver(server.target, { host, path: '/v1/orders/42', headers });
  if (http !== 200) throw new Error(`The check that is to be measured answers ${http}`);
  const fields = response.ok_response?.response_headers_to_add ?? [];
  const limit = fields.find(({ header }) => header.key === 'ratelimit')?.header.value;
  return Number(/;r=(\d+)/.exec(limit ?? '')?.[1]);
}

/** A load whose checks looked like retries would take no limit, and look fast. */
async function mustHaveTaken(server: BenchServer, headers: Readonly<Record<string, string>>): Promise<void> {
  const left = await mustAllow(server, 'h0.example.org', headers);
  if (!(LIMIT - left > 100_000)) throw new Error(`The load took no more than ${LIMIT - left} of its limit`);
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
  await mustHaveTaken(single, key);
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
  await mustHaveTaken(tokens, bearer);
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
