import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { loadKubeConfig, ownAccount, ownNamespace, renewing } from './kube-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-kubeconfig-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function write(content: unknown): string {
  const file = join(folder, 'config');
  writeFileSync(file, typeof content === 'string' ? content : stringify(content));
  return file;
}

const aConfig = (server: string, more: object = {}): object => ({
  clusters: [{ name: 'c', cluster: { server } }],
  users: [{ name: 'u', user: {} }],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  'current-context': 'x',
  ...more,
});

describe('loadKubeConfig()', () => {
  const wrong: readonly (readonly [what: string, content: unknown, said: RegExp])[] = [
    ['a text', 'no kubeconfig', /"[^"]*config": it holds no kubeconfig/],
    ['what is no YAML', '{', /Cannot read the cluster's configuration "[^"]*config": /],
    ['an empty file', '', /it holds no kubeconfig/],
    [
      'no current context',
      aConfig('https://a', { 'current-context': 'y' }),
      /"y" of .* names no cluster: its contexts are "x"/,
    ],
    [
      'a context of a cluster that it has not',
      aConfig('https://a', { contexts: [{ name: 'x', context: { cluster: 'prod', user: 'u' } }] }),
      /context "x" of "[^"]*config" is of the cluster "prod", which is not in it: its clusters are "c"$/,
    ],
    ['no contexts', { clusters: [], users: [], contexts: [] }, /names no cluster: it has no contexts/],
    ['a server that is no URL', aConfig('192.0.2.1:6443'), /is "192\.0\.2\.1:6443": it must be a URL, as in/],
    [
      'a server with a user and a password',
      aConfig('https://u:p@192.0.2.1'),
      /The server of .* is "https:\/\/192\.0\.2\.1\/" with a password: write it without one$/,
    ],
    ['a server with a password', aConfig('https://:p@192.0.2.1'), /is "https:\/\/192\.0\.2\.1\/" with a password/],
    ['a server in plain text', aConfig('http://192.0.2.1'), /credentials are sent over https only/],
    ['a host that only begins like loopback', aConfig('http://localhost.evil.test'), /over https only/],
  ];
  for (const [what, content, said] of wrong) {
    it(`refuses ${what}, and says what to write`, () => {
      assert.throws(() => loadKubeConfig(write(content)), { code: 'ERR_POSTERN_CONFIG', message: said });
    });
  }

  it('names a file that is not there', () => {
    assert.throws(() => loadKubeConfig(join(folder, 'none')), { code: 'ERR_POSTERN_CONFIG', message: /none": ENOENT/ });
  });

  it('takes https anywhere, and plain text on loopback', () => {
    for (const server of ['https://192.0.2.1:6443/k8s', 'http://127.0.0.1:8001', 'http://[::1]:1', 'http://localhost'])
      assert.equal(loadKubeConfig(write(aConfig(server))).getCurrentCluster()?.server, server);
  });
});

describe('ownNamespace()', () => {
  it('is that of the context, else "default"', () => {
    const context = { name: 'x', context: { cluster: 'c', user: 'u', namespace: 'infra' } };
    assert.equal(ownNamespace(loadKubeConfig(write(aConfig('https://a', { contexts: [context] })))), 'infra');
    assert.equal(ownNamespace(loadKubeConfig(write(aConfig('https://a')))), 'default');
  });
});

describe('renewing()', () => {
  const said = (user: object): string =>
    renewing(loadKubeConfig(write(aConfig('https://a', { users: [{ name: 'u', user }] }))));

  it('names the file of a token, or whose credentials a kubeconfig has, and none of them', () => {
    assert.match(said({ tokenFile: 'token' }), /^the token in "[^"]*\/token" is not accepted: see that /);
    const ofUser =
      'the credentials of the user "u" in the kubeconfig are not accepted: renew them there, and test them by kubectl --context x auth whoami';
    for (const user of [{ token: 'secret' }, { username: 'a', password: 'secret' }, {}])
      assert.equal(said(user), ofUser);
  });
});

describe('ownAccount()', () => {
  const tokenOf = (claims: unknown): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
  const accountBy = (user: object): unknown =>
    ownAccount(loadKubeConfig(write(aConfig('https://a', { users: [{ name: 'u', user }] }))));

  it('is the ServiceAccount of the token, wherever that is kept', () => {
    const token = tokenOf({ sub: 'system:serviceaccount:infra:postern' });
    writeFileSync(join(folder, 'token'), `${token}\n`);
    const account = { namespace: 'infra', name: 'postern' };
    assert.deepEqual([accountBy({ token }), accountBy({ tokenFile: 'token' })], [account, account]);
  });

  it('is unknown where there is no token, or one of somebody else', () => {
    for (const user of [{}, { token: 'opaque' }, { token: tokenOf(null) }, { token: tokenOf({ sub: 'ann' }) }])
      assert.equal(accountBy(user), undefined);
    assert.equal(accountBy({ tokenFile: 'none' }), undefined);
  });
});
