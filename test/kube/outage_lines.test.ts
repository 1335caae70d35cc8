import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { type Cluster, startCluster } from './cluster.ts';

describe('an outage of the API server', async () => {
  const found = await obtainKubernetes();
  let cluster: Cluster;

  before(async () => {
    if ('path' in found) cluster = await startCluster(found.path);
  });
  after(() => cluster?.stop());

  it('is one line of the log with its cause, and one when it is over, of a dozen watches and Leases', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const { api } = cluster;
    const agent = await cluster.agent();
    const said = (): readonly (readonly unknown[])[] =>
      agent.lines.flatMap(({ message, why, affects, resource }) =>
        /API server/.test(String(message)) ? [[message, why, affects, resource]] : [],
      );
    assert.deepEqual(said(), []);
    await api.kill();
    await until(() => said().length > 0);
    const [[message, why, affects] = []] = said();
    assert.equal(message, 'The API server did not answer as it should; what is known serves');
    assert.match(String(why), /^Cannot reach the API server at https:\S+: nothing listens there; is it running/);
    assert.ok(Array.isArray(affects) && affects.length > 1, String(affects));
    assert.equal(agent.reports().length, 0);
    await api.restart();
    const isOver = (): boolean => said().at(-1)?.[0] === 'The API server answers as it should again';
    await until(isOver, 60_000);
    assert.equal(said().length, 2, JSON.stringify(said()));
  });
});
