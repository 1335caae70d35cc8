import assert from 'node:assert/strict';
import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, BlockList } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { NOTHING_FORBIDDEN, OutboundClient, type OutboundOptions, type OutboundTrust } from './outbound.ts';

const NONE = new BlockList();
const RELAXED: OutboundTrust = { isRelaxed: true, allowed: NONE, forbidden: NOTHING_FORBIDDEN };
const STRICT = { ...RELAXED, isRelaxed: false };

/** A look-up that answers what a test says, one list a call, and stays with the last. */
const lookupOf = (...answers: readonly (readonly string[])[]): NonNullable<OutboundOptions['lookup']> => {
  let call = 0;
  const lookup = (
    _name: string,
    _options: LookupAllOptions,
    done: (error: null, found: LookupAddress[]) => void,
  ): void => {
    const addresses = answers[Math.min(call, answers.length - 1)] ?? [];
    call += 1;
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return lookup as unknown as NonNullable<OutboundOptions['lookup']>;
};

describe('OutboundClient', () => {
  const seen: IncomingMessage[] = [];
  const routes: Record<string, RequestListener> = {
    '/ok': (_request, response) => response.setHeader('cache-control', 'max-age=90').end('{"keys":[]}'),
    '/redirect': (_request, response) => response.writeHead(302, { location: '/ok' }).end(),
    '/error': (_request, response) => response.writeHead(500).end('secret of the server'),
    '/huge': (_request, response) => response.end('x'.repeat(5000)),
    '/endless': (_request, response) => {
      const timer = setInterval(() => response.write('x'), 5);
      response.on('close', () => clearInterval(timer));
    },
    '/last': (_request, response) => response.setHeader('connection', 'close').end('{}'),
    '/silent': () => undefined,
    '/gzip': (_request, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('x'.repeat(100_000))),
    '/cut': (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      setImmediate(() => response.destroy());
    },
  };
  let server: Server;
  let port: number;
  before(async () => {
    server = createServer((request, response) => {
      seen.push(request);
      routes[request.url ?? '']?.(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const get = async (
    path: string,
    options: OutboundOptions = {},
    { rules = RELAXED, host = '127.0.0.1' } = {},
  ): Promise<unknown> => {
    const client = new OutboundClient(rules, { maxBytes: 4096, ...options });
    try {
      return await client.get(`http://${host}:${port}${path}`);
    } catch (error) {
      return (error as { code?: string }).code;
    } finally {
      await client.close();
    }
  };

  it('fetches a body with its Cache-Control, and sends nothing of its own', async () => {
    assert.deepEqual(await get('/ok'), { body: '{"keys":[]}', cacheControl: 'max-age=90' });
    const { headers } = seen.at(-1) ?? assert.fail();
    assert.deepEqual(Object.keys(headers).sort(), ['accept', 'connection', 'host']);
  });

  it('fails on a redirect, on an error and on a connection that ends early', async () => {
    const before = seen.length;
    for (const path of ['/redirect', '/error', '/cut'])
      assert.equal(await get(path), 'ERR_POSTERN_KEYS_UNAVAILABLE', path);
    assert.equal(seen.length, before + 3);
  });

  it('fails on an answer that is too large, never ends or never begins', async () => {
    assert.equal(await get('/huge'), 'ERR_POSTERN_KEYS_UNAVAILABLE');
    for (const path of ['/endless', '/silent']) {
      assert.equal(await get(path, { timeoutMs: 100 }), 'ERR_POSTERN_KEYS_UNAVAILABLE', path);
    }
  });

  it('inflates nothing', async () => {
    const fetched = (await get('/gzip')) as { readonly body: string };
    assert.ok(fetched.body.length < 1000);
  });

  it('refuses a forbidden address at connect time, after DNS', async () => {
    const refused = 'ERR_POSTERN_OUTBOUND_REFUSED';
    const host = 'sso.example.org';
    for (const address of ['169.254.169.254', '::ffff:169.254.169.254', 'fe80::1', '64:ff9b::7f00:1']) {
      assert.equal(await get('/ok', { lookup: lookupOf([address]) }, { host }), refused, address);
    }
    assert.equal(await get('/ok', { lookup: lookupOf([]) }, { host }), refused);
  });

  it('refuses a name of which only one address is forbidden', async () => {
    const options = { lookup: lookupOf(['127.0.0.1', '169.254.169.254']) };
    assert.equal(await get('/ok', options, { host: 'sso.example.org' }), 'ERR_POSTERN_OUTBOUND_REFUSED');
  });

  it('judges the address of each connection: a name that changes its mind gains nothing', async () => {
    const client = new OutboundClient(RELAXED, {
      timeoutMs: 200,
      lookup: lookupOf(['127.0.0.1'], ['169.254.169.254']),
    });
    const url = `http://sso.example.org:${port}`;
    assert.equal((await client.get(`${url}/last`)).body, '{}');
    await assert.rejects(client.get(`${url}/ok`), { code: 'ERR_POSTERN_OUTBOUND_REFUSED' });
    await client.close();
  });

  it('connects to nothing private while DNS does not tell where the API server is', async () => {
    let known: BlockList | undefined;
    let asked = 0;
    const forbidden = {
      get known() {
        return known;
      },
      async refresh() {
        asked += 1;
        if (asked > 2) known = new BlockList();
        if (asked > 4) known?.addAddress('127.0.0.1');
      },
    };
    const rules = { ...RELAXED, forbidden };
    const lookup = lookupOf(['127.0.0.1']);
    const fetched: unknown[] = [];
    for (const host of Array(3).fill(['sso.example.org', '127.0.0.1']).flat() as string[])
      fetched.push(await get('/ok', { lookup }, { rules, host }));
    const refused = 'ERR_POSTERN_OUTBOUND_REFUSED';
    const ok = { body: '{"keys":[]}', cacheControl: 'max-age=90' };
    assert.deepEqual(fetched, [refused, refused, ok, ok, refused, refused]);
  });

  it('finds nothing wrong with a URL for addresses that are not known yet: the fetch will tell', async () => {
    const forbidden = { known: undefined, refresh: () => Promise.resolve() };
    const client = new OutboundClient({ ...RELAXED, forbidden });
    assert.equal(client.whyRefused('https://10.0.0.1/keys'), undefined);
    await client.close();
  });

  it('waits for the addresses of the API server no longer than for an answer', async () => {
    const forbidden = { known: undefined, refresh: () => new Promise<void>(() => undefined) };
    assert.equal(
      await get('/ok', { timeoutMs: 50 }, { rules: { ...RELAXED, forbidden } }),
      'ERR_POSTERN_OUTBOUND_REFUSED',
    );
  });

  it('connects to nothing for a URL that is refused as text', async () => {
    const before = seen.length;
    assert.equal(await get('/ok', {}, { rules: STRICT }), 'ERR_POSTERN_OUTBOUND_REFUSED');
    assert.equal(seen.length, before);
  });
});
