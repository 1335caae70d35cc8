import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../components/free-port.ts';
import { bundle } from './bundle.ts';
import { postern, type Said } from './command.ts';

const AUTHENTICATION = 'authentication: {anonymous: {}}';

const policy = (name: string, rule: string, more = ''): string =>
  `apiVersion: postern.dev/v1alpha1\nkind: APIPolicy\nmetadata: {name: ${name}}\nspec:\n  target: {hosts: [${name}.example.org]}\n  ${more}${AUTHENTICATION}\n  authorization: {rules: [{name: a, allow: {when: [{expression: '${rule}'}]}}]}\n---\n`;

let folder = '';
let main = '';
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-check-'));
  main = await bundle(join(folder, 'dist'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function directory(yaml: string): string {
  made += 1;
  const path = mkdtempSync(join(folder, `policies-${made}-`));
  if (yaml !== '') writeFileSync(join(path, 'a.yaml'), yaml);
  return path;
}

const check = (policies: string, ...args: string[]): Promise<Said> =>
  postern(['check', '--policies', policies, ...args], { main });

const decisionOf = ({ out }: Said): string => (JSON.parse(out) as { decision: string }).decision;

describe('postern check', () => {
  it('decides at the time of day, or at the one that is given', async () => {
    const policies = directory(policy('now', 'request.time > timestamp("2027-01-01T00:00:00Z")'));
    const after2027 = await check(policies, '--now', '2027-06-01T00:00:00Z', 'http://now.example.org/');
    const before2027 = await check(policies, '--now', '2026-06-01T00:00:00Z', 'http://now.example.org/');
    assert.deepEqual([decisionOf(after2027), after2027.code], ['allow', 0]);
    assert.deepEqual([decisionOf(before2027), before2027.code], ['deny', 1]);
    const since = directory(policy('now', 'request.time > timestamp("2026-01-01T00:00:00Z")'));
    assert.equal(decisionOf(await check(since, 'http://now.example.org/')), 'allow');
  });

  it('takes a Host header for the host of the request, as curl sends it', async () => {
    const policies = directory(policy('api', 'request.host == "api.example.org"'));
    assert.equal(decisionOf(await check(policies, '-H', 'Host: api.example.org', 'http://localhost/')), 'allow');
  });

  it('ends with 2 where a policy is broken, which must not look like a plain denial', async () => {
    const said = await check(directory(policy('api', '1 +')), 'http://api.example.org/');
    assert.deepEqual([said.code, decisionOf(said)], [2, 'deny']);
    assert.match(said.err, /a\.yaml:7:\d+: spec\.authorization.*\nerror: 1 wrong in the policies, see above/s);
  });

  it('decides as the sidecar of a Pod does: by the policies of its namespace that select its labels, whatever the host', async () => {
    const ofPods = (namespace: string, app: string, path: string): string =>
      `apiVersion: postern.dev/v1alpha1\nkind: APIPolicy\nmetadata: {name: ${app}, namespace: ${namespace}}\nspec:\n  className: sidecar\n  target: {workloadSelector: {matchLabels: {app: ${app}}}, paths: ["${path}"]}\n  ${AUTHENTICATION}\n  authorization: {rules: [{name: all, allow: {any: {}}}]}\n---\n`;
    const policies = directory(
      ofPods('shop', 'orders', '/v1/**') + ofPods('shop', 'carts', '/**') + ofPods('web', 'orders', '/**'),
    );
    const labels = join(folder, 'labels');
    writeFileSync(labels, 'app="orders"\n');
    const pod = ['--class', 'sidecar', '--workload-labels', labels, '--namespace', 'shop'];
    const asked = async (path: string, flags: readonly string[] = pod): Promise<readonly unknown[]> => {
      const said = await check(policies, ...flags, `http://any.example.org${path}`);
      const { reason, policy: by } = JSON.parse(said.out) as { readonly reason: string; readonly policy?: string };
      return [said.code, reason, by];
    };
    assert.deepEqual(await asked('/v1/7'), [0, 'allowed', 'shop/orders']);
    assert.deepEqual(await asked('/v2'), [1, 'no_route', undefined]);
    assert.deepEqual(await asked('/v2', [...pod.slice(0, -1), 'web']), [0, 'allowed', 'web/orders']);
    for (const [flags, says] of [
      [['--workload-labels', labels], '--workload-labels needs --namespace: that of the Pod'],
      [pod.slice(2), '--workload-labels needs --class: that of the sidecars'],
      [['--namespace', 'shop'], '--namespace goes with --workload-labels'],
      [[...pod, '--host-grants', 'required'], '--host-grants has no effect in a sidecar class'],
      [[...pod, '--workload-labels', join(folder, 'none')], 'none" cannot be read'],
    ] as const) {
      const { code, err } = await check(policies, ...flags, 'http://any.example.org/');
      assert.equal(code, 2);
      assert.ok(err.includes(says), err);
    }
  });

  it('says that a Pod has no policies of the class in its namespace, and where there are some', async () => {
    const ofPods = (namespace: string): string =>
      `apiVersion: postern.dev/v1alpha1\nkind: APIPolicy\nmetadata: {name: orders, namespace: ${namespace}}\nspec:\n  className: sidecar\n  target: {workloadSelector: {matchLabels: {app: orders}}}\n  ${AUTHENTICATION}\n---\n`;
    const policies = directory(ofPods('shop') + ofPods('web') + ofPods('web').replace('orders', 'carts'));
    const labels = join(folder, 'labels');
    writeFileSync(labels, 'app="orders"\n');
    for (const [className, says] of [
      [
        'sidecar',
        'no policy of the class "sidecar" in the namespace "shpo": the files hold policies of it in shop, web',
      ],
      ['sidecars', 'no policy of the class "sidecars": the files hold policies of sidecar'],
    ] as const) {
      const flags = ['--class', className, '--workload-labels', labels, '--namespace', 'shpo'];
      const { code, err } = await check(policies, ...flags, 'http://any.example.org/');
      assert.deepEqual([code, err], [1, `warning: ${says}\n`]);
    }
  });

  it('ends with 2 where a file cannot be read as YAML', async () => {
    const said = await check(directory('kind: [APIPolicy\n'), 'http://api.example.org/');
    assert.equal(said.code, 2);
    assert.match(said.err, /a\.yaml:\d+:\d+: /);
  });

  it('says that there are no files, or no policies of the class', async () => {
    const empty = directory('');
    assert.deepEqual(await check(empty, 'http://a/'), {
      code: 2,
      out: '',
      err: `error: no YAML or JSON files in "${empty}"\n`,
    });
    const other = await check(directory(policy('api', 'true', 'className: other\n  ')), 'http://api.example.org/');
    assert.deepEqual(
      [other.code, other.err],
      [1, 'warning: no policy of the class "postern": the files hold policies of other\n'],
    );
  });

  it('says why the keys of an issuer could not be fetched', async () => {
    const url = `http://127.0.0.1:${await freePort()}/keys`;
    const method = `{name: sso, jwt: {issuer: https://sso.example.org, audiences: [a], jwks: {url: "${url}"}}}`;
    const policies = directory(policy('api', 'true').replace('anonymous: {}', `methods: [${method}]`));
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'RS256', kid: 'k' })}.${part({ iss: 'https://sso.example.org', sub: 'x', aud: 'a', exp: 9e9 })}.AAAA`;
    const said = await check(policies, '-H', `authorization: Bearer ${token}`, 'http://api.example.org/');
    assert.deepEqual([said.code, (JSON.parse(said.out) as { reason: string }).reason], [1, 'issuer_unavailable']);
    assert.match(
      said.err,
      /^warning: The keys of "http:\/\/127\.0\.0\.1:\d+\/keys" could not be fetched: .*ECONNREFUSED.*\n$/,
    );
    assert.ok(said.err.includes(url));
  });

  it('refuses a client that is no address, and a header that is none without repeating its value', async () => {
    const policies = directory(policy('api', 'true'));
    for (const [args, err] of [
      [['--client', '999.1.1.1'], '--client "999.1.1.1" is no IP address: write "192.0.2.1" or "2001:db8::1"'],
      [['-H', 'bad name: secret'], '-H "bad" is no header: write it as "name: value"'],
    ] as const)
      assert.deepEqual(await check(policies, ...args, 'http://api.example.org/'), {
        code: 2,
        out: '',
        err: `error: ${err}\n`,
      });
  });
});
