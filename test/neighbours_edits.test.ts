import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Dialect, requestOf } from '../internal/extauthz/http/dialect.ts';
import { createHttpChecks } from '../internal/extauthz/http/http-check.ts';
import { NGINX } from '../internal/extauthz/http/nginx-dialect.ts';
import { TRAEFIK } from '../internal/extauthz/http/traefik-dialect.ts';
import { isOfProxies } from '../internal/policy/own-headers.ts';
import { NO_SPAN } from '../internal/telemetry/tracing.ts';
import { type Loaded, load } from './cases/run-case.ts';

const GRANTS = `
apiVersion: postern.dev/v1alpha1
kind: HostGrant
metadata: {name: shop}
spec: {hosts: [api.example.org], paths: [/shop/**], namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}
---
apiVersion: postern.dev/v1alpha1
kind: HostGrant
metadata: {name: pay}
spec: {hosts: [api.example.org], paths: [/pay/**], namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: pay}}}
`;
const policy = (namespace: string, response: string): string => `---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api, namespace: ${namespace}}
spec:
  target: {hosts: [api.example.org], paths: [/${namespace}/**]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
  ${response}
`;
const setting = (name: string): string =>
  `response: {upstreamHeaders: [{name: ${name}, value: {expression: "'the team of pay'"}}]}`;

const TOLD: ReadonlyMap<Dialect, readonly (readonly [string, string])[]> = new Map([
  [
    NGINX,
    [
      ['x-original-method', 'GET'],
      ['x-original-uri', '/shop/x'],
      ['x-original-host', 'api.example.org'],
      ['x-forwarded-proto', 'https'],
      ['x-real-ip', '192.0.2.1'],
    ],
  ],
  [
    TRAEFIK,
    [
      ['x-forwarded-method', 'GET'],
      ['x-forwarded-uri', '/shop/x'],
      ['x-forwarded-host', 'api.example.org'],
      ['x-forwarded-proto', 'https'],
      ['x-forwarded-for', '192.0.2.1'],
    ],
  ],
]);

/** The reason of one answer to a request for the path of `shop`, which carries these headers too. */
async function ask({ engine }: Loaded, dialect: Dialect, sent: readonly string[] = []): Promise<string | undefined> {
  let reason: string | undefined;
  const observer = {
    begin: () => ({ span: NO_SPAN, startMs: 0 }),
    finish: (
      _observation: unknown,
      _request: unknown,
      { decision }: { readonly decision: { readonly reason: string } },
    ) => {
      reason = decision.reason;
    },
  };
  const check = createHttpChecks({ engine, observer, maxWaiting: 1 }, new Set()).get(dialect);
  const lines = [...(TOLD.get(dialect) ?? []), ...sent.map((name) => [name, 'forged'] as const)];
  await check?.(
    { method: 'GET', target: '/', lines, body: undefined, timeMs: 0 },
    { deadlineMs: undefined, isCancelled: () => false, metadata: undefined },
  );
  return reason;
}

for (const [dialect] of TOLD) {
  it(`over ${dialect.path} a header that only a neighbour sets puts out no request that does not carry it`, async () => {
    const loaded = await load(GRANTS + policy('shop', '') + policy('pay', setting('x-tenant')), {
      hostGrants: 'required',
    });
    assert.equal(await ask(loaded, dialect), 'allowed');
    assert.equal(await ask(loaded, dialect, ['x-other']), 'allowed');
    assert.equal(await ask(loaded, dialect, ['x-tenant']), 'edit_unsupported', 'the upstream would take it for theirs');
    assert.equal(await ask(loaded, dialect, ['x_tenant']), 'edit_unsupported', 'so would one that reads as CGI does');
    const kept = await load(
      GRANTS + policy('shop', 'response: {keepHeaders: [x-tenant]}') + policy('pay', setting('x-tenant')),
      { hostGrants: 'required' },
    );
    assert.equal(await ask(kept, dialect, ['x-tenant']), 'allowed');
  });

  it(`over ${dialect.path} nobody can set a header of which the door is not told, which would put all others out`, async () => {
    const { headers } = requestOf(dialect, {
      method: 'GET',
      target: '/',
      lines: TOLD.get(dialect) ?? [],
      body: undefined,
      timeMs: 0,
    });
    assert.ok(headers.untold.size > 5);
    assert.deepEqual(
      [...headers.untold].filter((name) => !isOfProxies(name)),
      [],
    );
    for (const name of headers.untold) {
      const loaded = await load(GRANTS + policy('shop', '') + policy('pay', setting(name)), { hostGrants: 'required' });
      assert.equal(await ask(loaded, dialect), 'allowed', name);
      const [told] = loaded.newest().reports.filter(({ object }) => object.metadata.namespace === 'pay');
      assert.equal(told?.isAccepted, false, name);
    }
  });
}
