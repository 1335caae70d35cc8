import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { issue } from '../../test/door/certificates.ts';
import { closeConnections, type KubeConfig, kubeCall, loadKubeConfig } from './client.ts';
import { type Asked, aStatus, ScriptedApi } from './scripted-api.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-credentials-'));
const file = join(folder, 'kubeconfig');
after(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a kubeconfig of one cluster and one user. */
function write(server: string, user: object, cluster: object = {}): void {
  const config = {
    clusters: [{ name: 'c', cluster: { server, ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(file, JSON.stringify(config));
}

const get = (config: KubeConfig): Promise<unknown> => kubeCall(config, { method: 'GET', path: '/version' });

describe('kubeCall(), whose credentials are refused (401)', () => {
  let api: ScriptedApi;
  beforeEach(async () => {
    api = await ScriptedApi.start();
  });
  afterEach(() => api.stop());

  /** What the next request shows; it is refused, or answered with what it showed. */
  async function shown(isRefused: boolean): Promise<string | undefined> {
    const asked: Asked = await api.next();
    if (isRefused) asked.json(aStatus(401, 'Unauthorized'), 401);
    else asked.json({});
    return asked.headers.authorization;
  }

  it('reads a token file anew, and asks again with what it holds now', async () => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'first\n');
    write(api.url, { tokenFile: 'token' });
    const config = loadKubeConfig(file);
    const [before] = await Promise.all([shown(false), get(config)]);
    assert.equal(before, 'Bearer first');
    writeFileSync(tokenFile, 'second\n');
    const answer = get(config);
    assert.deepEqual([await shown(true), await shown(false)], ['Bearer first', 'Bearer second']);
    assert.deepEqual(await answer, {});
    const [later] = await Promise.all([shown(false), get(config)]);
    assert.equal(later, 'Bearer second');
  });

  it('reads a token in the kubeconfig itself anew', async () => {
    write(api.url, { token: 'first' });
    const config = loadKubeConfig(file);
    write(api.url, { token: 'second' });
    const answer = get(config);
    assert.deepEqual([await shown(true), await shown(false)], ['Bearer first', 'Bearer second']);
    await answer;
  });

  it('asks again at once where another request has renewed them meanwhile', async () => {
    write(api.url, { token: 'first' });
    const config = loadKubeConfig(file);
    const answers = [get(config), get(config)];
    const [one, other] = [await api.next(), await api.next()];
    write(api.url, { token: 'second' });
    one.json(aStatus(401), 401);
    assert.equal(await shown(false), 'Bearer second');
    write(api.url, { token: 'third' });
    other.json(aStatus(401), 401);
    assert.equal(await shown(false), 'Bearer second', 'it is not read once more');
    await Promise.all(answers);
  });

  it('asks no more than once more, and does not read files with every refusal', async () => {
    write(api.url, { token: 'wrong' });
    const config = loadKubeConfig(file);
    const refused = assert.rejects(get(config), {
      status: 401,
      message:
        'Unauthorized (401): the credentials of the user "u" in the kubeconfig are not accepted: renew them there, and test them by kubectl --context x auth whoami',
    });
    assert.deepEqual([await shown(true), await shown(true)], ['Bearer wrong', 'Bearer wrong']);
    await refused;
    const again = assert.rejects(get(config), { status: 401 });
    await shown(true);
    await again;
    assert.deepEqual(api.waiting, []);
  });

  it('keeps what it has when the kubeconfig names another cluster by now, or cannot be read', async () => {
    for (const change of [() => write('https://198.51.100.7', { token: 'theirs' }), () => writeFileSync(file, '{')]) {
      write(api.url, { token: 'ours' });
      const config = loadKubeConfig(file);
      change();
      const refused = assert.rejects(get(config), { status: 401 });
      assert.equal(await shown(true), 'Bearer ours');
      await refused;
      assert.deepEqual(api.waiting, []);
    }
  });

  it('says which credential cannot be had', async () => {
    write(api.url, { tokenFile: 'none' });
    await assert.rejects(get(loadKubeConfig(file)), { status: 0, message: /^Cannot get the credential for .*none/ });
  });
});

describe('kubeCall()', () => {
  it('answers all requests that begin together', async () => {
    const api = await ScriptedApi.start();
    api.serve((asked) => asked.json({}));
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(api.config)));
    assert.deepEqual(answers, Array(20).fill({}));
    await closeConnections(api.config);
    await api.stop();
  });
});

describe('kubeCall() with a client certificate', () => {
  it('shows the one that the files hold now, over a new connection where it is another', async () => {
    const authority = issue({ name: 'authority', isCa: true });
    const own = issue({ name: 'server', issuer: authority });
    const server = createServer({
      key: own.privateKey,
      cert: own.certificate,
      ca: authority.certificate,
      requestCert: true,
    });
    const shown: string[] = [];
    server.on('request', (request, response) => {
      shown.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      response.end('{}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const url = `https://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const writeCertificate = (name: string): void => {
      const { certificate, privateKey } = issue({ name, issuer: authority });
      writeFileSync(join(folder, 'client.crt'), certificate);
      writeFileSync(join(folder, 'client.key'), privateKey);
    };
    const user = { 'client-certificate': 'client.crt', 'client-key': 'client.key' };
    write(url, user, { 'certificate-authority-data': Buffer.from(authority.certificate).toString('base64') });
    writeCertificate('old');
    const config = loadKubeConfig(file);
    await get(config);
    writeCertificate('new');
    await Promise.all([get(config), get(config)]);
    await get(config);
    assert.deepEqual(shown, ['old', 'new', 'new', 'new']);
    await closeConnections(config);
    server.close();
    server.closeAllConnections();
  });
});
