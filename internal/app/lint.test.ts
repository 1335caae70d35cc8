import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { formatProblem } from '../files/format-problem.ts';
import { checkOnce } from './check-once.ts';
import { lintFiles } from './lint.ts';

const object = (kind: string, name: string, spec: string): string =>
  `apiVersion: postern.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n---\n`;

const AUTHENTICATION = 'authentication: {methods: [{name: k, apiKey: {from: [{header: x-api-key}]}}]}';
const AUTHORIZATION = 'authorization: {rules: [{name: a, allow: {any: {}}}]}';

describe('lintFiles()', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-lint-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const said = async (paths: readonly string[] = [folder], className?: string): Promise<string[]> => {
    const { problems } = await lintFiles(paths, className);
    return problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ''));
  };

  it('warns of policies that let nobody in, and not of those that are public alone or only counted', async () => {
    const target = (host: string): string => `target: {hosts: [${host}.example.org]}`;
    const open = 'public: [{name: health, methods: [GET], paths: [/healthz]}]';
    write(
      'a.yaml',
      [
        object('APIPolicy', 'open', `{${target('open')}, ${AUTHENTICATION}, ${AUTHORIZATION}}`),
        object('APIPolicy', 'unknown', `{${target('unknown')}, ${AUTHORIZATION}}`),
        object('APIPolicy', 'barred', `{${target('barred')}, ${open}, ${AUTHENTICATION}}`),
        object('APIPolicy', 'public', `{${target('public')}, ${open}}`),
        object('APIPolicy', 'counted', `{${target('counted')}, mode: Audit}`),
      ].join(''),
    );
    assert.deepEqual(await said(), [
      'a.yaml:14:1: warning: spec: Without authorization nobody can get in but by its public routes (NobodyAllowed)',
      'a.yaml:9:1: warning: spec: Without authentication nobody can get in (NobodyAllowed)',
    ]);
  });

  it('takes a class whose policies all select Pods for one of sidecars, and the default one never', async () => {
    const rest = `${AUTHENTICATION}, ${AUTHORIZATION}`;
    const pods = 'target: {workloadSelector: {matchLabels: {app: orders}}}';
    write('pods.yaml', object('APIPolicy', 'pods', `{className: sidecar, ${pods}, ${rest}}`));
    write('mixed.yaml', object('APIPolicy', 'mixed', `{className: mixed, ${pods}, ${rest}}`));
    write('hosts.yaml', object('APIPolicy', 'hosts', `{className: mixed, target: {hosts: [a.test]}, ${rest}}`));
    write('forgot.yaml', object('APIPolicy', 'forgot', `{${pods}, ${rest}}`));
    const why = 'Only sidecar classes select workloads: use hosts or routes here (TargetNotSupported)';
    assert.deepEqual(
      (await said()).map((line) => line.replace(/:\d+:\d+: /, ' ')),
      ['forgot.yaml', 'mixed.yaml'].map((file) => `${file} spec.target.workloadSelector: ${why}`),
    );
  });

  it('applies the baselines of the files, and says where a section comes from that nobody wrote there', async () => {
    const defaults = `{methods: [{name: keys, apiKey: {}}]}`;
    const overrides = '{authorization: {rules: [{name: r, deny: {when: [{expression: "context.a == 1"}]}}]}}';
    write(
      'a.yaml',
      [
        object('APIBaseline', 'platform', `{namespaceSelector: {}, defaults: {authentication: ${defaults}}}`),
        object('APIBaseline', 'wrong', `{namespaceSelector: {}, overrides: ${overrides}}`),
        object('APIPolicy', 'bare', `{target: {hosts: [a.example.org]}, ${AUTHORIZATION}}`),
        object(
          'APIPolicy',
          'depends',
          '{target: {hosts: [b.example.org]}, authorization: {rules: [{name: a, allow: {via: [sso]}}]}}',
        ),
      ].join(''),
    );
    assert.deepEqual(await said(), [
      'a.yaml:19:90: spec.authorization.rules[0].allow.via[0]: No authentication method "sso"; this policy has "keys" (authentication is that of APIBaseline "platform") (Invalid)',
      'a.yaml:9:92: spec.overrides.authorization.rules[0].deny.when[0].expression: An override cannot read context: context extensions are written by owners of routes: read what the request or its caller says (Invalid)',
    ]);
  });

  describe('two teams that share a host by path, as they are granted', () => {
    const of = (namespace: string, text: string): string => text.replace('{name: ', `{namespace: ${namespace}, name: `);
    const claim = (paths: string): string =>
      `{target: {hosts: [api.example.org], paths: ["${paths}"]}, authentication: {anonymous: {}}, ${AUTHORIZATION}}`;
    const grant = (team: string): string =>
      object(
        'HostGrant',
        team,
        `{hosts: [api.example.org], paths: ["/${team}/**"], namespaceSelector: {matchLabels: {team: ${team}}}}`,
      );
    const namespace = (team: string): string =>
      `{apiVersion: v1, kind: Namespace, metadata: {name: ${team}, labels: {team: ${team}}}, spec: {finalizers: [kubernetes]}, status: {phase: Active}}\n`;
    const list = `apiVersion: v1\nkind: List\nitems:\n- ${namespace('shop')}- ${namespace('pay')}`;
    const reasonsOf = (problems: readonly { readonly reason: string }[]): string[] =>
      problems.map(({ reason }) => reason);
    const decide = (hostGrants?: 'required' | 'first-come') =>
      checkOnce({
        url: 'http://api.example.org/pay/1',
        policies: folder,
        class: 'postern',
        method: 'GET',
        header: [],
        client: '192.0.2.1',
        ...(hostGrants && { hostGrants }),
      });

    beforeEach(() => {
      write('policies.yaml', of('shop', object('APIPolicy', 'shop', claim('/shop/**'))));
      write('pay.yaml', of('pay', object('APIPolicy', 'pay', claim('/pay/**'))));
    });

    it('have nothing wrong, and their requests are decided as a default cluster does', async () => {
      write('all.yaml', grant('shop') + grant('pay'));
      write('namespaces.yaml', list);
      for (const rule of [undefined, 'required'] as const) {
        assert.deepEqual((await lintFiles([folder], undefined, rule)).problems, []);
        const { isAllowed, answer, problems } = await decide(rule);
        assert.deepEqual([isAllowed, (answer as { policy?: string }).policy, problems], [true, 'pay/pay', []]);
      }
    });

    it('are in each other’s way where whoever comes first holds the host', async () => {
      write('all.yaml', grant('shop') + grant('pay'));
      write('namespaces.yaml', list);
      assert.deepEqual(reasonsOf((await lintFiles([folder], undefined, 'first-come')).problems), ['HostConflict']);
      assert.deepEqual(reasonsOf((await decide('first-come')).problems), ['HostConflict']);
    });

    it('are refused where grants are required and no file holds one', async () => {
      const { problems } = await lintFiles([folder], undefined, 'required');
      assert.deepEqual(reasonsOf(problems), ['HostNotGranted', 'HostNotGranted']);
      assert.equal((await decide('required')).isAllowed, false);
      assert.deepEqual(reasonsOf((await lintFiles([folder], undefined)).problems), ['HostConflict']);
    });

    it('are told that their Namespaces are missing, without which nobody knows who is granted what', async () => {
      write('all.yaml', grant('shop') + grant('pay'));
      write('namespaces.yaml', namespace('shop'));
      assert.deepEqual(await said(), [
        'pay.yaml:4:25: spec.target.hosts[0]: The labels of "pay" are not known, for no Namespace of that name is in these files: add what kubectl get namespaces -o yaml prints; where that changes nothing: No HostGrant gives this namespace "/pay/**" of "api.example.org": claim less, or ask the platform, for some of it lies within what is granted already, and a grant of it would be carved out of that (HostNotGranted)',
      ]);
    });

    it('leave policies of sidecars alone, which claim no hosts', async () => {
      write('all.yaml', grant('shop') + grant('pay'));
      write('namespaces.yaml', list);
      const pods = 'target: {workloadSelector: {matchLabels: {app: orders}}}';
      write(
        'pods.yaml',
        object('APIPolicy', 'pods', `{className: sidecar, ${pods}, ${AUTHENTICATION}, ${AUTHORIZATION}}`),
      );
      assert.deepEqual(await said(), []);
    });
  });

  it('warns of names that no object of the files has', async () => {
    write(
      'a.yaml',
      [
        object('APIRole', 'reader', '{permissions: [{name: p, policyRefs: [{name: ordes}, {name: orders}]}]}'),
        object(
          'APIRoleBinding',
          'readers',
          '{roleRef: {name: reader}, subjects: [{consumer: {name: amce}}, {consumerGroup: {name: partner}}, {consumer: {name: acme}}, {consumerGroup: {name: partners}}]}',
        ),
        object('APIConsumer', 'acme', '{groups: [partners]}'),
      ].join(''),
    );
    write(
      'b.yaml',
      object('APIPolicy', 'orders', `{target: {hosts: [a.example.org]}, ${AUTHENTICATION}, ${AUTHORIZATION}}`),
    );
    assert.deepEqual(
      (await said()).map((line) => line.replace(/^a\.yaml:\d+:\d+: warning: /, '')),
      [
        'spec.permissions[0].policyRefs[0]: No APIPolicy "ordes" of this namespace is in these files: it permits nothing there (PolicyNotFound)',
        'spec.subjects[0]: No APIConsumer "amce" of this namespace is in these files (SubjectNotFound)',
        'spec.subjects[1]: No APIConsumer of this namespace in these files has the group "partner" (SubjectNotFound)',
      ],
    );
  });

  it('takes nothing for missing that is there and wrong', async () => {
    const issuer = '{name: sso, jwt: {issuer: joe, audiences: [a]}}';
    const rules = '[{name: r, allow: {scopes: [x], via: [sso]}}, {name: d, deny: {scopes: [y]}}]';
    write(
      'a.yaml',
      [
        object(
          'APIPolicy',
          'orders',
          `{target: {hosts: [a.example.org]}, authentication: {methods: [${issuer}]}, authorization: {rules: ${rules}}}`,
        ),
        object('APIRole', 'reader', '{inherits: [{name: other}], permissions: []}'),
        object('APIRole', 'other', '{unknown: 1}'),
        object('APIRoleBinding', 'b', '{roleRef: {name: reader}, subjects: [{consumerGroup: {name: partners}}]}'),
        object('APIConsumer', 'acme', '{groups: [partners], unknown: 1}'),
      ].join(''),
    );
    const messages = async (): Promise<string[]> =>
      (await said()).map((line) => line.replace(/^(\w\.yaml):\d+:\d+/, '$1').replace(/: (known|did) .*/, ''));
    const wrong = [
      'a.yaml: spec.authentication.methods[0].jwt.issuer: Keys are discovered only of an issuer that is a URL: set jwks.url or jwks.inline (Invalid)',
      'a.yaml: spec.unknown: Unknown field "unknown"',
      'a.yaml: spec.inherits[0]: No accepted APIRole "other" in this namespace (RoleNotFound)',
      'a.yaml: spec.unknown: Unknown field "unknown"',
    ];
    assert.deepEqual((await messages()).sort(), wrong.toSorted());
    write('a.yaml', object('APIRole', 'reader', '{permissions: [{name: p, policyRefs: [{name: orders}]}]}'));
    write('b.yaml', 'kind: APIPolicy\nmetadata: {name: orders\n');
    assert.deepEqual(
      (await messages()).map((line) => line.slice(0, 6)),
      ['b.yaml'],
    );
  });

  const ofClass = (name: string, className: string): string =>
    object(
      'APIPolicy',
      name,
      `{className: ${className}, target: {hosts: [a.example.org]}, ${AUTHENTICATION}, authorization: {rules: [{name: a, allow: {when: [{expression: "1 +"}]}}]}}`,
    );

  it('names the role that was meant wherever one is misspelt', async () => {
    const rules = 'authorization: {rules: [{name: a, allow: {roles: [raeder]}}]}';
    write(
      'a.yaml',
      [
        object('APIPolicy', 'orders', `{target: {hosts: [a.example.org]}, ${AUTHENTICATION}, ${rules}}`),
        object('APIRole', 'reader', '{permissions: [{name: p, allPolicies: {}}], inherits: [{name: redaer}]}'),
        object('APIRoleBinding', 'readers', '{roleRef: {name: readr}, subjects: [{spiffe: {id: "spiffe://a/b"}}]}'),
      ].join(''),
    );
    const found = (await said()).map((line) => line.replace(/^a\.yaml:\d+:\d+: /, ''));
    assert.deepEqual(found, [
      'spec.authorization.rules[0].allow.roles[0]: No accepted APIRole "raeder" in this namespace (did you mean "reader"?): allow rules grant nothing by it, deny rules hold for everyone (RoleNotFound)',
      'spec.inherits[0]: No accepted APIRole "redaer" in this namespace (did you mean "reader"?) (RoleNotFound)',
      'spec.roleRef: No accepted APIRole "readr" in this namespace (did you mean "reader"?) (RoleNotFound)',
    ]);
  });

  it('finds the mistakes of every class, or of the one that is given', async () => {
    write('a.yaml', `${ofClass('first', 'one')}${ofClass('second', 'two')}`);
    assert.deepEqual(
      (await said()).map((line) => line.slice(0, 9)),
      ['a.yaml:4:', 'a.yaml:9:'],
    );
    assert.deepEqual(
      (await said([folder], 'two')).map((line) => line.slice(0, 9)),
      ['a.yaml:9:'],
    );
    await assert.rejects(
      said([folder], 'three'),
      /^PosternError: no policy of the class "three": the files hold policies of one, two$/,
    );
  });

  it('warns of issuers that an instance of several namespaces would refuse', async () => {
    const methods = [
      '{name: a, jwt: {issuer: "https://a.example.org", audiences: [x], jwks: {url: "http://10.0.0.1/keys"}}}',
      '{name: b, jwt: {issuer: "https://10.0.0.1", audiences: [x]}}',
      '{name: c, jwt: {issuer: "https://169.254.169.254", audiences: [x]}}',
    ];
    write(
      'a.yaml',
      object(
        'APIPolicy',
        'a',
        `{target: {hosts: [a.example.org]}, authentication: {methods: [${methods.join(', ')}]}, ${AUTHORIZATION}}`,
      ),
    );
    const [never, ...open] = (await said()).map((line) => line.replace(/^a\.yaml:\d+:\d+: /, ''));
    assert.match(never ?? '', /^spec\.authentication\.methods\[2\]\.jwt\.issuer: .* never connected to \(Invalid\)$/);
    assert.deepEqual(open, [
      'warning: spec.authentication.methods[0].jwt.jwks.url: "http://10.0.0.1/keys" must be https; so says an instance that serves several namespaces (Invalid)',
      'warning: spec.authentication.methods[1].jwt.issuer: "https://10.0.0.1" must not be used: its address is private: --outbound-allow can add its network; so says an instance that serves several namespaces (Invalid)',
    ]);
  });

  it('says once what is wrong with objects that classes share', async () => {
    write('a.yaml', `${ofClass('first', 'one')}${ofClass('second', 'two')}`);
    write(
      'b.yaml',
      object('APIRoleBinding', 'b', '{roleRef: {name: none}, subjects: [{spiffe: {id: "spiffe://a/b"}}]}'),
    );
    assert.equal((await said()).filter((line) => line.startsWith('b.yaml')).length, 1);
  });

  it('reads files and directories, each file once, and says what stands twice', async () => {
    const first = write('a.yaml', object('APIConsumer', 'acme', '{}'));
    mkdirSync(join(folder, 'more'));
    const second = write('more/b.yaml', object('APIConsumer', 'acme', '{}'));
    assert.deepEqual(await said([first]), []);
    assert.deepEqual(await said([first, first]), []);
    assert.equal((await lintFiles([join(folder, 'more'), second], undefined)).count, 1);
    assert.deepEqual(
      (await said([first, second])).map((line) => line.replace(/ "[^"]*" /, ' … ')),
      [
        'more/b.yaml:3:12: metadata.name: APIConsumer/default/acme stands in … already, which is the one that counts (DuplicateName)',
      ],
    );
  });

  it('fails where nothing can be read, and says where', async () => {
    const none = join(folder, 'none');
    await assert.rejects(said([none]), new RegExp(`there is no file or directory "${none}"$`));
    await assert.rejects(said(), new RegExp(`no YAML or JSON files in "${folder}"$`));
    const text = write('notes.txt', 'x');
    await assert.rejects(said([text]), new RegExp(`"${text}" is no YAML or JSON file$`));
    const empty = write('empty.yaml', '# nothing\n');
    await assert.rejects(said([empty]), new RegExp(`no objects in "${empty}"$`));
    await assert.rejects(said(), new RegExp(`no objects in "${folder}"$`));
  });
});
