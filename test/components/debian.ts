import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from '../../internal/envoy/obtain.ts';
import { CACHE, locked, type Obtained, progress, run } from './cache.ts';

/** Programs out of Debian's packages: unpacked, never installed. The first package of each row holds the program. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  prometheus: ['prometheus'],
  h2load: ['nghttp2-client', 'libev4', 'libjansson4', 'libc-ares2', 'libnghttp2-14', 'libjemalloc2'],
  wrk: ['wrk', 'libluajit-5.1-2', 'libluajit-5.1-common'],
};

/** How to start a program that may need libraries which lie beside it. */
export interface Program {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

export async function obtainDebian(name: keyof typeof PACKAGES & string): Promise<Obtained> {
  const found = await onPath(name, process.env.PATH ?? '');
  if (found !== undefined) return { path: found };
  const home = join(CACHE, `debian-${name}`);
  const program = join(home, 'usr/bin', name);
  if (existsSync(program)) return { path: program };
  return locked(`debian-${name}`, async () => {
    if (existsSync(program)) return { path: program };
    try {
      await unpack(PACKAGES[name] ?? [name], home);
      return existsSync(program) ? { path: program } : { missing: `Debian's packages hold no "${name}"` };
    } catch (error) {
      return {
        missing: `"${name}" is not on PATH, and Debian's packages could not be unpacked: ${String(error).slice(0, 300)}`,
      };
    }
  });
}

async function unpack(packages: readonly string[], home: string): Promise<void> {
  const aside = `${home}.${process.pid}`;
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  progress(`Unpacking ${packages.join(', ')} …`);
  const download = (): Promise<unknown> => run('apt-get', ['download', '-q', ...packages], { cwd: aside });
  // On a new machine there are no lists yet.
  await download().catch(() => run('apt-get', ['update', '-q'], { maxBuffer: 64 * 1024 * 1024 }).then(download));
  for (const file of readdirSync(aside).filter((entry) => entry.endsWith('.deb'))) {
    await run('dpkg-deb', ['-x', join(aside, file), aside]);
    rmSync(join(aside, file));
  }
  rmSync(home, { recursive: true, force: true });
  renameSync(aside, home);
}

/** The environment in which an unpacked program finds its libraries. */
export function libraryPath(program: string): Record<string, string> {
  const root = join(program, '../../..');
  const folders = ['usr/lib/x86_64-linux-gnu', 'usr/lib/aarch64-linux-gnu', 'lib/x86_64-linux-gnu', 'usr/lib'].map(
    (folder) => join(root, folder),
  );
  return { LD_LIBRARY_PATH: folders.filter(existsSync).join(':') };
}
