import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProblemList } from '../core/problem.ts';
import { compileLabelSelector } from '../match/label-selector.ts';
import { compilePathTemplates } from '../match/path-template.ts';
import { type Assignment, assignHosts, type Candidate } from './assign.ts';
import { claimedTarget } from './claimed-target.ts';
import type { CompiledCluster } from './cluster-objects.ts';
import { type CompiledPolicy, STRICT } from './compiled-policy.ts';
import { GrantedClaims } from './granted-claims.ts';
import { HostGrants } from './host-grants.ts';
import { lapseClaims } from './lapsed-claims.ts';
import { comparable } from './too-many-pairs.ts';

const HOST = 'api.example.org';
const meta = (namespace: string, name: string) => ({ name, namespace, uid: `${namespace}/${name}`, generation: 1 });

/** As much of a compiled policy as its target. */
function asking(paths: readonly string[], hosts: readonly string[] = [HOST]): CompiledPolicy {
  const { templates } = claimedTarget({ target: { paths } });
  const matcher = compilePathTemplates(paths, STRICT, new ProblemList());
  return { target: { hosts, routes: [], templates, paths: matcher, pathOptions: STRICT } } as unknown as CompiledPolicy;
}

const candidate = (namespace: string, name: string, newest: CompiledPolicy, accepted?: CompiledPolicy): Candidate => ({
  meta: meta(namespace, name),
  newest,
  accepted,
  lapsed: undefined,
  isLapseOnlyTold: false,
  isRestored: false,
  isAudit: false,
  claimed: claimedTarget(undefined),
  recordedHosts: new Set(),
  isRecordedNewest: false,
});

/** Everybody is granted every host below example.org. */
const ALL: CompiledCluster = {
  grants: [
    {
      meta: meta('', 'all'),
      spec: { hosts: ['*.example.org'], paths: ['/**'], namespaceSelector: {} },
      selects: compileLabelSelector({}),
    },
  ],
  baselines: [],
  labelsOf: () => ({}),
  reports: [],
  version: 1,
};

async function assigned(
  given: readonly Candidate[],
  areSettled: boolean,
): Promise<readonly (Assignment | undefined)[]> {
  const breathe = () => undefined;
  const grants = await HostGrants.of(ALL, breathe);
  const lapsed = await lapseClaims(grants, given, { isFirst: false, breathe });
  const found = await assignHosts(given, () => new GrantedClaims({ grants, lapsed, areSettled }), breathe);
  return given.map((one) => found.get(one));
}

