import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from '../../internal/envoy/obtain.ts';
import { CACHE, locked, type Obtained, progress, run } from '../components/cache.ts';

const UNSTABLE = '0.165.0';
const STABLE = '1.71.0';
const HOME = join(CACHE, `collector-${UNSTABLE}`);
const BINARY = join(HOME, 'collector');
const MODULES: Readonly<Record<string, string>> = {
  component: STABLE,
  confmap: STABLE,
  'confmap/provider/yamlprovider': STABLE,
  exporter: STABLE,
  'exporter/otlphttpexporter': UNSTABLE,
  otelcol: UNSTABLE,
  receiver: STABLE,
  'receiver/otlpreceiver': UNSTABLE,
  service: UNSTABLE,
};

/** The OpenTelemetry Collector, built from its modules the first time. */
export async function obtainCollector(): Promise<Obtained> {
  if (existsSync(BINARY)) return { path: BINARY };
  const go = await onPath('go', process.env.PATH ?? '');
  if (go === undefined) return { missing: 'there is no "go" on PATH to build the OpenTelemetry Collector with' };
  return locked('collector', async () => {
    if (existsSync(BINARY)) return { path: BINARY };
    try {
      await build(go);
      return { path: BINARY };
    } catch (error) {
      const why = error instanceof Error ? error.message.slice(-500) : String(error);
      return { missing: `the OpenTelemetry Collector could not be built: ${why}` };
    }
  });
}

async function build(go: string): Promise<void> {
  mkdirSync(HOME, { recursive: true });
  copyFileSync(join(import.meta.dirname, 'collector/main.go'), join(HOME, 'main.go'));
  const required = Object.entries(MODULES).map(
    ([name, version]) => `go.opentelemetry.io/collector/${name} v${version}`,
  );
  writeFileSync(join(HOME, 'go.mod'), `module collector\n\ngo 1.26\n\nrequire (\n\t${required.join('\n\t')}\n)\n`);
  const options = { cwd: HOME, env: { ...process.env, GOFLAGS: '-mod=mod' }, maxBuffer: 64 * 1024 * 1024 };
  await run(go, ['mod', 'tidy'], options);
  progress('Building the OpenTelemetry Collector (the first time two minutes) …');
  await run(go, ['build', '-ldflags', '-s -w', '-o', `${BINARY}.new`, '.'], options);
  renameSync(`${BINARY}.new`, BINARY);
}
