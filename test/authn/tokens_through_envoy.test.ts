import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, sign, type webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../internal/core/clock.ts';
import { COOLDOWN_MS, DEFAULT_FRESH_MS, GRACE_MS, RETRY_MS } from '../../internal/keys/remote-keys.ts';
import { skipWithout } from '../components/cache.ts';
import { type OidcProvider, startOidcProvider } from '../components/oidc-provider.ts';
import {
  type Answer,
  envoyBinary,
  type Front,
  send,
  startFront,
  startTestAgent,
  type TestAgent,
} from '../envoy/harness.ts';

const AUDIENCE = 'https://orders.example.org';
const policies = (issuer: string): string => {
  const policy = (name: string, jwt: string, more = ''): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: ${name}}
spec:
  target: {hosts: [${name}.example.org]}
  authentication: {methods: [{name: sso, ${more} jwt: {issuer: "${issuer}", ${jwt}}}]}
  authorization:
    rules:
      - {name: read, allow: {scopes: ["orders:read"], methods: [GET]}}
      - {name: write, allow: {scopes: ["orders:write"], methods: [POST]}}
  response: {upstreamHeaders: [{name: x-caller, value: {expression: identity.subject}}]}
---`;
  const from = 'from: [{authorizationScheme: Bearer}, {query: access_token}, {cookie: token}]';
  return [
    policy('orders', `audiences: ["${AUDIENCE}"], types: [at+jwt], ${from}`),
    policy('hidden', `audiences: ["${AUDIENCE}"], ${from}`, 'credentials: Remove,'),
    policy('billing', 'audiences: ["https://billing.example.org"]'),
    policy('identity', `audiences: ["${AUDIENCE}"], types: [JWT]`),
  ].join('');
};

type Part = Record<string, unknown>;
const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const decode = (part: string | undefined): Part => JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Part;

const found = await envoyBinary();

describe('tokens of a real OpenID provider, through a real Envoy', { skip: skipWithout(found) }, () => {
  const ahead = { wallMs: 0, monotonicMs: 0 };
  const clock = {
    wallMs: () => systemClock.wallMs() + ahead.wallMs,
    monotonicMs: () => systemClock.monotonicMs() + ahead.monotonicMs,
  };
  let provider: OidcProvider;
  let agent: TestAgent;
  let front: Front;
  let token = '';
  const ownKey = generateKeyPairSync('rsa', { modulusLength: 2048 });

  before(async () => {
    provider = await startOidcProvider({ audience: AUDIENCE });
    token = await provider.token('orders:read');
    agent = await startTestAgent(policies(provider.issuer), { 'check-timeout': '5s' }, { clock });
    await agent.ready;
    front = await startFront('path' in found ? found.path : '', agent.grpcAddress, { timeoutMs: 6000 });
  });
  after(async () => {
    await front?.stop();
    await agent?.stop();
    await provider?.stop();
  });

  const ask = (headers: readonly string[], target = '/', host = 'orders', method = 'GET'): Promise<Answer> =>
    send(front.port, target, [`Host: ${host}.example.org`, ...headers], method);
  const bearer = (text: string): string => `Authorization: Bearer ${text}`;
  /** A token with the provider's claims, but for those that are changed, and a signature of one's own. */
  const forged = (header: Part, claims: Part = {}, signer = (data: string) => signed(data)): string => {
    const [head, payload] = token.split('.');
    const data = `${encode({ ...decode(head), ...header })}.${encode({ ...decode(payload), ...claims })}`;
    return `${data}.${signer(data)}`;
  };
  const signed = (data: string): string => sign('sha256', Buffer.from(data), ownKey.privateKey).toString('base64url');

  it('lets many first callers in at once, having asked the issuer for its keys once', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask([bearer(token)])));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(front.upstream.seen.at(-1)?.headers['x-caller'], 'batch');
    assert.deepEqual(provider.requests, ['/token', '/.well-known/openid-configuration', '/jwks']);
  });

  it('takes the scheme in any case, the query and a cookie, each for itself', async () => {
    const ways: readonly (readonly [headers: readonly string[], target: string])[] = [
      [[`authorization: bearer ${token}`], '/'],
      [[`AUTHORIZATION: BEARER ${token}`], '/'],
      [[`Authorization:  bEARER  ${token} `], '/'],
      [[`Cookie: a=b; token=${token}`], '/'],
      [[], `/?access_token=${token}`],
    ];
    for (const [headers, target] of ways)
      assert.equal((await ask(headers, target)).status, 200, headers.join() || target);
  });

  it('hides the token from the upstream where the policy says so, and else leaves it', async () => {
    await ask([bearer(token)]);
    assert.equal(front.upstream.seen.at(-1)?.headers.authorization, `Bearer ${token}`);
    await ask([bearer(token)], '/', 'hidden');
    await ask([`Cookie: token=${token}`], '/', 'hidden');
    await ask([], `/?access_token=${token}`, 'hidden');
    for (const { url, headers } of front.upstream.seen.slice(-3))
      assert.ok(!JSON.stringify([url, headers]).includes(token.slice(0, 20)), url);
  });

  const refused = async (answer: Answer, status: number, challenge: string | undefined, what = ''): Promise<void> => {
    assert.deepEqual([answer.status, answer.headers['www-authenticate']], [status, challenge], what);
  };
  const INVALID = 'Bearer realm="api", error="invalid_token"';

  it('refuses two tokens, wherever they are, though both be right', async () => {
    const twice: readonly (readonly [headers: readonly string[], target: string])[] = [
      [[bearer(token), bearer(token)], '/'],
      [[`${bearer(token)}, Bearer ${token}`], '/'],
      [[bearer(token)], `/?access_token=${token}`],
      [[bearer(token), `Cookie: token=${token}`], '/'],
      [[`Cookie: token=${token}; token=${token}`], '/'],
      [[`Cookie: token=${token}`, `Cookie: token=${token}`], '/'],
      [[], `/?access_token=${token}&access_token=${token}`],
      [[], `/?access_token=${token}&%61ccess_token=${token}`],
    ];
    const reached = front.upstream.count();
    for (const [headers, target] of twice)
      assert.equal((await ask(headers, target)).status, 400, headers.join() || target);
    assert.equal(front.upstream.count(), reached);
  });

  it('asks for a token where there is none, without an error code', async () => {
    for (const headers of [
      [],
      ['Authorization: Bearer'],
      ['Authorization: Basic YTpi'],
      [`Authorization: Token ${token}`],
    ])
      await refused(await ask(headers), 401, 'Bearer realm="api"', headers.join());
  });

  it('refuses a right token of another audience, type or scope', async () => {
    const other = await ask([bearer(token)], '/', 'billing');
    await refused(other, 401, 'Bearer realm="api", error="invalid_token"');
    assert.equal((await ask([bearer(token)], '/', 'identity')).status, 401);
    const scope = await ask([bearer(token)], '/', 'orders', 'POST');
    assert.deepEqual(
      [scope.status, /error="insufficient_scope"/.test(scope.headers['www-authenticate'] ?? '')],
      [403, true],
    );
  });

  it('refuses whatever is not signed by the issuer with its key', async (t) => {
    const fetched: string[] = [];
    const elsewhere = createServer((request, response) => {
      fetched.push(request.url ?? '');
      response.end(JSON.stringify({ keys: [ownKey.publicKey.export({ format: 'jwk' })] }));
    });
    await once(elsewhere.listen(0, '127.0.0.1'), 'listening');
    t.after(() => elsewhere.close());
    const address = elsewhere.address();
    const evil = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const { keys } = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: webcrypto.JsonWebKey[] };
    const publicKey = createPublicKey({ key: keys[0] ?? {}, format: 'jwk' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const hmac = (key: string | Buffer) => (data: string) => createHmac('sha256', key).update(data).digest('base64url');
    const [head, payload, signature = ''] = token.split('.');
    const forgeries: Readonly<Record<string, string>> = {
      'alg none': forged({ alg: 'none' }, {}, () => ''),
      'alg None with a signature': forged({ alg: 'None' }, {}, () => signature),
      'no alg': forged({ alg: undefined }, {}, () => signature),
      'no signature': `${head}.${payload}.`,
      'HS256 with the public key as PEM': forged({ alg: 'HS256' }, {}, hmac(pem)),
      'HS256 with the public key as DER': forged(
        { alg: 'HS256' },
        {},
        hmac(publicKey.export({ type: 'spki', format: 'der' })),
      ),
      'HS256 with the empty key': forged({ alg: 'HS256', kid: '' }, {}, hmac('')),
      "somebody's key under the issuer's kid": forged({}),
      'a key in the header': forged({ jwk: ownKey.publicKey.export({ format: 'jwk' }) }),
      'a jku': forged({ jku: `${evil}/jku` }),
      'an x5u': forged({ x5u: `${evil}/x5u` }),
      'a kid that is a path': forged({ kid: '../../../../dev/null' }, {}, hmac('')),
      'a kid that is __proto__': forged({ kid: '__proto__' }),
      'a kid that is a list': forged({ kid: ['key-1'] }),
      'an unknown crit': forged({ crit: ['exp'] }, {}, () => signature),
      'b64 false': forged({ b64: false, crit: ['b64'] }, {}, () => signature),
      'claims that were changed': `${head}.${encode({ ...decode(payload), scope: 'orders:read orders:write' })}.${signature}`,
      'another issuer': forged({}, { iss: evil }),
      'a list of issuers': forged({}, { iss: [evil, provider.issuer] }),
      "the issuer's name with a slash": forged({}, { iss: `${provider.issuer}/` }),
      'a signature that was cut': token.slice(0, -4),
      'a token that was lengthened': `${token}AAAA`,
      padding: `${token}==`,
      'five parts': `${token}.a.b`,
      'a token of 20 kB': forged({}, { sub: 'x'.repeat(20_000) }),
    };
    const reached = front.upstream.count();
    for (const [what, text] of Object.entries(forgeries)) await refused(await ask([bearer(text)]), 401, INVALID, what);
    assert.deepEqual([front.upstream.count() - reached, fetched], [0, []]);
    assert.equal((await ask([bearer(token)])).status, 200);
  });

  it('refuses a token of a second issuer that uses the same kid', async (t) => {
    const other = await startOidcProvider({ audience: AUDIENCE });
    t.after(() => other.stop());
    const stranger = await other.token('orders:read');
    assert.equal(decode(stranger.split('.')[0]).kid, decode(token.split('.')[0]).kid);
    assert.equal((await ask([bearer(stranger)])).status, 401);
    const [head, payload] = token.split('.');
    const mixed = `${head}.${payload}.${stranger.split('.')[2]}`;
    assert.equal((await ask([bearer(mixed)])).status, 401);
  });

  it('follows the issuer: new keys by and by, withdrawn ones no longer', async () => {
    provider.rotate();
    const fresh = await provider.token('orders:read');
    ahead.monotonicMs += COOLDOWN_MS;
    assert.equal((await ask([bearer(fresh)])).status, 200);
    assert.equal((await ask([bearer(token)])).status, 200);
    const asked = provider.requests.length;
    for (let i = 0; i < 20; i += 1) await ask([bearer(forged({ kid: `made-up-${i}` }))]);
    assert.ok(provider.requests.length - asked <= 2, 'made-up kids made the agent ask again and again');
    provider.rotate({ forget: true });
    ahead.monotonicMs += DEFAULT_FRESH_MS + GRACE_MS;
    const newest = await provider.token('orders:read');
    assert.equal((await ask([bearer(newest)])).status, 200);
    assert.deepEqual([(await ask([bearer(token)])).status, (await ask([bearer(fresh)])).status], [401, 401]);
    token = newest;
  });

  it('goes on with the keys it has while the issuer is down, and with new ones when it is back', async () => {
    await provider.stop();
    ahead.monotonicMs += DEFAULT_FRESH_MS + GRACE_MS;
    assert.equal((await ask([bearer(token)])).status, 200);
    assert.equal((await ask([bearer(forged({ kid: 'unknown' }))])).status, 401);
    const cold = await startTestAgent(policies(provider.issuer), { 'check-timeout': '5s' }, { clock });
    await cold.ready;
    const behind = await startFront('path' in found ? found.path : '', cold.grpcAddress, { timeoutMs: 6000 });
    const askCold = (): Promise<Answer> => send(behind.port, '/', ['Host: orders.example.org', bearer(token)]);
    const down = await askCold();
    assert.deepEqual(
      [
        down.status,
        Number(down.headers['retry-after']) >= 1,
        down.headers['www-authenticate'],
        behind.upstream.count(),
      ],
      [503, true, undefined, 0],
    );
    assert.ok(!down.body.includes(provider.issuer), down.body);
    await provider.restart();
    ahead.monotonicMs += 2 * RETRY_MS;
    assert.equal((await askCold()).status, 200);
    await behind.stop();
    await cold.stop();
  });

  it('refuses a token after its end and its skew, also one that was let in a moment ago', async (t) => {
    // Without a timeout of Envoy's: gRPC reckons that one by the system's clock, which no test moves.
    const patient = await startFront('path' in found ? found.path : '', agent.grpcAddress, { timeoutMs: 0 });
    t.after(() => patient.stop());
    const get = (): Promise<Answer> => send(patient.port, '/', ['Host: orders.example.org', bearer(token)]);
    assert.equal((await get()).status, 200);
    ahead.wallMs += 630_000;
    assert.equal((await get()).status, 200);
    ahead.wallMs += 61_000;
    await refused(await get(), 401, INVALID);
  });
});
