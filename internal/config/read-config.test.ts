import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_BOUNDS } from '../http2/bounds.ts';
import { type ConfigResult, type ConfigSources, readConfig } from './read-config.ts';

const read = (sources: Partial<ConfigSources> & { file?: string }): ConfigResult =>
  readConfig({
    flags: {},
    env: {},
    readFile: () => {
      if (sources.file === undefined) throw new Error('no such file');
      return sources.file;
    },
    ...sources,
  });

const configOf = (result: ConfigResult) => {
  assert.deepEqual(result.ok ? [] : result.problems, []);
  assert.ok(result.ok);
  return result.config;
};

const problemsOf = (result: ConfigResult): readonly string[] => (result.ok ? [] : result.problems);

const standalone = { policies: 'policies' } as const;

describe('readConfig()', () => {
  it('needs a source of policies and nothing else', () => {
    const { outbound, ...config } = configOf(read({ flags: standalone }));
    assert.deepEqual(config, {
      source: { kind: 'directory', directory: 'policies' },
      className: 'postern',
      sidecar: undefined,
      edge: {
        clientAddress: { kind: 'unset' },
        bodiesForwarded: false,
        transportTls: false,
        trustContextExtensions: true,
      },
      routeMetadata: 'optional',
      unmatched: 'deny',
      hostGrants: 'first-come',
      clusterIssuer: undefined,
      grpcAddress: { kind: 'tcp', host: '127.0.0.1', port: 9191 },
      adminAddress: { kind: 'tcp', host: '', port: 9193 },
      debugAddress: { kind: 'tcp', host: '127.0.0.1', port: 9194 },
      tls: undefined,
      checkTimeoutMs: 150,
      drainTimeoutMs: 20_000,
      drainDelayMs: 3000,
      maxConnectionAgeMs: 300_000,
      maxLimitKeys: 1_000_000,
      namespaceBudget: undefined,
      objectBudget: undefined,
      maxReceiveBytes: 2_097_152,
      transport: 'native',
      grpcAuxAddress: undefined,
      http2: DEFAULT_BOUNDS,
      http: undefined,
      grpcReflection: false,
      workers: 1,
      logLevel: 'info',
      given: ['policies=policies (--policies)'],
      texts: { policies: 'policies' },
    });
    assert.deepEqual([outbound.isOpen, outbound.allow.texts], [true, []]);
  });

  it('is frozen', () => {
    const config = configOf(read({ flags: standalone }));
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.edge) && Object.isFrozen(config.source));
  });

  it('takes a flag before a variable, a variable before the file, the file before the default', () => {
    const file = 'class: from-file\nlog-level: warn\nbodies: forwarded\n';
    const env = { POSTERN_CONFIG: 'postern.yaml', POSTERN_CLASS: 'from-env', POSTERN_LOG_LEVEL: 'debug' };
    const config = configOf(read({ flags: { ...standalone, class: 'from-flag' }, env, file }));
    assert.deepEqual(
      [config.className, config.logLevel, config.edge.bodiesForwarded, config.unmatched],
      ['from-flag', 'debug', true, 'deny'],
    );
    assert.deepEqual(config.given, [
      'class=from-flag (--class)',
      'log-level=debug (POSTERN_LOG_LEVEL)',
      'bodies=forwarded (postern.yaml:3: bodies)',
      'config=postern.yaml (POSTERN_CONFIG)',
      'policies=policies (--policies)',
    ]);
  });

  it('ignores the variables that Kubernetes sets for Services called postern', () => {
    const env = {
      POSTERN_SERVICE_HOST: '10.0.0.7',
      POSTERN_SERVICE_PORT: '9191',
      POSTERN_SERVICE_PORT_GRPC: '9191',
      POSTERN_PORT: 'tcp://10.0.0.7:9191',
      POSTERN_PORT_9191_TCP: 'tcp://10.0.0.7:9191',
      POSTERN_PORT_9191_TCP_ADDR: '10.0.0.7',
      POSTERN_X_SERVICE_HOST: '10.0.0.8',
      POSTERN_X_PORT_9193_TCP_PROTO: 'tcp',
      PATH: '/bin',
    };
    assert.deepEqual(configOf(read({ flags: standalone, env })), configOf(read({ flags: standalone })));
  });

  it('names the nearest of an unknown flag, variable and key of the file', () => {
    const result = read({
      flags: { ...standalone, config: 'f.yaml', 'grcp-addr': ':1' },
      env: { POSTERN_LOGLEVEL: 'debug' },
      file: '# options\nunmached: allow\n',
    });
    assert.deepEqual(problemsOf(result), [
      'Unknown flag "--grcp-addr": the nearest is "--grpc-addr"',
      'Unknown variable "POSTERN_LOGLEVEL": the nearest is "POSTERN_LOG_LEVEL"',
      'f.yaml:2: Unknown option "unmached": the nearest is "unmatched"',
    ]);
  });

  it('does not guess what a name like none could mean', () => {
    assert.deepEqual(problemsOf(read({ flags: standalone, env: { POSTERN_ZZZZZZZZZZZZ: '1' } })), [
      'Unknown variable "POSTERN_ZZZZZZZZZZZZ": none is like it, see --help',
    ]);
  });

  it('refuses an empty value, which could switch off what was meant to be on', () => {
    const env = { POSTERN_CLIENT_CA: '', POSTERN_NAMESPACE: '' };
    assert.deepEqual(problemsOf(read({ flags: standalone, env })), [
      'POSTERN_CLIENT_CA is empty: give it a value, or leave it out',
      'POSTERN_NAMESPACE is empty: give it a value, or leave it out',
    ]);
  });

  it('refuses a drain delay longer than the drain, and takes a drain shorter than the delay that nobody gave', () => {
    assert.deepEqual(problemsOf(read({ flags: { ...standalone, 'drain-delay': '30s' } })), [
      '--drain-delay, 30s, is longer than --drain-timeout, 20s, of which it is a part',
    ]);
    assert.equal(configOf(read({ flags: { ...standalone, 'drain-timeout': '1s' } })).drainTimeoutMs, 1000);
    const flags = { ...standalone, 'drain-timeout': '30s', 'drain-delay': '30s' };
    assert.equal(configOf(read({ flags })).drainDelayMs, 30_000);
  });

  it('does not repeat a value that is wrong as a whole', () => {
    const flags = { kube: true, namespace: 'Shop', 'policy-selector': 'x in (', 'outbound-allow': 'all' };
    assert.deepEqual(problemsOf(read({ flags: { ...flags, 'host-grants': 'first-come' } })), [
      '--namespace "Shop" is no list of namespaces: write their names separated by commas',
      '--policy-selector "x in (" is no label selector: write one as in "team=shop"',
      '--outbound-allow "all" is not an IP network: write it as "192.0.2.0/24" or "2001:db8::/32"',
    ]);
  });

  it('says all problems at once, each with where it was written', () => {
    const flags = { ...standalone, 'check-timeout': '1d', 'debug-addr': ':9194', 'max-limit-keys': 'many' };
    assert.deepEqual(problemsOf(read({ flags })), [
      '--debug-addr ":9194" is reachable from outside: write an address of 127.0.0.0/8, "[::1]:PORT", "unix:/path" or "off"',
      '--check-timeout "1d" is not a duration: write days as hours, "24h"',
      '--max-limit-keys "many" is not a whole number from 1000 to 100000000',
    ]);
  });

  it('refuses no source, two sources, and options of the other mode', () => {
    const flags = { ...standalone, kubeconfig: 'k', namespace: 'shop', 'policy-selector': 'a=b' };
    assert.deepEqual(
      [
        read({}),
        read({ flags: { ...standalone, kube: true } }),
        read({ flags: { namespace: 'shop' } }),
        read({ flags }),
      ].map(problemsOf),
      [
        ['Nothing to serve: write --policies DIR (standalone) or --kube (Kubernetes)'],
        ['--policies and --kube exclude each other'],
        ['--namespace has no effect without --kube'],
        [
          '--kubeconfig has no effect without --kube',
          '--namespace has no effect without --kube',
          '--policy-selector has no effect without --kube',
        ],
      ],
    );
  });

  it('opens an HTTP door where it is told to, for loopback unless told for whom', () => {
    const { http } = configOf(read({ flags: { ...standalone, 'http-addr': ':9192', 'http-carried-headers': 'X-A' } }));
    assert.deepEqual(
      [http?.address, http?.trustedPeers.texts, http?.carriedHeaders],
      [{ kind: 'tcp', host: '', port: 9192 }, ['127.0.0.0/8', '::1'], new Set(['x-a'])],
    );
    const flags = { ...standalone, 'http-trusted-peers': '10.0.0.0/8', 'http-carried-headers': 'x-a' };
    assert.deepEqual(problemsOf(read({ flags })), [
      '--http-trusted-peers has no effect without --http-addr',
      '--http-carried-headers has no effect without --http-addr',
    ]);
    const everybody = { ...standalone, 'http-addr': ':9192', 'http-trusted-peers': '0.0.0.0/0' };
    assert.match(problemsOf(read({ flags: everybody }))[0] ?? '', /trusts every address/);
  });

  it('refuses half of a TLS configuration', () => {
    const half = read({ flags: { ...standalone, 'tls-cert': 'c.pem' } });
    const clientsOnly = read({ flags: { ...standalone, 'client-ca': 'ca.pem' } });
    assert.deepEqual(problemsOf(half), ['--tls-cert and --tls-key must be given together']);
    assert.deepEqual(problemsOf(clientsOnly), ['--client-ca has no effect without --tls-cert and --tls-key']);
  });

  it('makes a sidecar of the labels of its Pod: of one namespace, on loopback, without words of route owners', () => {
    const flags = { kube: true, namespace: 'shop', 'workload-labels': '/etc/podinfo/labels' };
    const { sidecar, grpcAddress, edge, outbound } = configOf(read({ flags }));
    assert.deepEqual(sidecar, { kind: 'agent', labelsFile: '/etc/podinfo/labels' });
    assert.deepEqual(grpcAddress, { kind: 'tcp', host: '127.0.0.1', port: 9191 });
    assert.deepEqual([edge.trustContextExtensions, outbound.isOpen], [false, true]);
  });

  it('judges a sidecar class of several namespaces as its sidecars do', () => {
    const { sidecar, edge, outbound } = configOf(read({ flags: { kube: true, 'sidecar-class': true } }));
    assert.deepEqual([sidecar, edge.trustContextExtensions, outbound.isOpen], [{ kind: 'class' }, false, true]);
  });

  it('refuses what does not go with a sidecar class', () => {
    const labels = { kube: true, 'workload-labels': 'f' };
    const of = (flags: Readonly<Record<string, string | boolean>>) => problemsOf(read({ flags }));
    const needsOne = ['--workload-labels needs one --namespace: that of its Pod'];
    assert.deepEqual([of(labels), of({ ...labels, namespace: 'a,b' })], [needsOne, needsOne]);
    assert.deepEqual(of({ ...standalone, 'workload-labels': 'f' }), ['--workload-labels has no effect without --kube']);
    assert.deepEqual(of({ ...labels, namespace: 'shop', 'sidecar-class': true }), [
      '--workload-labels and --sidecar-class exclude each other: an instance is one sidecar, or the one that judges the policies of all',
    ]);
    const others = { 'host-grants': 'first-come', 'route-metadata': 'required', 'trust-context-extensions': true };
    assert.deepEqual(
      of({ ...labels, namespace: 'shop', ...others }),
      Object.keys(others).map((name) => `--${name} has no effect in a sidecar class, whose policies select Pods`),
    );
  });

  it('bounds what each of several namespaces may have, and one only where that is written', () => {
    const budgetOf = (flags: Record<string, string | boolean>) => configOf(read({ flags })).namespaceBudget;
    assert.deepEqual(budgetOf({ kube: true }), { policies: 10_000, bytes: 268_435_456 });
    assert.deepEqual(budgetOf({ kube: true, 'namespace-policies': '50' }), { policies: 50, bytes: 268_435_456 });
    assert.deepEqual(budgetOf({ kube: true, namespace: 'shop,pay' }), { policies: 10_000, bytes: 268_435_456 });
    assert.equal(budgetOf({ kube: true, namespace: 'shop' }), undefined);
    assert.equal(budgetOf({ kube: true, 'sidecar-class': true }), undefined);
    assert.deepEqual(budgetOf({ ...standalone, 'namespace-policy-bytes': '2Mi' }), {
      policies: Infinity,
      bytes: 2_097_152,
    });
    const objectBudgetOf = (flags: Record<string, string | boolean>) => configOf(read({ flags })).objectBudget;
    assert.deepEqual(objectBudgetOf({ kube: true }), { objects: 100_000, bytes: 268_435_456 });
    assert.deepEqual(objectBudgetOf({ kube: true, namespace: 'shop', 'namespace-objects': '7' }), {
      objects: 7,
      bytes: Infinity,
    });
    for (const more of [
      { namespace: 'shop' },
      { 'sidecar-class': true },
      { namespace: 'shop', 'namespace-policies': '5' },
    ])
      assert.equal(objectBudgetOf({ kube: true, ...more }), undefined);
    const flags = { kube: true, 'namespace-policies': '0', 'namespace-policy-bytes': '1' };
    assert.deepEqual(problemsOf(read({ flags })), [
      '--namespace-policies "0" is not a whole number from 1 to 10000000',
      '--namespace-policy-bytes "1" is out of range: write a size from 1048576 to 1099511627776 bytes',
    ]);
  });

  it('requires grants where several namespaces are watched, and takes either rule where it is written', () => {
    const rules: readonly (readonly [Record<string, string | boolean>, string])[] = [
      [{ kube: true }, 'required'],
      [{ kube: true, namespace: 'shop,web' }, 'required'],
      [{ kube: true, namespace: 'shop' }, 'first-come'],
      [standalone, 'first-come'],
      [{ kube: true, 'host-grants': 'first-come' }, 'first-come'],
      [{ kube: true, namespace: 'shop', 'host-grants': 'required' }, 'required'],
      [{ ...standalone, 'host-grants': 'required' }, 'required'],
    ];
    assert.deepEqual(
      rules.map(([flags]) => configOf(read({ flags })).hostGrants),
      rules.map(([, rule]) => rule),
    );
  });

  it('believes context extensions and opens outbound only where one owner writes policies and options', () => {
    const modes: Record<string, string | boolean>[] = [
      standalone,
      { kube: true, namespace: 'shop' },
      { kube: true, namespace: 'shop,web', 'host-grants': 'first-come' },
      { kube: true, 'host-grants': 'first-come' },
      { kube: true, 'host-grants': 'first-come', 'trust-context-extensions': true },
      { ...standalone, 'trust-context-extensions': 'false' },
    ];
    const found = modes.map((flags) => configOf(read({ flags })));
    assert.deepEqual(
      found.map((config) => [config.edge.trustContextExtensions, config.outbound.isOpen]),
      [
        [true, true],
        [true, true],
        [false, false],
        [false, false],
        [true, false],
        [false, true],
      ],
    );
  });

  it('listens on every interface as a gateway', () => {
    const config = configOf(read({ flags: { kube: 'true', namespace: 'shop', 'debug-addr': 'off' } }));
    assert.deepEqual(config.grpcAddress, { kind: 'tcp', host: '', port: 9191 });
    assert.equal(config.debugAddress, undefined);
  });
});

