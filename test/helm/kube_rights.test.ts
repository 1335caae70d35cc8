import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ApiServer, startApiServer } from '../components/api-server.ts';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { obtainedHelm, render } from './chart.ts';
import { type Exercised, excess, exerciseRights, missing } from './exercise.ts';

const obtainedKubernetes = await obtainKubernetes();

describe('the roles of a release, by the audit log of a real cluster', {
  skip: skipWithout(obtainedKubernetes) || skipWithout(obtainedHelm),
}, () => {
  let api: ApiServer;
  let exercised: readonly Exercised[];
  before(async () => {
    api = await startApiServer('path' in obtainedKubernetes ? obtainedKubernetes.path : '');
    exercised = await exerciseRights(api);
  });
  after(() => api?.stop());

  it('are given to gateways of all namespaces and of some, to sidecars and to who writes their status', () => {
    assert.deepEqual(
      exercised.map(({ account, granted }) => [account, granted.size > 0]),
      ['infra:postern', 'infra:narrow-postern', 'infra:postern-sidecars', 'shop:default'].map((account) => [
        `system:serviceaccount:${account}`,
        true,
      ]),
    );
  });

  it('grant nothing that an agent does not use', () => assert.deepEqual(excess(exercised), []));

  it('lack nothing that an agent asks for', () => assert.deepEqual(missing(exercised), []));

  it('reach no Secret beyond the namespaces that are named, and never all of them', async () => {
    const objects = await render({ secretNamespaces: ['shop'] });
    const onSecrets = objects.filter(({ rules }) => JSON.stringify(rules ?? '').includes('"secrets"'));
    assert.deepEqual(
      onSecrets.map(({ kind, metadata }) => [kind, metadata.namespace]),
      [['Role', 'shop']],
    );
  });
});
