import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ApiServer, startApiServer } from './api-server.ts';
import { skipWithout } from './cache.ts';
import { KUBERNETES_VERSION, obtainKubernetes } from './kubernetes.ts';

const found = await obtainKubernetes();
const binaries = 'path' in found ? found.path : '';
const SECRETS = '/api/v1/namespaces/default/secrets';
const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';

describe('a real API server', { skip: skipWithout(found) }, () => {
  let api: ApiServer;
  before(async () => {
    api = await startApiServer(binaries, [['a-token', 'someone']]);
  });
  after(() => api?.stop());

  it('is the version that was asked for', async () => {
    const { body } = await api.call('GET', '/version');
    assert.equal((body as { gitVersion: string }).gitVersion, `v${KUBERNETES_VERSION}`);
  });

  it('takes objects from kubectl, and says why not', async () => {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { key: 'value' } };
    const applied = await api.kubectl(['apply', '-f', '-'], JSON.stringify(map));
    assert.deepEqual(applied, { code: 0, stdout: 'configmap/a created\n', stderr: '' });
    const refused = await api.kubectl(['apply', '-f', '-'], JSON.stringify({ ...map, dta: {} }));
    assert.deepEqual([refused.code, /unknown field "dta"/.test(refused.stderr)], [1, true]);
  });

  it('gives a user no right but those that are bound', async () => {
    const status = async (token: string): Promise<number> =>
      (await api.call('GET', SECRETS, undefined, { token })).status;
    const added = api.addToken('agent', ['agents']);
    assert.deepEqual([await status('a-token'), await status(added.token), await status('wrong')], [403, 403, 401]);
    await api.kubectl(['create', 'role', 'r', '--verb=list', '--resource=secrets']);
    await api.kubectl(['create', 'rolebinding', 'r', '--role=r', '--group=agents']);
    const bound = await api.kubectl(['get', 'secrets', '--kubeconfig', added.kubeconfig]);
    assert.deepEqual([bound.code, await status('a-token')], [0, 403]);
  });

  it('knows a token no more that was revoked', async () => {
    const added = api.addToken('visitor');
    const review = async (): Promise<unknown> => {
      const { body } = await api.call('POST', REVIEWS, { spec: { token: added.token } });
      return (body as { status: { authenticated?: boolean } }).status.authenticated;
    };
    added.revoke();
    assert.equal(await review(), undefined);
  });

  it('comes back on the same port with the same objects after a crash', async () => {
    await api.kubectl(['create', 'namespace', 'kept']);
    await api.kill();
    assert.notEqual((await api.kubectl(['get', 'namespaces'])).code, 0);
    await api.restart();
    assert.equal((await api.kubectl(['get', 'namespace', 'kept'])).code, 0);
  });
});

describe('startApiServer()', () => {
  it('says why a program does not start, and leaves nothing', async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'postern-empty-'));
    const { TMPDIR } = process.env;
    t.after(() => {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
      rmSync(root, { recursive: true });
    });
    process.env.TMPDIR = root;
    await assert.rejects(startApiServer('/no/such/folder'), /ENOENT/);
    assert.deepEqual(readdirSync(root), []);
  });
});
