import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { debugPages } from '../internal/app/debug-pages.ts';
import { lintFiles } from '../internal/app/lint.ts';
import { MemoryStore } from '../internal/counters/memory-store.ts';
import { conditionsOf } from '../internal/kube/conditions.ts';
import { secretLookup } from '../internal/policy/offered-secret.ts';
import { load } from './cases/run-case.ts';

const policy = (jwt: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: orders, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  authentication: {methods: [{name: sso, jwt: {audiences: [orders], ${jwt}}}]}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
`;

/** What the three places say where an author's mistakes are shown: lint, /debug/policies and the status. */
async function said(yaml: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-problems-'));
  const file = join(folder, 'orders.yaml');
  writeFileSync(file, yaml);
  const linted = await lintFiles([file], undefined).finally(() => rmSync(folder, { recursive: true }));
  const { reports } = (await load(yaml)).build;
  const pages = debugPages({
    reports: () => reports,
    version: () => 1,
    source: {
      secrets: () => secretLookup(() => 'absent'),
      start: async () => {},
      report() {},
      problems: () => [],
      stop: async () => {},
    },
    counters: new MemoryStore({ maxKeys: 1, onEvict: () => undefined }),
  });
  const { objects } = (pages.get('/debug/policies') ?? assert.fail())() as {
    objects: { problems: { path: string; message: string }[] }[];
  };
  const status = reports.flatMap((report) => conditionsOf(report, [], '2026-11-24T12:00:00Z'));
  return [
    ...linted.problems.map(({ path, message }) => `${path}: ${message}`),
    ...objects.flatMap(({ problems }) => problems.map(({ path, message }) => `${path}: ${message}`)),
    ...status.filter(({ type }) => type === 'Accepted').map(({ message }) => message),
  ];
}

describe('the problem of a URL that holds a password', () => {
  const WHY = 'must not hold a password';
  for (const [what, jwt, problem] of [
    [
      'a key set',
      'issuer: joe, jwks: {url: "https://user:secret@a.org/jwks"}',
      `spec.authentication.methods[0].jwt.jwks.url: "https://a.org/jwks" ${WHY}`,
    ],
    [
      'an issuer',
      'issuer: "https://user:secret@a.org/realms/shop"',
      `spec.authentication.methods[0].jwt.issuer: "https://a.org/realms/shop" ${WHY}`,
    ],
    [
      'what is no URL',
      'issuer: joe, jwks: {url: "https://user:se/cret@a.org/jwks"}',
      'spec.authentication.methods[0].jwt.jwks.url: "https://a.org/jwks" is not a URL',
    ],
  ] as const) {
    it(`shows none of it to lint, the debug page and the status, for ${what}`, async () => {
      assert.deepEqual(await said(policy(jwt)), [problem, problem, problem]);
    });
  }
});
