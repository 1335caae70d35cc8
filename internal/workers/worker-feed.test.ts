import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../../test/components/until.ts';
import { broken, consumerOf, FedWorld, MainWorld, policyOf } from './feed.fixture.ts';

/** A main process with a worker that was there from its first build on. */
async function aPair(...first: readonly ReturnType<typeof policyOf>[]) {
  const main = new MainWorld();
  const worker = new FedWorld();
  for (const object of first) main.feed.apply(object);
  main.feed.complete();
  await until(() => main.batches.length === 1);
  const { whole } = main.feed;
  assert.ok(whole);
  worker.take(whole);
  main.onBatch = (batch) => worker.take(batch);
  await until(() => worker.served.length === 1);
  return { main, worker };
}

const A = policyOf('shop/a', 'a.test');
const B = policyOf('shop/b', 'b.test');

describe('WorkerFeed', () => {
  it('leads a worker to what the main process has, build by build', async () => {
    const { main, worker } = await aPair(A);
    main.feed.apply(B);
    await until(() => worker.served.length === 2);
    main.feed.delete('APIPolicy', A.metadata);
    await until(() => worker.served.length === 3);
    assert.deepEqual(worker.saying, main.saying);
    assert.deepEqual(worker.served, [1, 2, 3]);
  });

  it('holds back what comes while it builds: it is the next batch, of main process and workers alike', async () => {
    const main = new MainWorld();
    let isGiven = false;
    main.secrets = () => {
      if (!isGiven) main.feed.apply(B);
      isGiven = true;
      return { reason: 'SecretNotFound', message: '' };
    };
    main.feed.apply(A);
    main.feed.apply(consumerOf('shop/c', 's'));
    main.feed.complete();
    await until(() => main.batches.length === 2);
    assert.deepEqual(
      main.batches.map(({ changes }) =>
        changes.map((change) => change.kind === 'apply' && change.object.metadata.name),
      ),
      [['a', 'c'], ['b']],
    );
    assert.deepEqual(
      main.builds.map(({ reports }) => reports.map(({ object }) => object.metadata.name)),
      [
        ['a', 'c'],
        ['a', 'b', 'c'],
      ],
    );
  });

  it('reports a build when all serve it, not before', async () => {
    const { main } = await aPair(A);
    assert.deepEqual(main.servedBuilds, []);
    main.feed.apply(B);
    await until(() => main.batches.length === 2);
    main.feed.served(1);
    assert.deepEqual(main.servedBuilds, main.builds.slice(0, 1));
    main.feed.served(2);
    assert.deepEqual(main.servedBuilds, main.builds);
  });

  it('has caught up when all serve what was given, also what came meanwhile', async () => {
    const { main } = await aPair(A);
    const told: string[] = [];
    void main.feed.caughtUp().then(() => told.push('first'));
    main.feed.apply(B);
    void main.feed.caughtUp().then(() => told.push('second'));
    await until(() => main.batches.length === 2);
    main.feed.served(1);
    await until(() => told.length === 1);
    assert.deepEqual(told, ['first']);
    main.feed.served(2);
    await until(() => told.length === 2);
    await main.feed.caughtUp();
  });

  it('waits for no build that will not come: a Namespace that says nothing new', async () => {
    const namespace = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', namespace: '', uid: 'n', generation: 1, labels: { team: 'shop' } },
    };
    const { main, worker } = await aPair(A, namespace);
    main.feed.served(1);
    main.feed.apply({ ...namespace, metadata: { ...namespace.metadata, resourceVersion: '2' } });
    await main.feed.caughtUp();
    assert.ok(main.feed.whole);
    main.feed.apply(B);
    await until(() => worker.served.length === 2);
    assert.deepEqual(worker.saying, main.saying);
  });

  it('does not hold back what may mend a build that fails, and gives workers all of it at once', async () => {
    const { main, worker } = await aPair(A);
    main.throwsFor = 1;
    main.feed.apply(B);
    await until(() => main.failures === 1);
    main.feed.delete('APIPolicy', B.metadata);
    await until(() => worker.served.length === 2);
    assert.deepEqual(worker.saying, main.saying);
    assert.equal(main.batches.at(-1)?.changes.length, 2);
  });

  it('does not say of a build that it reaches changes that were held back', async () => {
    let resume = (): void => undefined;
    const main = new MainWorld(() => new Promise((resolve) => (resume = resolve)));
    main.watched(policyOf('shop/a', 'a.test'));
    main.watched(policyOf('evil/b', 'a.test'));
    main.feed.complete();
    await until(() => main.batches.length === 1);
    // It gives up its host, so that a second build follows at once; what comes between them is in neither.
    main.onBuild = () => {
      if (main.version === 3) main.watched(policyOf('shop/new', 'new.test'));
    };
    main.watched(policyOf('evil/b', 'other.test', 2));
    await until(() => main.batches.length === 2);
    const before = main.builds.map(({ horizon, reports }) => [horizon?.policies, reports.length]);
    resume();
    await until(() => main.batches.length === 3);
    assert.deepEqual(before, [
      ['2', 2],
      ['3', 2],
      ['3', 2],
    ]);
    assert.deepEqual([main.builds.at(-1)?.horizon, main.builds.at(-1)?.reports.length], [{ policies: '4' }, 3]);
  });

  it('keeps what was found in Secrets for consumers that there are, as a tenant brings and takes them by the thousand', async () => {
    const { main, worker } = await aPair(A);
    main.secrets = () => Buffer.from('pk_first_0123456789abcdef');
    for (let round = 1; round <= 5; round += 1) {
      main.feed.apply(consumerOf(`shop/c${round}`, 's'));
      main.feed.apply(consumerOf('shop/stays', `s${round}`));
      if (round > 1) main.feed.delete('APIConsumer', { namespace: 'shop', name: `c${round - 1}` });
      await until(() => worker.served.length === round + 1);
    }
    const kept = main.answers.all.map(({ consumer, name }) => `${consumer} ${name}`).sort();
    assert.deepEqual([kept, worker.secrets.size], [['c5 s', 'stays s5'], 2]);
  });

  it('knows a key again of a consumer that was taken away and brought back in one go', async () => {
    const { main, worker } = await aPair(A);
    main.secrets = () => Buffer.from('pk_first_0123456789abcdef');
    main.feed.apply(consumerOf('shop/c', 's'));
    await until(() => worker.served.length === 2);
    main.feed.delete('APIConsumer', { namespace: 'shop', name: 'c' });
    main.feed.apply(consumerOf('shop/c', 's'));
    await until(() => worker.served.length === 3);
    assert.equal(holderOf(worker, 'pk_first_0123456789abcdef'), 'c');
  });

  it('tells a worker what builds found in Secrets, and not what came since', async () => {
    const main = new MainWorld();
    main.secrets = () => Buffer.from('pk_first_0123456789abcdef');
    main.feed.apply(A);
    main.feed.apply(consumerOf('shop/c', 's'));
    main.feed.complete();
    await until(() => main.batches.length === 1);
    main.secrets = () => Buffer.from('pk_other_0123456789abcdef');
    const worker = new FedWorld();
    const { whole } = main.feed;
    assert.ok(whole);
    worker.take(whole);
    await until(() => worker.served.length === 1);
    assert.deepEqual(
      ['pk_first_0123456789abcdef', 'pk_other_0123456789abcdef'].map((key) => [
        holderOf(main, key),
        holderOf(worker, key),
      ]),
      [
        ['c', 'c'],
        [undefined, undefined],
      ],
    );
    main.onBatch = (batch) => worker.take(batch);
    main.feed.secretChanged('shop');
    await until(() => worker.served.length === 2);
    assert.deepEqual(
      [holderOf(main, 'pk_other_0123456789abcdef'), holderOf(worker, 'pk_other_0123456789abcdef')],
      ['c', 'c'],
    );
    assert.deepEqual(
      main.answers.all.map(({ consumer }) => consumer),
      ['c'],
    );
  });
});

