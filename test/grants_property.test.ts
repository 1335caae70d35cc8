import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { type Loaded, load } from './cases/run-case.ts';

const NAMESPACES = ['one', 'two', 'three'];
const HOSTS = ['a.x.test', 'b.x.test', 'a.b.x.test', '*.x.test', '*.b.x.test', 'y.test'];
const SEGMENTS = ['s', 't', 'u'];

const path = fc
  .tuple(fc.array(fc.constantFrom('s', 't', '{p}'), { maxLength: 3 }), fc.boolean())
  .map(([segments, isOpen]) => {
    const named = segments.map((segment, index) => (segment === '{p}' ? `{p${index}}` : segment));
    return `/${[...named, ...(isOpen ? ['**'] : [])].join('/')}`;
  });
const hosts = fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 3 });
const paths = fc.uniqueArray(path, { minLength: 1, maxLength: 3 });
const grant = fc.record({
  hosts,
  paths,
  to: fc.uniqueArray(fc.constantFrom(...NAMESPACES), { minLength: 1, maxLength: 2 }),
});
const policy = fc.record({ namespace: fc.constantFrom(...NAMESPACES), hosts, paths });
/** Often what somebody is granted, or a part of it, is what somebody claims. */
const claim = fc.oneof(
  { weight: 1, arbitrary: policy.map((asked) => (): Policy => asked) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(), fc.nat(), fc.option(policy, { freq: 3 }))
      .map(([whose, which, other]) => (grants: readonly Grant[]): Policy => {
        const { to, ...asked } = grants[whose % grants.length] as Grant;
        const one = <T>(all: readonly T[]): T => all[which % all.length] as T;
        return { namespace: other?.namespace ?? one(to), hosts: [one(asked.hosts)], paths: asked.paths };
      }),
  },
);
type Grant = typeof grant extends fc.Arbitrary<infer T> ? T : never;
type Policy = typeof policy extends fc.Arbitrary<infer T> ? T : never;

const grantOf = ({ to, ...spec }: Grant, index: number): string =>
  stringify({
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'HostGrant',
    metadata: { name: `g${index}` },
    spec: {
      ...spec,
      namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: to }] },
    },
  });

const policyOf = ({ namespace, ...target }: Policy, index: number): string =>
  stringify({
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIPolicy',
    metadata: { name: `p${index}`, namespace },
    spec: {
      target,
      authentication: { anonymous: {} },
      authorization: { rules: [{ name: 'all', allow: { any: {} } }] },
    },
  });

const labelsIn = (host: string): number => host.split('.').length + (host.startsWith('*.') ? -1 : 1000);
const coversHost = (pattern: string, host: string): boolean =>
  pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : pattern === host;

function coversPath(template: string, segments: readonly string[]): boolean {
  const parts = template === '/' ? [] : template.slice(1).split('/');
  const isOpen = parts.at(-1) === '**';
  const fixed = isOpen ? parts.slice(0, -1) : parts;
  if (isOpen ? segments.length < fixed.length : segments.length !== fixed.length) return false;
  return fixed.every((part, index) => part.startsWith('{') || part === segments[index]);
}

/** `0` for a literal, `1` for one segment, `2` for all that follow, `3` where there is nothing more. */
const rankOf = (template: string): string =>
  (template === '/' ? [] : template.slice(1).split('/'))
    .map((part) => (part === '**' ? '2' : part.startsWith('{') ? '1' : '0'))
    .join('');

/** Who is granted a path of a host: told by looking at all grants, without any index. */
function owners(grants: readonly Grant[], host: string, segments: readonly string[]): ReadonlySet<string> {
  const covering = grants.flatMap(({ to, hosts: granted, paths: templates }) =>
    granted
      .filter((pattern) => coversHost(pattern, host))
      .flatMap((pattern) =>
        templates.filter((template) => coversPath(template, segments)).map((template) => ({ pattern, template, to })),
      ),
  );
  const longest = Math.max(...covering.map(({ pattern }) => labelsIn(pattern)));
  const ofHost = covering.filter(({ pattern }) => labelsIn(pattern) === longest);
  const best = ofHost.map(({ template }) => rankOf(template)).sort()[0];
  return new Set(ofHost.filter(({ template }) => rankOf(template) === best).flatMap(({ to }) => to));
}

/** Requests that some policy governed. */
let governed = 0;

async function governedWrongly(agent: Loaded, grants: readonly Grant[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const host of ['a.x.test', 'b.x.test', 'a.b.x.test', 'z.b.x.test', 'z.x.test', 'y.test']) {
    for (const segments of REQUESTS) {
      const target = `/${segments.join('/')}`;
      const { decision } = await agent.check({ host, path: target });
      if (decision.policy === undefined) continue;
      governed += 1;
      if (!owners(grants, host, segments).has(decision.policy.namespace))
        wrong.push(`${host}${target} by ${decision.policy.namespace}`);
    }
  }
  return wrong;
}

const REQUESTS = SEGMENTS.flatMap((a) => [
  [a],
  ...SEGMENTS.flatMap((b) => [[a, b], ...SEGMENTS.map((c) => [a, b, c])]),
]).concat([[]]);

it('no request is governed by a policy of a namespace to which its host and path are not granted (property)', async () => {
  const given = fc.record({
    grants: fc.array(grant, { minLength: 1, maxLength: 5 }),
    claims: fc.array(claim, { minLength: 1, maxLength: 6 }),
    later: fc.array(grant, { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(given, async ({ grants, claims, later }) => {
      const policies = claims.map((claimed) => claimed(grants));
      const agent = await load([...grants.map(grantOf), ...policies.map(policyOf)].join('---\n'), {
        hostGrants: 'required',
      });
      assert.deepEqual(await governedWrongly(agent, grants), []);
      // Grants that change: some are other ones now, others are gone.
      const changed = grants.map((one, index) => later[index] ?? one);
      const gone = grants.length > later.length + 1 ? [`HostGrant/g${grants.length - 1}`] : [];
      await agent.apply(changed.map(grantOf).join('---\n'));
      if (gone.length > 0) await agent.remove(gone);
      assert.deepEqual(await governedWrongly(agent, gone.length > 0 ? changed.slice(0, -1) : changed), []);
    }),
    { numRuns: 150 },
  );
  assert.ok(governed > 2000, `only ${governed} requests were governed at all`);
});
