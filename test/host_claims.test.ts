import assert from 'node:assert/strict';
import { it } from 'node:test';
import { unservedText } from '../internal/policy/unserved.ts';
import { load } from './cases/run-case.ts';

const policy = (namespace: string, host: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: p, namespace: ${namespace}}
spec: {target: {hosts: [${host}]}, authentication: {anonymous: {}}, authorization: {rules: [{name: all, allow: {any: {}}}]}}
`;

it('a host that its holder gives up goes to who asked for it, without waiting for another change', async () => {
  const { apply, check, store } = await load(policy('a', 'api.example.org'));
  await apply(policy('b', 'api.example.org'));
  assert.equal((await check({})).policy?.ref.namespace, 'a');
  await apply(policy('a', 'moved.example.org'));
  const version = store.current?.version ?? 0;
  for (let turns = 0; turns < 10_000 && (store.current?.version ?? 0) <= version; turns += 1)
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await check({})).policy?.ref.namespace, 'b');
});

it('a host stays with its holder whatever the age and name of who asks, and passes on when the holder goes', async () => {
  const { apply, check, store } = await load(policy('z', 'api.example.org'));
  await apply(policy('a', 'api.example.org'));
  assert.equal((await check({})).policy?.ref.namespace, 'z');
  await apply(policy('b', '"*.example.org"'));
  assert.equal((await check({})).policy?.ref.namespace, 'z');
  store.delete('APIPolicy', { namespace: 'z', name: 'p' });
  await apply(policy('c', 'other.test'));
  assert.equal((await check({})).policy?.ref.namespace, 'a');
});

it('a policy that is deleted and made anew inherits no last good spec', async () => {
  const { apply, check, store } = await load(policy('a', 'api.example.org'));
  await apply(policy('a', 'api.example.org').replace('any: {}', 'when: [{expression: "x"}]'));
  assert.equal((await check({})).decision.reason, 'allowed');
  store.delete('APIPolicy', { namespace: 'a', name: 'p' });
  await apply(policy('a', 'api.example.org').replace('any: {}', 'when: [{expression: "x"}]'));
  assert.equal((await check({})).decision.reason, 'no_route');
});

it('a policy whose hosts and paths an older one governs says so, and by whom', async () => {
  const onPaths = (name: string, paths: string): string =>
    policy('a', 'api.example.org')
      .replace('name: p', `name: ${name}`)
      .replace('target: {', `target: {paths: ${paths}, `);
  const { build } = await load(
    [onPaths('first', '[/v1/**]'), onPaths('second', '[/v1/**]'), onPaths('third', '[/v1/**, /v2]')].join('---'),
  );
  assert.deepEqual(
    build.reports.map(({ object, isShadowed, problems }) => [
      object.metadata.name,
      isShadowed,
      problems.map(({ reason, message }) => `${reason}: ${message}`),
    ]),
    [
      ['first', false, []],
      [
        'second',
        true,
        [
          'TargetConflict: "/v1/**" of "api.example.org" is governed by "first", the older policy: give one of the two other paths',
        ],
      ],
      [
        'third',
        false,
        [
          'TargetConflict: "/v1/**" of "api.example.org" is governed by "first", the older policy: give one of the two other paths',
        ],
      ],
    ],
  );
});

it('a host that is written twice is held, and reported, once', async () => {
  const { build, check } = await load(policy('a', 'api.example.org, api.example.org'));
  assert.deepEqual(
    build.reports.map(({ hosts, problems }) => [hosts, problems]),
    [[['api.example.org'], []]],
  );
  assert.equal((await check({})).decision.reason, 'allowed');
});

it('says of a policy in Audit that was never accepted nothing of hosts that an older one governs', async () => {
  const inAudit = (name: string, target: string, when = ''): string =>
    `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: ${name}, namespace: a}
spec: {mode: Audit, target: {${target}}, authentication: {anonymous: {}}, authorization: {rules: [{name: all, allow: {${when || 'any: {}'}}}]}}
`;
  const broken = 'when: [{expression: "x"}]';
  const saidOf = async (first: string, second: string): Promise<unknown> => {
    const { build } = await load(`${inAudit('first', first)}---${inAudit('second', second, broken)}`);
    const report = build.reports.find(({ object }) => object.metadata.name === 'second');
    return report && [report.isShadowed, report.shadowedHosts, unservedText(report)];
  };
  const both = 'hosts: [a.test, b.test]';
  assert.deepEqual(await saidOf('hosts: [a.test]', both), [
    false,
    ['a.test'],
    'what it claims of "b.test" passes unchecked',
  ]);
  assert.deepEqual(await saidOf(both, both), [false, ['a.test', 'b.test'], 'it governs nothing beside older policies']);
  assert.deepEqual(
    await saidOf('hosts: [a.test], paths: [/v1/**]', 'hosts: [a.test], paths: [/v1/**, /v2]'),
    [false, [], 'what it claims of "a.test" passes unchecked'],
    'a path of it is its own',
  );
});
