import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { notGranted, type Ungranted } from './not-granted.ts';

const meta = (name = 'api', namespace = 'pay') => ({ name, namespace, uid: 'u', generation: 1 });
const part = (host: string, paths: readonly string[], index = 0): Ungranted => ({ host, paths, index });

/** What the command of a message hands to kubectl, as a shell has it. */
function handedOver(message: string): unknown {
  const command = /have the platform run (.*) \| kubectl create -f -$/.exec(message)?.[1] ?? '';
  return parse(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' }));
}

const grant = (generateName: string, hosts: readonly string[], paths: readonly string[]) => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'HostGrant',
  metadata: { generateName },
  spec: { hosts, paths, namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'pay' } } },
});

describe('notGranted()', () => {
  it('says what one host lacks, and the command that grants just that', () => {
    const problem = notGranted([part('api.example.org', ['/pay/{id}/**'], 2)], meta());
    assert.deepEqual(problem, {
      reason: 'HostNotGranted',
      path: 'spec.target.hosts[2]',
      message:
        'No HostGrant gives this namespace "/pay/{id}/**" of "api.example.org": claim less, or have the platform run echo \'{apiVersion: postern.dev/v1alpha1, kind: HostGrant, metadata: {generateName: "pay.api-"}, spec: {hosts: ["api.example.org"], paths: ["/pay/{id}/**"], namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: "pay"}}}}\' | kubectl create -f -',
      severity: 'error',
    });
    assert.deepEqual(handedOver(problem.message), grant('pay.api-', ['api.example.org'], ['/pay/{id}/**']));
  });

  it('gives no command by which what others are granted would become this namespace’s', () => {
    const { message } = notGranted([{ ...part('login.bank.test', ['/**']), isOfOthers: true }], meta());
    assert.equal(
      message,
      'No HostGrant gives this namespace "/**" of "login.bank.test": claim less, or ask the platform, for some of it lies within what is granted already, and a grant of it would be carved out of that',
    );
  });

  it('says all hosts of a policy in one sentence, each with its own paths', () => {
    const { path, message } = notGranted(
      [part('a.test', ['/x', '/y']), part('*.b.test', ['/x', '/y'], 1), part('c.test', ['/x'], 2)],
      meta(),
    );
    assert.equal(path, 'spec.target.hosts');
    assert.match(
      message,
      /^No HostGrant gives this namespace "\/x", "\/y" of "a\.test", "\*\.b\.test"; "\/x" of "c\.test": claim less, or have /,
    );
    assert.deepEqual(handedOver(message), {
      apiVersion: 'v1',
      kind: 'List',
      items: [grant('pay.api-', ['a.test', '*.b.test'], ['/x', '/y']), grant('pay.api-', ['c.test'], ['/x'])],
    });
  });

  it('quotes names that YAML would read as something else', () => {
    const { message } = notGranted([part('a.test', ['/x'])], meta('1e3', '007'));
    assert.deepEqual((handedOver(message) as { readonly metadata: object }).metadata, {
      generateName: '007.1e3-',
    });
  });

  for (const [name, prefix] of [
    ['x'.repeat(253), `pay.${'x'.repeat(53)}-`],
    [`${'x'.repeat(51)}-.-y`, `pay.${'x'.repeat(51)}-`],
  ] as const)
    it(`names the grant of a policy with a name of ${name.length} characters so that the API server keeps all of it`, () => {
      const { message } = notGranted([part('a.test', ['/x'])], meta(name));
      assert.deepEqual(handedOver(message), grant(prefix, ['a.test'], ['/x']));
      assert.ok(prefix.length <= 58);
    });

  for (const path of ["/it's", '/";}', '/\\', '/$(reboot)\n', '/ü', '/a b', '/\u202e'])
    it(`gives no command to copy for the path ${JSON.stringify(path)}, which a tenant chose`, () => {
      const { message } = notGranted([part('a.test', ['/x', path])], meta());
      assert.equal(
        message,
        `No HostGrant gives this namespace "/x", "${path}" of "a.test": claim less, or ask the platform for a HostGrant of these that selects it`,
      );
    });

  it('stays short where a policy claims much', () => {
    const many = Array.from({ length: 64 }, (_, i) => part(`h${i}.example.org`, [`/${'x'.repeat(99)}${i}`], i));
    const { message } = notGranted(many, meta());
    assert.ok(message.length < 1000, `${message.length} characters`);
    assert.match(message, / and 60 more: claim less, or ask the platform for a HostGrant of these that selects it$/);
  });
});
