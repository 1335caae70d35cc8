import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { newApiKey } from '../../internal/app/api-key.ts';
import { addressText } from '../../internal/core/listen-address.ts';
import { until } from '../components/until.ts';
import { startTestAgent, type TestAgent } from '../envoy/harness.ts';
import { checkOver } from './client.ts';

const POSTERN = 'apiVersion: postern.dev/v1alpha1';
const ACME = newApiKey('pk');
const POLICY = `${POSTERN}
kind: APIPolicy
metadata: {name: orders}
spec:
  target: {hosts: [api.example.org]}
  authentication: {methods: [{name: keys, apiKey: {from: [{header: x-api-key}]}}]}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
`;
const CONSUMER = `${POSTERN}\nkind: APIConsumer\nmetadata: {name: acme}\nspec: {keys: [{name: k1, sha256: ${ACME.sha256}}]}\n`;

/** An agent with files, and with what it answers. */
async function start(t: TestContext, files: string, unmatched: 'allow' | 'deny' = 'deny') {
  const agent = await startTestAgent(files, { unmatched });
  t.after(() => agent.stop());
  await agent.ready;
  const ask = async (host: string, headers = {}): Promise<number> =>
    (await checkOver(agent.grpcAddress, { host, headers })).http;
  return { agent, ask, askWithKey: () => ask('api.example.org', { 'x-api-key': ACME.key }) };
}

async function metricsOf({ adminAddress }: TestAgent): Promise<string> {
  return (await fetch(`http://${addressText(adminAddress)}/metrics`)).text();
}

const says = (agent: TestAgent, text: string): boolean =>
  agent.lines.some(({ message }) => String(message).includes(text));

describe('the log of an agent on a directory', { timeout: 60_000 }, () => {
  it('tells of a change that was taken, of a file that broke and is whole again, and of the last policy that goes', async (t) => {
    const { agent, ask } = await start(t, POLICY);
    agent.write('acme.yaml', CONSUMER);
    await until(() => says(agent, 'Policies reloaded'));
    const reloaded = agent.lines.find(({ message }) => message === 'Policies reloaded');
    assert.deepEqual([reloaded?.changes, reloaded?.objects], [1, '1 APIConsumer, 1 APIPolicy']);
    agent.write('acme.yaml', '{');
    await until(() => says(agent, 'acme.yaml: what was read of it before goes on serving'));
    assert.ok(says(agent, 'acme.yaml:1:'));
    agent.write('acme.yaml', CONSUMER);
    await until(() => says(agent, 'A file that was broken is whole again'));
    agent.write('policies.yaml', '# none\n');
    await until(() => says(agent, 'No policy is left: every request is refused (no_route)'));
    assert.equal(await ask('api.example.org'), 404);
  });

  it('says on one line what is wrong with an expression, and what serves in the meantime', async (t) => {
    const wrong = POLICY.replace('{any: {}}', '{when: [{expression: "request.methud == 1"}]}');
    const { agent } = await start(t, wrong);
    await until(() => says(agent, '(InvalidExpression); what it claims of "api.example.org" is refused'));
    agent.write('policies.yaml', POLICY);
    await until(() => says(agent, 'The newest version of a policy serves now'));
    agent.write('policies.yaml', wrong);
    await until(() => says(agent, '(InvalidExpression); generation 2 goes on serving'));
    const said = agent.lines.map(({ message }) => String(message)).filter((text) => text.includes('methud'));
    assert.ok(said.length === 2 && !said.some((text) => text.includes('\n')), said.join());
  });
});

describe('what an agent says of a directory that goes away', { timeout: 60_000 }, () => {
  it('is what is wrong, and what serves in the meantime', async (t) => {
    const { agent, ask } = await start(t, POLICY);
    agent.write('new.yaml', '{');
    await until(() => says(agent, 'new.yaml: what was never read of it does not serve'));
    renameSync(agent.directory, `${agent.directory}.gone`);
    await until(() => says(agent, `${agent.directory}: what was read of it before goes on serving`));
    assert.ok(says(agent, `${agent.directory}:1:1: Cannot be read: no such file or directory (Invalid)`));
    assert.ok(!says(agent, 'unmatched'));
    assert.equal(await ask('api.example.org'), 401);
    renameSync(`${agent.directory}.gone`, agent.directory);
    await until(() => says(agent, 'A file that was broken is whole again'));
    assert.equal(agent.lines.find(({ message }) => String(message).includes('whole again'))?.file, agent.directory);
  });
});

