import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { SIDECAR_DEFAULTS, sidecarOf } from '../../internal/inject/sidecar.ts';
import { closeConnections, kubeCall } from '../../internal/kube/client.ts';
import { issue } from '../door/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-in-cluster-'));
const account = join(folder, 'var/run/secrets/kubernetes.io/serviceaccount');
const HOST = 'KUBERNETES_SERVICE_HOST';
const PORT = 'KUBERNETES_SERVICE_PORT';
const before = { [HOST]: process.env[HOST], [PORT]: process.env[PORT] };

/** The configuration of a Pod whose variables are these. */
function inPod(host: string, port: string): KubeConfig {
  Object.assign(process.env, { [HOST]: host, [PORT]: port });
  const config = new KubeConfig();
  config.loadFromCluster(folder);
  return config;
}

describe('the API server of an injected sidecar', () => {
  after(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(() => {
    for (const [name, value] of Object.entries(before))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });

  it('is named, so that a Service "kubernetes" of the namespace of the Pod takes nothing of its place', () => {
    const { env = [] } = sidecarOf({ ...SIDECAR_DEFAULTS, image: 'i' }).container as {
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
    };
    const given = (name: string): string => env.find((variable) => variable.name === name)?.value ?? '';
    const { server, skipTLSVerify } = inPod(given(HOST), given(PORT)).getCurrentCluster() ?? assert.fail();
    assert.deepEqual([server, skipTLSVerify], ['https://kubernetes.default.svc:443', false]);
  });

  it('is asked by its name, with the token, and only where the authority of the cluster vouches for it', async () => {
    const [authority, stranger] = [issue({ name: 'cluster', isCa: true }), issue({ name: 'stranger', isCa: true })];
    const { certificate: cert, privateKey: key } = issue({ name: 'api', issuer: authority });
    mkdirSync(account, { recursive: true });
    writeFileSync(join(account, 'token'), 'a-token');
    const server = createServer({ cert, key }, ({ headers }, response) =>
      response.end(JSON.stringify([headers.host, headers.authorization])),
    );
    await once(server.listen(0, 'localhost'), 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const ask = async (ca: string): Promise<unknown> => {
      writeFileSync(join(account, 'ca.crt'), ca);
      const config = inPod('localhost', String(address.port));
      return kubeCall(config, { method: 'GET', path: '/version' }).finally(() => closeConnections(config));
    };
    try {
      assert.deepEqual(await ask(authority.certificate), [`localhost:${address.port}`, 'Bearer a-token']);
      await assert.rejects(ask(stranger.certificate), /certificate/);
    } finally {
      server.close();
    }
  });
});