describe('readConfig() of a file', () => {
  const fromFile = (file: string): ConfigResult => read({ flags: { ...standalone, config: 'f.yaml' }, file });

  it('takes lists where the option is one, and words as they are spelt', () => {
    const file = 'kube: true\nnamespace: [shop, web]\nhost-grants: first-come\nmax-limit-keys: 5000\nclass: 007\n';
    const config = configOf(read({ flags: { config: 'f.yaml' }, file }));
    assert.deepEqual(config.source, {
      kind: 'kube',
      kubeconfig: undefined,
      namespaces: ['shop', 'web'],
      policySelector: undefined,
    });
    assert.deepEqual([config.maxLimitKeys, config.className], [5000, '007']);
  });

  it('refuses repeated keys, other shapes, a file of its own and broken YAML, with the line', () => {
    const wrong = [
      'class: a\nclass: b\n',
      '- class\n',
      'config: g.yaml\n',
      'class: [a]\n',
      'class: {a: b}\n',
      'a: b: c\n',
    ];
    assert.deepEqual(
      wrong.map((file) => problemsOf(fromFile(file)).map((problem) => problem.slice(0, 34))),
      [
        ['f.yaml:2: "class" stands here a se'],
        ['f.yaml:1: The file must be a mappi'],
        ['f.yaml:1: Unknown option "config":'],
        ['f.yaml:1: class must be one value'],
        ['f.yaml:1: class must be one value'],
        ['f.yaml:1: Nested mappings are not '],
      ],
    );
  });

  it('says nothing of what is missing while the file cannot be read, for it may stand there', () => {
    const alone = (file: string): ConfigResult => read({ flags: { config: 'f.yaml', 'tls-key': 'k.pem' }, file });
    assert.deepEqual(problemsOf(alone('polices: policies\ncheck-timeout: 1d\n')), [
      'f.yaml:1: Unknown option "polices": the nearest is "policies"',
      'f.yaml:2: check-timeout "1d" is not a duration: write days as hours, "24h"',
    ]);
    assert.deepEqual(problemsOf(read({ flags: { config: 'f.yaml' } })), ['--config: no such file']);
  });

  it('counts paths from the folder of the file', () => {
    const file = 'policies: ../policies\ntls-cert: tls.crt\ntls-key: /run/tls.key\n';
    const config = configOf(read({ flags: { config: '/etc/postern/f.yaml' }, file }));
    assert.deepEqual(
      [config.source, config.tls],
      [
        { kind: 'directory', directory: '/etc/policies' },
        { certFile: '/etc/postern/tls.crt', keyFile: '/run/tls.key', clientCaFile: undefined },
      ],
    );
  });

  it('says of a repeated key where it stands and stood', () => {
    const again = (line: number): string =>
      `f.yaml:${line}: "class" stands here a second time: take it out here or in line 1`;
    assert.deepEqual(problemsOf(fromFile('class: a\nlog-level: info\nclass: b\nclass: c\n')), [again(3), again(4)]);
  });

  it('refuses an empty value of the file', () => {
    assert.deepEqual(problemsOf(fromFile('client-ca:\n')), [
      'f.yaml:1: client-ca is empty: give it a value, or leave it out',
    ]);
  });

  it('says that the file cannot be read', () => {
    assert.deepEqual(problemsOf(read({ flags: { ...standalone, config: 'f.yaml' } })), ['--config: no such file']);
  });

  it('takes an empty file for no options', () => {
    assert.equal(configOf(fromFile('# nothing\n')).className, 'postern');
  });
});
