import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { bundle } from './bundle.ts';
import { postern, ROOT, type Said } from './command.ts';

const MANIFEST = `# the shop's
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders}
spec:
  selector: {matchLabels: {app: orders}}
  template:
    metadata: {labels: {app: orders}}
    spec: {containers: [{name: envoy, image: envoy}]}
`;

describe('postern inject', () => {
  let folder = '';
  let main = '';
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postern-inject-'));
    main = await bundle(join(folder, 'bundle'));
    writeFileSync(join(folder, 'deployment.yaml'), MANIFEST);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (args: readonly string[]): Promise<Said> => postern(['inject', ...args], { main, cwd: folder });
  const sidecarIn = (text: string) => parse(text).spec.template.spec.initContainers[0];

  it('writes manifests with the sidecar, as docs/sidecars.md has it', async () => {
    const page = readFileSync(join(ROOT, 'docs/sidecars.md'), 'utf8');
    const command =
      /^npm run -s policy -- inject (.*) \| kubectl apply -f -$/m.exec(page)?.[1] ?? assert.fail('no command');
    const { code, out, err } = await run(command.split(' '));
    assert.deepEqual([code, err], [0, '1 found, 1 injected\n']);
    assert.ok(out.startsWith("# the shop's\n"));
    assert.equal(sidecarIn(out).image, 'registry.example.org/postern:0.1.0');
  });

  it('gives the sidecar options, and its class and port', async () => {
    const options = ['--option', 'client-address=direct', '--option', 'grpc-reflection'];
    const { out } = await run(['-f', 'deployment.yaml', '--class', 'mesh', '--admin-port', '9999', ...options]);
    const { args, ports } = sidecarIn(out);
    assert.deepEqual(args.slice(-2), ['--client-address=direct', '--grpc-reflection']);
    assert.ok(args.includes('--class=mesh') && args.includes('--admin-addr=:9999'));
    assert.equal(ports[0].containerPort, 9999);
  });

  it('reads standard input, and leaves what it wrote as it is', async () => {
    const { out: once } = await run(['-f', 'deployment.yaml']);
    const again = await new Promise<string>((done, fail) => {
      const child = execFile(process.execPath, [main, 'inject', '-f', '-'], (error, stdout) =>
        error === null ? done(stdout) : fail(error),
      );
      child.stdin?.end(once);
    });
    assert.equal(again, once);
  });

  it('says of a file without Pods that nothing is injected, and passes it on', async () => {
    writeFileSync(join(folder, 'service.yaml'), '{apiVersion: v1, kind: Service, metadata: {name: s}}\n');
    const { code, out, err } = await run(['-f', 'service.yaml']);
    assert.deepEqual([code, out], [0, readFileSync(join(folder, 'service.yaml'), 'utf8')]);
    assert.equal(
      err,
      'warning: no Pods there, and nothing that makes them: nothing is injected\n0 found, 0 injected\n',
    );
  });

  for (const [args, said] of [
    [[], /Required option '-f, --filename <file>' not specified/],
    [['-f', 'nowhere.yaml'], /^error: ".*nowhere\.yaml" cannot be read: ENOENT/],
    [
      ['-f', 'bad.yaml'],
      /^error: bad\.yaml:1: document 1: Pod "p": spec\.containers must name at least one container\n/,
    ],
    [['-f', 'deployment.yaml', '--admin-port', '80'], /It is no port from 1024 to 65535/],
    [['-f', 'deployment.yaml', '--class', 'No'], /--class "No" is not a name/],
    [['-f', 'deployment.yaml', '--option', 'clientaddress=direct'], /Unknown flag "--clientaddress": the nearest is/],
    [['-f', 'deployment.yaml', '--option', 'bodies=yes'], /--bodies "yes" is not one of unknown, forwarded/],
    [['-f', 'deployment.yaml', '--option', 'namespace=web'], /--option namespace: the sidecar has this for its own/],
    [['-f', 'deployment.yaml', '--option', 'drain-delay=6s'], /--drain-delay, 6s, is longer than --drain-timeout, 5s/],
    [['-f', 'deployment.yaml', '--option', 'client-address'], /--option client-address has no value: write/],
    [['-f', 'deployment.yaml', '--class', 'postern'], /--class "postern" is the class of gateways: .*"sidecar" say/],
    [['-f', 'deployment.yaml', '--image', 'x y'], /--image "x y" is no image: write it as/],
    [['-f', 'deployment.yaml', '--image-pull-policy', 'Often'], /Allowed choices are Always, IfNotPresent, Never/],
    ...['x', '[]', '{"limit": {}}', '{"limits": {"cpu": null}}'].map(
      (json) =>
        [['-f', 'deployment.yaml', '--resources', json], /^error: --resources has another shape: write it/] as const,
    ),
    ...['{}', '["A=b"]', '[{"value": "x"}]', '[{"name": "PORT", "value": 80}]', '[{"name": "A", "valu": "b"}]'].map(
      (json) => [['-f', 'deployment.yaml', '--env', json], /^error: --env has another shape: write it/] as const,
    ),
    [
      ['-f', 'deployment.yaml', '--env', '[{"name": "KUBERNETES_SERVICE_HOST", "value": "evil"}]'],
      /^error: --env "KUBERNETES_SERVICE_HOST": variables of the sidecar begin with OTEL_ or NODE_; what serve/,
    ],
    [['-f', 'deployment.yaml', '--option', 'host-grants=first-come'], /--host-grants has no effect in a sidecar class/],
  ] as const) {
    it(`refuses ${args.join(' ') || 'no file'}, and writes nothing`, async () => {
      writeFileSync(join(folder, 'bad.yaml'), '{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {}}\n');
      const { code, out, err } = await run(args);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, said);
    });
  }
});
