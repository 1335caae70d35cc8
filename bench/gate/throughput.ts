import { bodiesFor, mustAllow, mustHaveTaken } from '../asked.ts';
import { type Comparison, compare } from '../compare.ts';
import type { Figure } from '../figures.ts';
import { API_KEY, apiKeyPolicies, jwtPolicies } from '../policies.ts';
import { startNoop, startPostern } from '../servers.ts';

const PAIRS = 5;
const SECONDS = 10;

async function ratio(a: Comparison['a'], b: Comparison['b'], say: (line: string) => void): Promise<number> {
  const { ratio: median } = await compare({ a, b, pairs: PAIRS, seconds: SECONDS, say });
  return Math.round(median * 1000) / 1000;
}

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