describe('GrantedClaims', () => {
  it('compares claims of one namespace with a bounded number of others, so that it delays no build for all', async () => {
    const bank = Array.from({ length: 2000 }, (_, i) => asking(Array.from({ length: 12 }, (_, k) => `/a${i}-${k}/x`)));
    const evil = ['/first/y', ...Array.from({ length: 30 }, (_, i) => `/{any}/y${i}`), '/last/y'];
    const given = [
      ...bank.map((policy, i) => candidate('bank', `p${i}`, policy, policy)),
      ...evil.map((path, i) => candidate('evil', `p${i}`, asking([path]))),
    ];
    for (const areSettled of [false, true]) {
      const found = await assigned(given, areSettled);
      assert.ok(
        found.slice(0, 2000).every((one) => one?.serving !== undefined),
        'all that served before goes on',
      );
      assert.deepEqual(
        found.slice(2000).map((one) => one?.serving !== undefined),
        evil.map((path) => path === '/first/y'),
      );
      assert.deepEqual(
        found.at(-1)?.problems.map(({ reason, message }) => [reason, message.replace(/"[^"]*"/g, '…')]),
        [
          [
            'HostConflict',
            'Other namespaces hold so much beside … of … that it was not compared with all of it, and what is not compared is not given: begin paths with literal segments of your own, and make several policies of one that has many',
          ],
        ],
      );
    }
  });

  it('compares nothing anew that a policy has already, so that no neighbour keeps a revocation from serving', async () => {
    const paths = Array.from({ length: 32 }, (_, i) => [`/v1/orders/{id}/a${i}`, `/v1/orders/{id}/b${i}/{x}`]).flat();
    const accepted = asking(paths);
    const given = (newest: CompiledPolicy) => [
      candidate('bank', 'p', newest, accepted),
      ...Array.from({ length: 50 }, (_, i) => {
        const policy = asking(Array.from({ length: 64 }, (_, k) => `/v1/orders/e${i}-${k}/x`));
        return candidate('evil', `p${i}`, policy, policy);
      }),
    ];
    const same = asking(paths);
    const [found] = await assigned(given(same), true);
    assert.deepEqual([found?.serving === same, found?.problems], [true, []]);
    const fewer = asking(paths.slice(7));
    const [less] = await assigned(given(fewer), true);
    assert.deepEqual([less?.serving === fewer, less?.problems], [true, []]);
    const more = asking([...paths.slice(1), '/v1/orders/e7-7/{x}']);
    const [refused] = await assigned(given(more), true);
    assert.deepEqual(
      [refused?.serving === accepted, refused?.problems.map(({ message }) => message)],
      [
        true,
        [
          `"/v1/orders/e7-7/{x}" of "${HOST}" overlaps what another namespace holds, or is recorded to have held: use hosts or paths of your own`,
        ],
      ],
    );
  });

  it('takes from nobody what served, for a neighbour who claims more beside it than is compared', async () => {
    const bank = asking(
      Array.from({ length: 64 }, (_, i) => `/bank/a${i}`),
      ['*.example.org'],
    );
    const evil = Array.from({ length: 52 }, (_, i) =>
      asking(
        ['/evil/**'],
        Array.from({ length: 64 }, (_, k) => `h${i}-${k}.example.org`),
      ),
    );
    const given = [
      ...evil.map((policy, i) => candidate('evil', `p${i}`, policy, policy)),
      candidate('bank', 'p', bank, bank),
    ];
    for (const areSettled of [true, false]) {
      const found = await assigned(given, areSettled);
      assert.deepEqual(
        found.map((one) => [one?.serving !== undefined, one?.problems]),
        given.map(() => [true, []]),
      );
    }
  });

  it('refuses a policy by itself that is too large to compare, and does not let go of its hosts', async () => {
    const hosts = Array.from({ length: 64 }, (_, i) => `h${i}.a.b.c.d.e.f.g.h.example.org`);
    const paths = Array.from({ length: 64 }, (_, i) => `/v1/p${i}`);
    const large = candidate('shop', 'large', asking(paths, hosts));
    const [found] = await assigned(
      [comparable({ ...large, claimed: claimedTarget({ target: { hosts, paths } }) })],
      false,
    );
    assert.deepEqual(found?.problems, [
      {
        reason: 'Invalid',
        path: 'spec.target',
        message:
          'The labels of its hosts times its paths are 45056, and at most 40000 are compared with others: make two policies of it',
        severity: 'error',
      },
    ]);
    assert.equal(found.serving, undefined);
    assert.deepEqual(
      found.places.map(({ host, templates }) => [host, ...templates.map(({ source }) => source)]),
      hosts.map((host) => [host, '/v1/**']),
    );
  });

  it('holds any number of hosts by one path, for nothing less could be claimed of them', async () => {
    const hosts = Array.from({ length: 5000 }, (_, i) => `h${i}.a.b.c.d.e.f.example.org`);
    const paths = ['/v1/a', '/v1/b'];
    const broken = { ...candidate('shop', 'large', asking(paths)), newest: undefined };
    const [found] = await assigned(
      [comparable({ ...broken, claimed: claimedTarget({ target: { hosts, paths } }) })],
      false,
    );
    assert.equal(found?.places.length, 5000);
  });
});
