import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BlockList } from 'node:net';
import { systemClock } from '../../internal/core/clock.ts';
import { createKeySources } from '../../internal/keys/key-sources.ts';
import {
  type ForbiddenAddresses,
  NOTHING_FORBIDDEN,
  OutboundClient,
  type OutboundOptions,
} from '../../internal/keys/outbound.ts';
import { EVERY, type FaultCase, failing, type Outcome } from './fault.ts';
import { aWorld } from './fault-world.ts';

type Lookup = NonNullable<OutboundOptions['lookup']>;

const here = ((_name: string, _options: object, done: (...found: unknown[]) => void) =>
  done(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as Lookup;
const unknownName = ((_name: string, _options: object, done: (...found: unknown[]) => void) =>
  done(new Error('injected'), [])) as unknown as Lookup;

/** Answers of an issuer that help nobody. */
const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'never answers': () => undefined,
  'stops in the middle': (response) => void response.write('{"keys":['),
  'closes before it answers': (response) => void response.destroy(),
  'closes in the middle': (response) => void response.write('{"keys":[', () => response.destroy()),
  'answers an error': (response) => void response.writeHead(500).end('{"keys":[]}'),
  'answers garbage': (response) => void response.end('{'),
  'answers nothing': (response) => void response.end(),
};

const LOOKUPS: Readonly<Record<string, Lookup>> = {
  'look-up throws': failing('throws') as unknown as Lookup,
  'look-up fails': unknownName,
  'look-up hangs': (() => undefined) as unknown as Lookup,
};

const CHECK_TIMEOUT_MS = 300;
const DISCOVERED = /, jwks: \{url: "[^"]*"\}/;

interface Net {
  readonly lookup: Lookup;
  readonly forbidden?: ForbiddenAddresses;
  readonly answer?: (response: ServerResponse) => void;
  readonly isDiscovered?: boolean;
  readonly prefetch?: boolean;
}

/** A check of a token whose keys are asked for over real connections that fail. */
async function overNetwork(net: Net): Promise<Uint8Array> {
  const { lookup, answer, forbidden = NOTHING_FORBIDDEN, isDiscovered = false, prefetch = false } = net;
  const issuer = answer === undefined ? undefined : await startIssuer(answer);
  const client = new OutboundClient({ isRelaxed: true, allowed: new BlockList(), forbidden }, { lookup });
  const keySources = createKeySources({
    client,
    clock: systemClock,
    random: () => 0.5,
    observe: () => undefined,
    prefetch,
  });
  const url = issuer === undefined ? '' : `http://issuer.example.org:${(issuer.address() as AddressInfo).port}/keys`;
  const edit = (policies: string): string =>
    isDiscovered ? policies.replace(DISCOVERED, '') : policies.replace(/(?<=url: ")[^"]*/, (given) => url || given);
  try {
    const world = await aWorld({ checkTimeoutMs: CHECK_TIMEOUT_MS, keySources, edit });
    return await world.ask('token');
  } finally {
    issuer?.closeAllConnections();
    issuer?.close();
    await client.close();
  }
}

async function startIssuer(answer: (response: ServerResponse) => void): Promise<Server> {
  const server = createServer((_request, response) => answer(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const aCase = (at: string, fault: string, net: Net, becomes: Outcome = 503): FaultCase => ({
  at,
  fault,
  becomes,
  run: () => overNetwork(net),
});

export const NETWORK_FAULTS: readonly FaultCase[] = [
  ...Object.entries(ANSWERS).map(([fault, answer]) => aCase('answer of the issuer', fault, { lookup: here, answer })),
  ...Object.entries(ANSWERS).map(([fault, answer]) =>
    aCase('fetch ahead', fault, { lookup: here, answer, prefetch: true }),
  ),
  ...Object.entries(LOOKUPS).map(([fault, lookup]) => aCase('connection to the issuer', fault, { lookup })),
  ...Object.entries(LOOKUPS).map(([fault, lookup]) =>
    aCase('discovery over the network', fault, { lookup, isDiscovered: true }),
  ),
  ...EVERY.map((fault) => {
    const forbidden = { known: undefined, refresh: failing(fault) };
    const answer = (response: ServerResponse): void => void response.end(JSON.stringify({ keys: [] }));
    return aCase("look-up of the API server's addresses", fault, { lookup: here, forbidden, answer });
  }),
];
