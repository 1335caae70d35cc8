import { bodiesFor, mustAllow, mustHaveTaken } from '../asked.ts';
import { type Compared, compare, type Side } from '../compare.ts';
import type { Figure } from '../figures.ts';
import { API_KEY, apiKeyPolicies, jwtPolicies } from '../policies.ts';
import { type BenchServer, load, startNoop, startPostern } from '../servers.ts';
import { startGoNoop } from './go-noop.ts';
import { FULL, type Lengths } from './lengths.ts';

const MANY = 10_000;
const KEY = { 'x-api-key': API_KEY };
/** Makes the token 800 characters long. */
const PADDING = 333;

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
const rates = ({ a, b }: Compared): string =>
  `${Math.round(a.perSecond)} a second against ${Math.round(b.perSecond)}; p99 ${a.p99Ms.toFixed(2)} and ${b.p99Ms.toFixed(2)} ms`;

/** What the native door does on one core, against the no-op of grpc-go, the door of grpc-js and itself. */
export async function measureDoorThroughput(say: (line: string) => void, lengths: Lengths = FULL): Promise<Figure[]> {
  const against = (a: Side, b: Side): Promise<Compared> => compare({ a, b, say, ...lengths });
  const bodies = bodiesFor(1, KEY);
  const go = await startGoNoop();
  const reach = await reachOf(bodies, lengths, say);
  const single = await startPostern(apiKeyPolicies(1));
  await mustAllow(single, 'h0.example.org', KEY);
  const native = { server: single, bodies };
  const figures: Figure[] = [];
  const figure = (key: string, bar: string, compared: Compared, more = ''): void => {
    const bounded = compared.a.perSecond * 2 > reach ? '; the load generator is not twice as fast' : '';
    const note = `${rates(compared)}${more}${bounded}`;
    figures.push({ key, value: rounded(compared.ratio), unit: 'ratio', bar, note });
  };
  say('  an API key, against the no-op of grpc-go');
  figure('apikey_vs_go', '>= 1.5', await against(native, { server: go, bodies }));
  await mustHaveTaken(single, KEY, lengths.seconds * 1000);
  say('  a cached JWT, against the no-op of grpc-go');
  figure('jwt_vs_go', '>= 1.2', ...(await jwtAgainst(go, against)));
  await go.stop();
  say('  an API key, against the door of grpc-js');
  const slow = await startPostern(apiKeyPolicies(1), ['--transport', 'grpc-js']);
  await mustAllow(slow, 'h0.example.org', KEY);
  figure('vs_grpcjs', '>= 4', await against(native, { server: slow, bodies }));
  await slow.stop();
  say(`  ${MANY} policies, against one`);
  const many = await startPostern(apiKeyPolicies(MANY));
  await mustAllow(many, `h${MANY - 1}.example.org`, KEY);
  figure('policies_ratio', '>= 0.85', await against({ server: many, bodies: bodiesFor(MANY, KEY) }, native));
  await Promise.all([many.stop(), single.stop()]);
  return figures;
}

/** Calls a second that the load generator makes at least: what it gets out of a server that does next to nothing. */
async function reachOf(bodies: string, { seconds }: Lengths, say: (line: string) => void): Promise<number> {
  const noop = await startNoop('native');
  await load(noop.target, bodies, Math.min(3, seconds));
  const { perSecond } = await load(noop.target, bodies, seconds);
  await noop.stop();
  say(`  the load generator reaches ${Math.round(perSecond)} a second, with a native no-op`);
  return perSecond;
}

async function jwtAgainst(
  go: BenchServer,
  against: (a: Side, b: Side) => Promise<Compared>,
): Promise<readonly [Compared, string]> {
  const { yaml, token } = await jwtPolicies(0, PADDING);
  const server = await startPostern(yaml);
  const bearer = { authorization: `Bearer ${token}` };
  await mustAllow(server, 'h0.example.org', bearer);
  const bodies = bodiesFor(1, bearer);
  const compared = await against({ server, bodies }, { server: go, bodies });
  await mustHaveTaken(server, bearer, compared.a.done);
  await server.stop();
  return [compared, `; a token of ${token.length} characters`];
}
