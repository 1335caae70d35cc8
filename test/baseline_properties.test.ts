import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { type CaseRequest, type Instance, load } from './cases/run-case.ts';

const CASES = join(import.meta.dirname, 'cases');
const RUNS = 2;

interface CaseFile {
  readonly instance?: Instance;
  readonly objects: string;
  readonly cases: readonly {
    readonly apply?: string;
    readonly after?: number;
    readonly times?: number;
    readonly request?: CaseRequest;
  }[];
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];
const PATHS = ['/**', '/a/**', '/v1/**', '/admin', '/orders/{id}'];
const CONDITIONS = [
  "request.method == 'GET'",
  "request.path == '/a'",
  "identity.kind == 'anonymous'",
  "request.query.a == '1'",
  "request.headers['x-a'] == 'b'",
  "request.body.a == '1'",
  "identity.claims.sub == 'acme'",
  "client.address == '192.0.2.1'",
];
const some = (from: readonly string[]) => fc.uniqueArray(fc.constantFrom(...from), { minLength: 1, maxLength: 3 });
const deny = fc
  .record(
    {
      methods: some(METHODS),
      paths: some(PATHS),
      cidrs: fc.constant(['192.0.2.0/25']),
      when: some(CONDITIONS).map((all) => all.map((expression) => ({ expression }))),
    },
    { requiredKeys: [] },
  )
  .filter((criteria) => Object.keys(criteria).length > 0);
const limit = fc.record({
  stage: fc.constantFrom('BeforeAuthentication', 'AfterAuthentication'),
  key: fc.constantFrom([], [{ expression: 'request.method' }], [{ expression: 'client.network', missing: 'Deny' }]),
  requests: fc.integer({ min: 1, max: 5 }),
});
const override = fc
  .record(
    {
      authorization: fc.array(deny, { minLength: 1, maxLength: 3 }).map((rules) => ({
        rules: rules.map((criteria, index) => ({ name: `r${index}`, deny: criteria })),
      })),
      rateLimits: fc.array(limit, { minLength: 1, maxLength: 2 }).map((limits) =>
        limits.map(({ requests, ...rest }, index) => ({
          name: `l${index}`,
          ...rest,
          rates: [{ requests, window: '1h', algorithm: 'FixedWindow' }],
        })),
      ),
      require: fc.constantFrom(
        { tls: {} },
        { authentication: {} },
        { authentication: { publicPathsWithin: ['/a/**'] } },
      ),
    },
    { requiredKeys: [] },
  )
  .filter((overrides) => Object.keys(overrides).length > 0);

const baseline = (overrides: object): string =>
  `\n---\n${JSON.stringify({
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIBaseline',
    metadata: { name: 'generated' },
    spec: { namespaceSelector: {}, overrides },
  })}\n`;

/** What a file's requests come to, one after the other. */
async function decisionsOf(
  file: CaseFile,
  objects: string,
): Promise<readonly (readonly [outcome: string, reason: string])[]> {
  const loaded = await load(objects, file.instance);
  const decisions: [string, string][] = [];
  for (const { apply, after = 0, times = 1, request = {} } of file.cases) {
    if (apply !== undefined) await loaded.apply(apply);
    loaded.clock.nowMs += after;
    for (let i = 0; i < times; i += 1) {
      const { outcome, reason } = (await loaded.check(request)).decision;
      decisions.push([outcome, reason]);
    }
  }
  return decisions;
}

describe('adding an override never lets more in', () => {
  for (const name of readdirSync(CASES).filter((file) => file.endsWith('.yaml'))) {
    it(`in the cases of ${name}`, async () => {
      const file = parse(readFileSync(join(CASES, name), 'utf8')) as CaseFile;
      const free = await decisionsOf(file, file.objects);
      await fc.assert(
        fc.asyncProperty(override, async (overrides) => {
          const held = await decisionsOf(file, file.objects + baseline(overrides));
          for (const [index, [outcome, reason]] of held.entries()) {
            const [before, why] = free[index] ?? [];
            // What an override refuses takes nothing from a policy's own limit: that one lets others in instead.
            if (outcome !== 'allow' || before === 'allow' || why === 'rate_limited') continue;
            assert.fail(`case ${index} was refused as ${why}, and is ${reason} by ${JSON.stringify(overrides)}`);
          }
        }),
        { numRuns: RUNS, seed: 20_261_127 },
      );
    });
  }
});

/** Requests to one policy that lets in what its rules say. */
const request = fc.record({
  method: fc.constantFrom(...METHODS),
  path: fc.constantFrom('/', '/a', '/A/b', '/admin', '/orders/1', '/orders/1?a=1', '//a', '/a%2fb'),
  headers: fc.constantFrom({}, { 'x-a': 'b' }, { 'x-a': ['b', 'c'] }),
  body: fc.constantFrom(undefined, '{"a":"1"}', '{"a":"1","a":"2"}'),
  tls: fc.boolean(),
});
const policyOf = (mode: string, spec: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: p, namespace: shop}
spec: {mode: ${mode}, target: {hosts: [api.example.org]}, ${spec}}
`;
const SPECS = [
  'authentication: {anonymous: {}}, authorization: {rules: [{name: all, allow: {any: {}}}]}',
  'authentication: {methods: [{name: k, apiKey: {}}]}, authorization: {rules: [{name: all, allow: {methods: [GET]}}]}',
  'public: [{name: p, methods: [GET], paths: ["/a/**"]}]',
  'authorization: {rules: [{name: r, deny: {when: [{expression: "wrong"}]}}]}',
];

it('what two overrides let in each of them lets in by itself, in every mode and for whatever policy', async () => {
  const policies = fc.tuple(fc.constantFrom('Enforce', 'Audit'), fc.constantFrom(...SPECS));
  await fc.assert(
    fc.asyncProperty(
      policies,
      override,
      override,
      fc.array(request, { minLength: 1, maxLength: 6 }),
      async ([mode, spec], one, two, requests) => {
        const file: CaseFile = {
          instance: { bodies: 'forwarded' },
          objects: '',
          cases: requests.map((given) => {
            const { body, ...rest } = given;
            return { request: body === undefined ? rest : { ...rest, body, bodyMark: 'false' } };
          }),
        };
        const policy = policyOf(mode, spec);
        const other = baseline(two).replace('generated', 'another');
        const both = await decisionsOf(file, policy + baseline(one) + other);
        for (const alone of [policy, policy + baseline(one), policy + other]) {
          const decisions = await decisionsOf(file, alone);
          for (const [index, [outcome]] of both.entries())
            if (outcome === 'allow' && decisions[index]?.[1] !== 'rate_limited')
              assert.equal(
                decisions[index]?.[0],
                'allow',
                `request ${index} of ${JSON.stringify(requests)} by ${alone}`,
              );
        }
      },
    ),
    { numRuns: 60, seed: 5 },
  );
});