describe('a worker that begins later', () => {
  it('serves the last good spec that the others serve, also where no status tells of it', async () => {
    const { main, worker } = await aPair(A);
    main.feed.apply(broken(A, 2));
    await until(() => worker.served.length === 2);
    const late = new FedWorld();
    assert.ok(main.feed.whole);
    late.take(main.feed.whole);
    await until(() => late.served.length === 1);
    assert.deepEqual(late.saying, main.saying);
    assert.equal(late.builds.at(-1)?.reports[0]?.servingGeneration, 1);
  });

  it('knows a spec of before it began only until it serves: what lapses later comes back nowhere', async () => {
    const { main } = await aPair(A);
    const late = new FedWorld();
    assert.ok(main.feed.whole);
    late.take(main.feed.whole);
    const before = late.fed.recordedSpec(A.metadata.uid)?.generation;
    await until(() => late.served.length === 1);
    assert.deepEqual([before, late.fed.recordedSpec(A.metadata.uid)], [1, undefined]);
  });

  it('serves none of a policy that was never accepted, whatever its status claims', async () => {
    const forged = { ...broken(A, 2), status: { hosts: ['a.test'], accepted: { generation: 2, spec: 'x' } } };
    const { main } = await aPair(forged);
    const late = new FedWorld();
    assert.ok(main.feed.whole);
    late.take(main.feed.whole);
    await until(() => late.served.length === 1);
    assert.deepEqual(late.saying, main.saying);
    assert.equal(late.builds.at(-1)?.reports[0]?.servingGeneration, undefined);
  });

  it('gives no host to a policy that is first by name, but came second', async () => {
    const first = policyOf('zoo/z', 'x.test');
    const { main, worker } = await aPair(first);
    main.feed.apply(policyOf('abc/a', 'x.test'));
    await until(() => worker.served.length === 2);
    const late = new FedWorld();
    assert.ok(main.feed.whole);
    late.take(main.feed.whole);
    await until(() => late.served.length === 1);
    assert.deepEqual([late.saying, worker.saying], [main.saying, main.saying]);
    assert.deepEqual(late.saying?.find(({ isAccepted }) => isAccepted)?.object, 'APIPolicy/zoo/z 1');
  });

  it('begins between builds, never with half of one', async () => {
    const { main } = await aPair(A);
    main.feed.apply(B);
    const meanwhile = main.feed.whole;
    await until(() => main.batches.length === 2);
    assert.deepEqual([meanwhile, main.feed.whole?.number], [undefined, 2]);
  });

  it('takes what is left of the batches in their order, also when they come at once', async () => {
    const { main } = await aPair(A);
    const late = new FedWorld();
    assert.ok(main.feed.whole);
    late.take(main.feed.whole);
    main.onBatch = (batch) => late.take(batch);
    main.feed.apply(B);
    await until(() => main.batches.length === 2);
    main.feed.delete('APIPolicy', A.metadata);
    await until(() => late.served.length === 3);
    assert.deepEqual([late.served, late.saying], [[1, 2, 3], main.saying]);
  });
});

/** Whose key it is in the namespace "shop". */
function holderOf({ store }: FedWorld | MainWorld, key: string): string | null | undefined {
  const found = store.current?.namespaces.get('shop')?.consumers.find(key, 'm', 0);
  return typeof found === 'object' ? found.subject : undefined;
}
