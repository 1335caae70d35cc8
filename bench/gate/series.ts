import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { request } from 'undici';
import { callRaw, closeClients, encodeCheck } from '../../test/door/client.ts';
import type { Figure } from '../figures.ts';
import { startPostern } from '../servers.ts';

const CHECKS = 100_000;
/** Few enough that none comes too late: that is another reason, and so another series. */
const AT_ONCE = 40;
const ISSUER = 'https://issuer.example.org';

/** One policy whose callers are as many as they like, and one for whatever host they name. */
const policies = (secret: Uint8Array): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: callers}
spec:
  target: {hosts: [api.example.org, "*.example.org"]}
  authentication:
    anonymous: {}
    methods:
      - name: sso
        jwt:
          issuer: ${ISSUER}
          audiences: [api]
          algorithms: [HS256]
          jwks: {inline: '{"keys": [{"kty": "oct", "alg": "HS256", "k": "${Buffer.from(secret).toString('base64url')}"}]}'}
  authorization: {rules: [{name: all, allow: {any: {}}}, {name: few, deny: {methods: [DELETE]}}]}
  rateLimits: [{name: each, stage: AfterAuthentication, key: [{expression: identity.id}], rates: [{requests: 10, window: 1h}]}]
`;

async function seriesOf(admin: string): Promise<ReadonlySet<string>> {
  const { body } = await request(`http://${admin}/metrics`);
  // Node tells of its spaces and resources as it comes to use them; no client chooses these.
  const lines = (await body.text()).split('\n').filter((line) => line.startsWith('postern_'));
  return new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' '))));
}

/** A check that has nothing in common with any other: path, host, method and subject. */
async function check(index: number, secret: Uint8Array): Promise<Buffer> {
  const token = await new SignJWT({ iss: ISSUER, aud: 'api', sub: `user-${index}` })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(secret);
  return encodeCheck({
    host: `h${index}.example.${index % 2 === 0 ? 'org' : 'test'}`,
    method: `M${index}`,
    path: `/p/${index}`,
    headers: { authorization: `Bearer ${token}` },
  });
}

/** Metric series that distinct requests add. */
export async function measureSeries(say: (line: string) => void): Promise<Figure[]> {
  const secret = randomBytes(32);
  // A check that comes too late on a busy machine has a reason, and so a series, of its own.
  const server = await startPostern(policies(secret), ['--check-timeout', '10s']);
  // What an allow and a refusal add by themselves comes first.
  for (let i = 0; i < 4; i += 1) await callRaw(server.target, await check(CHECKS + i, secret));
  const before = await seriesOf(server.admin);
  for (let start = 0; start < CHECKS; start += AT_ONCE) {
    const batch = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => check(start + i, secret)));
    await Promise.all(batch.map((bytes) => callRaw(server.target, bytes)));
    if (start % 20_000 === 0) say(`  ${start} checks`);
  }
  const added = [...(await seriesOf(server.admin))].filter((series) => !before.has(series));
  closeClients();
  await server.stop();
  return [
    {
      key: 'series_growth',
      value: added.length,
      unit: 'series',
      bar: '0',
      note: `${CHECKS} checks with distinct paths, hosts, methods and subjects; ${before.size} series before${added.map((name) => `; added ${name}`).join('')}`,
    },
  ];
}
