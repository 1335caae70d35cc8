import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CACHE, locked, type Obtained, progress, run } from '../components/cache.ts';

const VERSION = '1.85.0';

/** Number, type, label, name of the type, name of the oneof. */
export type FieldShape = readonly [number, string, string, string, string | null];

export interface Described {
  readonly messages: Readonly<Record<string, Readonly<Record<string, FieldShape>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly methods: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A Python with Envoy's published descriptors (PyPI `xds-protos`) in an environment of its own. */
export function obtainXdsProtos(): Promise<Obtained> {
  const folder = join(CACHE, `xds-protos-${VERSION}`);
  const python = join(folder, 'bin/python3');
  const done = join(folder, 'complete');
  return locked('xds-protos', async () => {
    if (existsSync(done)) return { path: python };
    try {
      progress(`installing xds-protos ${VERSION}`);
      rmSync(folder, { recursive: true, force: true });
      await run('python3', ['-m', 'venv', folder]);
      await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `xds-protos==${VERSION}`]);
      writeFileSync(done, '');
      return { path: python };
    } catch (error) {
      return { missing: `xds-protos ${VERSION}: ${error instanceof Error ? error.message : String(error)}` };
    }
  });
}

/** What our files say and what is published under the same names. */
export async function describeProtos(
  python: string,
  files: readonly Uint8Array[],
): Promise<{ readonly ours: Described; readonly published: Described }> {
  const folder = mkdtempSync(join(tmpdir(), 'protos-'));
  try {
    const paths = files.map((bytes, i) => {
      const path = join(folder, `${i}.binpb`);
      writeFileSync(path, bytes);
      return path;
    });
    const script = resolve(import.meta.dirname, 'describe-protos.py');
    const { stdout } = await run(python, [script, ...paths], { maxBuffer: 64 * 1024 * 1024 });
    return JSON.parse(stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
