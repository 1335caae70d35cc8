import assert from 'node:assert/strict';
import { it } from 'node:test';
import { clientOf } from '../internal/core/client-address.ts';
import { type Dialect, requestOf } from '../internal/extauthz/http/dialect.ts';
import { ENVOY } from '../internal/extauthz/http/envoy-dialect.ts';
import { createHttpChecks } from '../internal/extauthz/http/http-check.ts';
import { NGINX } from '../internal/extauthz/http/nginx-dialect.ts';
import { TRAEFIK } from '../internal/extauthz/http/traefik-dialect.ts';
import { NO_SPAN } from '../internal/telemetry/tracing.ts';
import { type Loaded, load } from './cases/run-case.ts';

const TOLD = {
  [ENVOY.path]: [['host', 'api.example.org']],
  [NGINX.path]: [
    ['x-original-method', 'POST'],
    ['x-original-uri', '/'],
    ['x-original-host', 'api.example.org'],
    ['x-forwarded-proto', 'https'],
    ['x-real-ip', '192.0.2.1'],
  ],
  [TRAEFIK.path]: [
    ['x-forwarded-method', 'POST'],
    ['x-forwarded-uri', '/'],
    ['x-forwarded-host', 'api.example.org'],
    ['x-forwarded-proto', 'https'],
    ['x-forwarded-for', '192.0.2.1'],
  ],
} as Readonly<Record<string, readonly (readonly [string, string])[]>>;

const policyWith = (rules: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: p, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [${rules}]}
`;
const ALL = '{name: all, allow: {any: {}}}';
const on = (effect: string, expression: string): string =>
  `{name: when, ${effect}: {when: [{expression: ${JSON.stringify(expression)}}]}}`;

/** The reason of one answer over HTTP. */
async function ask({ engine }: Loaded, dialect: Dialect): Promise<string | undefined> {
  let reason: string | undefined;
  const check = createHttpChecks(
    {
      engine,
      observer: {
        begin: () => ({ span: NO_SPAN, startMs: 0 }),
        finish: (_observation, _request, { decision }) => {
          reason = decision.reason;
        },
      },
      maxWaiting: 1,
    },
    new Set(),
  ).get(dialect);
  await check?.(
    { method: 'POST', target: `${ENVOY.path}/`, lines: TOLD[dialect.path] ?? [], body: undefined, timeMs: 0 },
    { deadlineMs: undefined, isCancelled: () => false, metadata: undefined },
  );
  return reason;
}

const UNTOLD = [
  [ENVOY, ['content-length', 'content-type', 'transfer-encoding', 'x-envoy-internal']],
  [NGINX, ['content-length', 'expect', 'x-real-ip', 'x-original-uri', 'upgrade']],
  [TRAEFIK, ['content-length', 'x-forwarded-uri', 'te']],
] as const;

for (const [dialect, names] of UNTOLD) {
  it(`a deny on a header that ${dialect.path} is not told of refuses, and an allow grants nothing`, async () => {
    for (const name of names) {
      for (const expression of [
        `request.headers['${name}'] == 'evil'`,
        `'${name}' in request.headers`,
        `'evil' in request.headerValues['${name}']`,
        `request.headers.exists(name, name == '${name}')`,
      ]) {
        const denied = await load(policyWith(`${ALL}, ${on('deny', expression)}`));
        assert.equal(await ask(denied, dialect), 'expression_error', expression);
        const allowed = await load(policyWith(on('allow', expression.replace("== 'evil'", '== null'))));
        assert.equal(await ask(allowed, dialect), 'expression_error', expression);
      }
    }
  });

  it(`a credential in a header that ${dialect.path} is not told of passes to no upstream, and no address is read of one`, async () => {
    let taken = 0;
    for (const name of names) {
      const message = { method: 'POST', target: `${ENVOY.path}/`, lines: TOLD[dialect.path] ?? [] };
      const request = requestOf(dialect, { ...message, body: undefined, timeMs: 0 });
      assert.deepEqual(clientOf({ kind: 'header', name }, request), { address: null, network: null }, name);
      const methods = `{methods: [{name: keys, apiKey: {from: [{header: ${name}}]}}], anonymous: {}}`;
      const taking = policyWith(ALL).replace('authentication: {anonymous: {}}', `authentication: ${methods}`);
      const loaded = await load(taking);
      // Of some no credential is taken at all.
      if (loaded.newest().reports[0]?.isAccepted !== true) continue;
      taken += 1;
      // Envoy removes whatever is listed, sent or not.
      assert.equal(await ask(loaded, dialect), dialect === ENVOY ? 'allowed' : 'edit_unsupported', name);
      const keyed = await load(taking.replace(', anonymous: {}', ''));
      assert.equal(await ask(keyed, dialect), 'credential_missing', name);
    }
    assert.ok(taken > 0);
  });

  it(`a rule on a header that ${dialect.path} is told of reads it, also where it is absent`, async () => {
    for (const name of ['x-role', 'host', 'user-agent']) {
      const loaded = await load(policyWith(`${ALL}, ${on('deny', `request.headers['${name}'] != null`)}`));
      assert.equal(await ask(loaded, dialect), 'allowed', name);
    }
  });
}
