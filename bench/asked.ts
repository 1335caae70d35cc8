// What the figures ask, and that it is answered as it should be: a quick refusal, or a check that takes no limit, looks fast.
import { checkOver } from '../test/door/client.ts';
import { LIMIT, message } from './policies.ts';
import { type BenchServer, writeBodies } from './servers.ts';

type Headers = Readonly<Record<string, string>>;

const BODIES = 10_000;

/** A file of bodies for the load generator, spread over this many hosts. */
export const bodiesFor = (hosts: number, headers: Headers): string =>
  writeBodies(Array.from({ length: BODIES }, (_, index) => message(`h${index % hosts}.example.org`, headers)));

/** @returns what is left of the limit @throws {Error} where the check is no allow */
export async function mustAllow(server: BenchServer, host: string, headers: Headers): Promise<number> {
  const { http, response } = await checkOver(server.target, { host, path: '/v1/orders/42', headers });
  if (http !== 200) throw new Error(`The check that is to be measured answers ${http}`);
  const fields = response.ok_response?.response_headers_to_add ?? [];
  const limit = fields.find(({ header }) => header.key === 'ratelimit')?.header.value;
  return Number(/;r=(\d+)/.exec(limit ?? '')?.[1]);
}

/** @throws {Error} where the load looked like retries, which take no limit */
export async function mustHaveTaken(server: BenchServer, headers: Headers, atLeast = 100_000): Promise<void> {
  const left = await mustAllow(server, 'h0.example.org', headers);
  if (!(LIMIT - left > atLeast)) throw new Error(`The load took no more than ${LIMIT - left} of its limit`);
}