describe('an agent on a directory', { timeout: 60_000 }, () => {
  const TROUBLE: Readonly<Record<string, (agent: TestAgent) => void>> = {
    'a link to nothing': ({ directory }) => symlinkSync('/nowhere', join(directory, 'odd.yaml')),
    'a directory that is called as a file': ({ directory }) => mkdirSync(join(directory, 'odd.yaml')),
    'a Secret with a number that nobody quoted': (agent) =>
      agent.write(
        'odd.yaml',
        'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: 12345678901234567890}\n',
      ),
    'a file that is no YAML': (agent) => agent.write('odd.yaml', '{'),
  };
  for (const [what, make] of Object.entries(TROUBLE)) {
    it(`takes a key away although there is ${what}`, async (t) => {
      const { agent, askWithKey } = await start(t, POLICY);
      agent.write('acme.yaml', CONSUMER);
      await until(async () => (await askWithKey()) === 200);
      make(agent);
      await until(() => says(agent, 'odd.yaml:'));
      assert.match(await metricsOf(agent), /^postern_file_problems 1$/m);
      agent.write('acme.yaml', '# revoked\n');
      await until(async () => (await askWithKey()) === 401);
    });
  }

  it('starts with what can be read, and refuses under --unmatched=allow what the rest may claim', async (t) => {
    const broken = `${POSTERN}\nkind: APIPolcy\nmetadata: {name: other}\nspec: {target: {hosts: [other.example.org]}}\n`;
    const { agent, ask } = await start(t, `${POLICY}---\n${broken}`, 'allow');
    assert.deepEqual([await ask('api.example.org'), await ask('other.example.org')], [401, 404]);
    assert.ok(says(agent, 'policies.yaml:10:1: kind: Unknown kind "APIPolcy": did you mean "APIPolicy"?'));
    assert.ok(
      says(
        agent,
        'policies.yaml: what was never read of it does not serve; until it is, hosts that no policy is known to hold are refused, also with --unmatched=allow',
      ),
    );
    agent.write('policies.yaml', POLICY);
    await until(async () => (await ask('other.example.org')) === 200);
    assert.equal(await ask('api.example.org'), 401);
  });

  it('holds the hosts of a policy that is wrong around its spec, and opens no other', async (t) => {
    const { agent, ask } = await start(t, POLICY.replace('name: orders', 'name: orders, lables: {}'), 'allow');
    assert.deepEqual([await ask('api.example.org'), await ask('other.example.org')], [404, 200]);
    assert.ok(says(agent, 'metadata.lables: Unknown field "lables": did you mean "labels"?'));
    assert.equal(agent.lines.filter(({ message }) => String(message).includes('lables')).length, 1);
    agent.write('policies.yaml', POLICY);
    await until(async () => (await ask('api.example.org')) === 401);
  });

  it('serves the last good spec of a policy that becomes wrong around its spec', async (t) => {
    const { agent, askWithKey } = await start(t, `${POLICY}---\n${CONSUMER}`);
    agent.write('policies.yaml', `${POLICY.replace('name: orders', 'name: orders, lables: {}')}---\n${CONSUMER}`);
    await until(() => agent.reports().some(({ servesLastGood }) => servesLastGood));
    assert.equal(await askWithKey(), 200);
  });

  it('counts generations, so that pages tell which one serves', async (t) => {
    const { agent } = await start(t, POLICY);
    const standing = (): unknown =>
      agent.reports().map(({ object, servingGeneration }) => [object.metadata.generation, servingGeneration]);
    assert.deepEqual(standing(), [[1, 1]]);
    agent.write('policies.yaml', POLICY.replace('any: {}', 'unknown: {}'));
    await until(() => agent.reports().some(({ servesLastGood }) => servesLastGood));
    assert.deepEqual(standing(), [[2, 1]]);
    agent.write('policies.yaml', POLICY);
    await until(() => agent.reports().every(({ servesLastGood }) => !servesLastGood));
    assert.deepEqual(standing(), [[3, 3]]);
  });

  it('takes nobody for free of a role that a wrong binding may give him', async (t) => {
    const denying = POLICY.replace('{rules: [', '{rules: [{name: banned, deny: {roles: [banned]}}, ');
    const role = `${POSTERN}\nkind: APIRole\nmetadata: {name: banned}\nspec: {}\n`;
    const binding = `${POSTERN}\nkind: APIRoleBinding\nmetadata: {name: b, lables: {}}\nspec: {roleRef: {name: banned}, subjects: [{consumer: {name: acme}}]}\n`;
    const { agent, askWithKey } = await start(t, [denying, CONSUMER, role, binding].join('---\n'));
    assert.equal(await askWithKey(), 403);
    agent.write('policies.yaml', [denying, CONSUMER, role].join('---\n'));
    await until(async () => (await askWithKey()) === 200);
  });

  it('believes no status that a file carries', async (t) => {
    const claim = `${POSTERN}\nkind: APIPolicy\nmetadata: {name: z, namespace: zone}\nspec: {target: {hosts: [api.example.org]}}\nstatus: {hosts: [api.example.org]}\n`;
    const { agent, askWithKey } = await start(t, [claim, POLICY, CONSUMER].join('---\n'));
    assert.equal(await askWithKey(), 200);
    assert.ok(says(agent, 'HostConflict'));
  });

  it('keeps a policy whose file is emptied, also under --unmatched=allow', async (t) => {
    const { agent, ask } = await start(t, POLICY, 'allow');
    agent.write('policies.yaml', '');
    await until(() => says(agent, 'delete the file to take its objects away'));
    assert.equal(await ask('api.example.org'), 401);
  });
});
