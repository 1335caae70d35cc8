import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { KubeSourceBench, WATCHES } from './kube-source.fixture.ts';
import { schemaDigests } from './outdated-schemas.ts';

const RELIST_MS = 30 * 60_000;
const aMetadata = (name: string, namespace = 'shop') => ({
  name,
  namespace,
  uid: `uid-${name}`,
  resourceVersion: '3',
  generation: 1,
});
const aRole = { metadata: aMetadata('reader'), spec: { permissions: [{ name: 'read', allPolicies: {} }] } };
const aConsumer = {
  metadata: aMetadata('acme'),
  spec: { keys: [{ name: 'k', secretRef: { name: 'acme', key: 'plain' } }] },
};

let bench: KubeSourceBench;
async function setUp(): Promise<void> {
  bench = await KubeSourceBench.create('shop,web');
}

/** Ends a watch as an API server does that goes away. */
function cut(place: string): void {
  bench.watches.get(place)?.cut();
  bench.watches.delete(place);
}

/** Moves the clock by small steps until something holds. */
async function advanceUntil(holds: () => boolean, stepMs = 100): Promise<void> {
  for (let step = 0; !holds(); step += 1) {
    assert.ok(step < 2000, `It did not come about: ${holds.toString()}`);
    bench.timers.advance(stepMs);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a cluster as source', () => {
  beforeEach(setUp);
  afterEach(() => bench.stop());

  it('says which cluster it asks, by which context', () => {
    assert.deepEqual(bench.adapter.cluster, { apiServer: bench.url, context: 'x' });
  });

  it('says an outage once when it begins and once when it ends, and nothing of it after that', async () => {
    await bench.start();
    await bench.until(() => bench.watches.size === WATCHES);
    const said: string[] = [];
    for (let outage = 1; outage <= 2; outage += 1) {
      bench.refused.set('shop/apiroles', 503);
      cut('shop/apiroles');
      await bench.until(() => bench.adapter.problems().length === 1);
      await advanceUntil(() => bench.adapter.problems()[0] === 'apiroles shop: refused with 503');
      await advanceUntil(() => bench.troubles().length > 0);
      bench.timers.advance(60_000);
      bench.refused.clear();
      await advanceUntil(() => bench.adapter.problems().length === 0);
      said.push(...bench.troubles());
      const causes = bench.lines.splice(0).flatMap(({ why }) => why ?? []);
      assert.equal(new Set(causes).size, causes.length, `each cause is said once: ${causes.join('; ')}`);
    }
    assert.deepEqual(
      said.filter((line, index) => line !== said[index - 1]),
      ['begins apiroles shop', 'ends all', 'begins apiroles shop', 'ends all'],
    );
  });

  it('says that every request is refused while nothing was read, and what serves after that', async () => {
    bench.refused.set('shop/apiroles', 503);
    let isFirst = false;
    void bench.start().then(() => {
      isFirst = true;
    });
    await advanceUntil(() => bench.troubles().length > 0);
    bench.refused.clear();
    await advanceUntil(() => bench.watches.size === WATCHES);
    await advanceUntil(() => isFirst);
    const message = 'The API server did not answer as it should; ';
    const said = () =>
      new Set(bench.lines.splice(0).flatMap(({ message: text }) => (/API server/.test(String(text)) ? [text] : [])));
    assert.deepEqual(
      said(),
      new Set([
        `${message}until everything was read once, every request is refused`,
        'The API server answers as it should again',
      ]),
    );
    bench.refused.set('shop/apiroles', 503);
    cut('shop/apiroles');
    await advanceUntil(() => bench.troubles().length > 0);
    assert.deepEqual(said(), new Set([`${message}what is known serves`]));
  });

  it('lists again, behind the Lease by which the others know of it, all that decides whether a policy is accepted', async () => {
    await bench.start();
    const lease = bench.sequence.findIndex((asked) => /^POST .*\/leases$/.test(asked));
    assert.notEqual(lease, -1);
    const behind = new Set(bench.sequence.slice(lease).map((asked) => asked.replace(/^.*\//, '')));
    for (const plural of ['apipolicies', 'hostgrants', 'apibaselines', 'namespaces'])
      assert.ok(behind.has(plural), `${plural}: a grant that came between would be unseen behind Programmed=True`);
  });

  it('keeps the trouble of one namespace while another answers', async () => {
    bench.refused.set('shop/apiroles', 403);
    void bench.start();
    await bench.until(() => bench.watches.size === WATCHES - 1);
    assert.match(
      bench.adapter.problems().join('\n'),
      /^apiroles shop: refused with 403: kubectl -n shop create role [^\n]*$/,
    );
    bench.watches.get('web/apiroles')?.send('ADDED', { ...aRole, metadata: aMetadata('reader', 'web') });
    cut('web/apiroles');
    await advanceUntil(() => bench.watches.has('web/apiroles'));
    assert.match(
      bench.adapter.problems().join('\n'),
      /^apiroles shop: refused with 403: kubectl -n shop create role [^\n]*$/,
    );
    bench.refused.clear();
    await advanceUntil(() => bench.watches.has('shop/apiroles'));
    assert.deepEqual(bench.adapter.problems(), []);
  });

  it('says what the first snapshot waits for, and what keeps it from coming', async () => {
    bench.refused.set('shop/apiroles', 403);
    bench.refused.set('web/apiroles', 503);
    assert.equal(bench.adapter.awaited?.()?.split('\n').length, 1);
    let isFirst = false;
    void bench.start().then(() => {
      isFirst = true;
    });
    await bench.until(() => bench.watches.size === WATCHES - 2 && bench.adapter.problems().length === 2);
    assert.match(
      bench.adapter.awaited?.() ?? '',
      /^not listed yet: apiroles shop, apiroles web\napiroles shop: refused with 403: kubectl -n shop create role [^\n]*\nrefused with 503$/,
    );
    bench.refused.clear();
    bench.refused.set('/leases', 403);
    await advanceUntil(() => bench.watches.size === WATCHES);
    await bench.until(() => /^the Lease of this replica\nleases /.test(bench.adapter.awaited?.() ?? ''));
    bench.refused.clear();
    await advanceUntil(() => bench.adapter.problems().length === 0);
    await advanceUntil(() => isFirst);
  });

  it('says of a namespace that it serves by name, and that is not there, until it comes', async () => {
    bench.objects.set('shop/namespaces', [{ metadata: { ...aMetadata('shop', ''), uid: 'shop' } }]);
    await bench.start();
    const said = (): readonly unknown[] =>
      bench.lines.flatMap(({ message, namespace }) =>
        /namespace/.test(String(message)) ? [[message, ...(namespace === undefined ? [] : [namespace])]] : [],
      );
    const line =
      'There is no namespace "web", of which --namespace has policies served: name another one, or kubectl create namespace web';
    await bench.until(() => said().length > 0);
    assert.deepEqual(said(), [[line]]);
    await bench.until(() => bench.watches.has('web/namespaces'));
    const web = { metadata: { ...aMetadata('web', ''), uid: 'web', resourceVersion: '8' } };
    bench.watches.get('web/namespaces')?.send('ADDED', web);
    await bench.until(() => said().length === 2);
    assert.deepEqual(said()[1], ['A namespace that is to be served is there now', 'web']);
    bench.watches.get('web/namespaces')?.send('DELETED', { metadata: { ...web.metadata, resourceVersion: '9' } });
    await bench.until(() => said().length === 3);
    assert.deepEqual(said()[2], [line]);
  });

  it('says which class policies name that nobody has answered for, once, and to people, until somebody has', async () => {
    const policy = (more: object): object => ({
      metadata: { ...aMetadata('orders'), resourceVersion: '11' },
      spec: { className: 'postren', target: { hosts: ['api.example.org'] } },
      ...more,
    });
    bench.objects.set('shop/apipolicies', [policy({})]);
    await bench.start();
    const line =
      'One policy names the class "postren", for which no instance has written a status: shop/orders. This one serves "postern" (did you mean that?); a policy\'s class cannot be changed: delete it and make it anew, or install a release with className=postren; where there is one, add the namespace shop to "namespaces" of the release that serves the class';
    const said = (): readonly unknown[] =>
      bench.lines.flatMap(({ level, message }) => (/class/.test(String(message)) ? [[level, message]] : []));
    await advanceUntil(() => bench.adapter.problems().includes(line), 500);
    await advanceUntil(() => bench.adapter.problems().length === 1);
    assert.deepEqual(said(), [['warn', line]]);
    bench.objects.set('shop/apipolicies', [policy({ status: { conditions: [{ type: 'Accepted' }] } })]);
    await advanceUntil(() => bench.adapter.problems().length === 0, 500);
    assert.deepEqual(said().at(-1), ['info', 'Every policy is of a class that an instance has answered for']);
  });

  it('says which kind is not installed, and what to apply', async () => {
    bench.refused.set('shop/apiroles', 404);
    void bench.start();
    await bench.until(() => bench.adapter.problems().length > 0);
    assert.deepEqual(bench.adapter.problems(), [
      'apiroles shop: the API server knows no apiroles: apply deploy/crds first',
    ]);
  });

  it('forgets the trouble with a Secret once it may be read, and once nobody names it', async () => {
    bench.objects.set('shop/apiconsumers', [aConsumer]);
    bench.refused.set('shop/secrets', 403);
    await bench.start();
    const trouble = ['secrets shop/acme: refused with 403'];
    assert.deepEqual(bench.adapter.problems(), trouble);
    bench.refused.clear();
    await advanceUntil(() => bench.watches.has('shop/secrets'));
    assert.deepEqual(bench.adapter.problems(), []);
    bench.refused.set('shop/secrets', 403);
    cut('shop/secrets');
    await advanceUntil(() => bench.adapter.problems()[0] === trouble[0]);
    bench.watches.get('shop/apiconsumers')?.send('DELETED', aConsumer);
    await bench.until(() => bench.adapter.problems().length === 0);
  });

  it('forgets the trouble with its Lease once that answers', async () => {
    bench.refused.set('/leases', 403);
    await bench.start();
    await bench.until(() => bench.adapter.problems().length === 3);
    const said = (bench.adapter.problems() as string[]).map((line) =>
      line.replace(/postern-[\w-]+-(\w{8})(?=:)/, 'own'),
    );
    const account = 'AGENT_NAMESPACE-AGENT_SERVICE_ACCOUNT';
    const granting = `kubectl -n infra create role postern-leases-${account} --verb=get,list,watch,create,update,delete --resource=leases.coordination.k8s.io && kubectl -n infra create rolebinding postern-leases-${account} --role=postern-leases-${account} --serviceaccount=AGENT_NAMESPACE:AGENT_SERVICE_ACCOUNT`;
    assert.deepEqual(said.sort(), [
      `leases infra/own: refused with 403; without it no policy is said to be programmed: ${granting}`,
      `leases infra/postern-status-postern: refused with 403; without the Lease "postern-status-postern" of the namespace "infra" this instance writes no status: ${granting}`,
      `leases infra: refused with 403; without it no policy is said to be programmed: ${granting}`,
    ]);
    bench.refused.clear();
    await advanceUntil(() => bench.adapter.problems().length === 0);
    const told = bench.troubles().filter((line) => line.endsWith('postern-status-postern'));
    assert.deepEqual(told, ['begins leases infra/postern-status-postern', 'ends leases infra/postern-status-postern']);
  });

  it('says in the log of each change of a policy that is not accepted, what serves meanwhile, and when it serves', async () => {
    const open = { any: {} };
    const wrong = { when: [{ expression: 'requst.method == 1' }] };
    const policy = (generation: number, allow: object): object => ({
      metadata: { ...aMetadata('orders'), generation, resourceVersion: `1${generation}` },
      spec: {
        target: { hosts: ['api.example.org'] },
        authentication: { anonymous: {} },
        authorization: { rules: [{ name: 'all', allow }] },
      },
    });
    const said = (): readonly unknown[] =>
      bench.lines
        .map(({ level, message }) => [level, message])
        .filter(([, text]) => /APIPolicy|serves/.test(String(text)));
    bench.objects.set('shop/apipolicies', [policy(1, wrong)]);
    await bench.start();
    await bench.until(() => bench.watches.has('shop/apipolicies'));
    for (const [count, next] of [
      [1, policy(2, open)],
      [2, policy(3, wrong)],
      [
        3,
        { ...policy(3, wrong), metadata: { ...aMetadata('orders'), generation: 3, resourceVersion: '19', labels: {} } },
      ],
      [3, policy(4, wrong)],
    ] as const) {
      await bench.until(() => said().length === count);
      bench.watches.get('shop/apipolicies')?.send('MODIFIED', next);
    }
    await bench.until(() => said().length === 4);
    const why = (generation: number): string =>
      `APIPolicy/shop/orders: generation ${generation} is not accepted: spec.authorization.rules[0].allow.when[0].expression: 1:1: There is no "requst": did you mean "request"?`;
    assert.deepEqual(said(), [
      ['warn', `${why(1)}; what it claims of "api.example.org" is refused`],
      ['info', 'The newest version of a policy serves now'],
      ['warn', `${why(3)}; generation 2 goes on serving`],
      ['warn', `${why(4)}; generation 2 goes on serving`],
    ]);
  });

  it('says SchemaOutdated on the objects of a kind whose definition is another, in the log and to people, until it is mended', async () => {
    bench.objects.set('shop/apiroles', [aRole]);
    bench.objects.set('shop/apiconsumers', [{ ...aConsumer, spec: { groups: ['a'] } }]);
    bench.digests.set('apiroles.postern.dev', 'another');
    await bench.start();
    await bench.until(() => /SchemaOutdated/.test(bench.written.get('shop/apiroles/reader') ?? ''));
    await bench.until(() => bench.written.has('shop/apiconsumers/acme'));
    assert.doesNotMatch(bench.written.get('shop/apiconsumers/acme') ?? '', /SchemaOutdated/);
    const line =
      'The installed CustomResourceDefinition "apiroles.postern.dev" is of another version than this agent: apply the deploy/crds of its version';
    assert.deepEqual(bench.adapter.problems(), [line]);
    const withIt = (bench.adapter.reports?.() ?? []).filter(({ problems }) =>
      problems.some(({ reason }) => reason === 'SchemaOutdated'),
    );
    assert.deepEqual(
      withIt.map(({ object }) => object.metadata.name),
      ['reader'],
    );
    const { instances } = JSON.parse(bench.written.get('shop/apiroles/reader') ?? '') as {
      instances: readonly { conditions: readonly Record<string, unknown>[] }[];
    };
    const warning = instances[0]?.conditions.find(({ type }) => type === 'Warning');
    assert.deepEqual([warning?.status, warning?.reason, warning?.message], ['True', 'SchemaOutdated', line]);
    const logged = (): readonly unknown[] => bench.lines.flatMap(({ definitions }) => (definitions as string[]) ?? []);
    assert.deepEqual(logged(), ['apiroles.postern.dev']);
    bench.digests.set('apiroles.postern.dev', schemaDigests().get('apiroles.postern.dev') ?? '');
    bench.timers.advance(RELIST_MS);
    await bench.until(() => bench.adapter.problems().length === 0);
    await advanceUntil(() => !/SchemaOutdated/.test(bench.written.get('shop/apiroles/reader') ?? ''));
    assert.deepEqual(logged(), ['apiroles.postern.dev']);
  });

  it('takes it for no failure, and says it once, that definitions may not be read', async () => {
    bench.refused.set('customresourcedefinitions', 403);
    await bench.start();
    const said = () =>
      bench.lines.filter(({ message }) => /schemas are of this version is not known/.test(String(message)));
    await bench.until(() => said().length === 1);
    assert.deepEqual(bench.adapter.problems(), []);
  });
});

describe('the metrics of a cluster as source', () => {
  beforeEach(setUp);
  afterEach(() => bench.stop());

  it('count watches that were opened anew, of Secrets too (postern_watch_restarts_total)', async () => {
    bench.objects.set('shop/apiconsumers', [aConsumer]);
    bench.refused.set('shop/secrets', 403);
    bench.refused.set('web/apiroles', 500);
    void bench.start();
    await bench.until(() => bench.adapter.problems().length === 1);
    assert.equal(await bench.valueOf('postern_watch_restarts_total{resource="apiroles"}'), 1);
    bench.refused.delete('web/apiroles');
    await advanceUntil(() => bench.adapter.problems().some((line) => String(line).startsWith('secrets')));
    assert.ok(((await bench.valueOf('postern_watch_restarts_total{resource="secrets"}')) ?? 0) >= 1);
    assert.equal(await bench.valueOf('postern_watch_restarts_total{resource="apipolicies"}'), 0);
  });

  it('tell the silence of the quietest namespace (postern_watch_silence_seconds)', async () => {
    await bench.start();
    await bench.until(() => bench.watches.size === WATCHES);
    const silence = 'postern_watch_silence_seconds';
    // By steps: a process that is stopped for so long does not write.
    for (let step = 0; step < 80; step += 1) {
      bench.timers.advance(500);
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    bench.watches.get('web/apiroles')?.send('BOOKMARK', { metadata: { resourceVersion: '9' } });
    bench.watches.get('web/apiroles')?.send('ADDED', { ...aRole, metadata: aMetadata('seen', 'web') });
    await bench.until(() => bench.written.has('web/apiroles/seen'));
    bench.timers.advance(5000);
    assert.equal(await bench.valueOf(`${silence}{resource="apiroles"}`), 45, 'not that of web');
    assert.equal(await bench.valueOf(`${silence}{resource="secrets"}`), undefined, 'no Secret is watched');
  });

  it('count the statuses that were written, and those that were not (postern_status_writes_total)', async () => {
    bench.objects.set('shop/apiroles', [aRole]);
    bench.refused.set('/status', 422);
    await bench.start();
    await bench.until(() => bench.lines.some(({ message }) => /status could not be written/.test(String(message))));
    assert.equal(await bench.valueOf('postern_status_writes_total{result="failure"}'), 1);
    bench.refused.clear();
    bench.watches
      .get('shop/apiroles')
      ?.send('MODIFIED', { ...aRole, metadata: { ...aRole.metadata, generation: 2, resourceVersion: '9' } });
    await bench.until(() => bench.written.has('shop/apiroles/reader'));
    await bench.until(() => bench.written.size === 1);
    while ((await bench.valueOf('postern_status_writes_total{result="success"}')) !== 1)
      await new Promise((resolve) => setImmediate(resolve));
  });
});
