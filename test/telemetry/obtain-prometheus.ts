import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onPath } from '../../internal/envoy/obtain.ts';
import { CACHE, locked, type Obtained, progress, run } from '../components/cache.ts';

const HOME = join(CACHE, 'prometheus');
const BINARIES = join(HOME, 'usr/bin');

/** The folder that holds `prometheus` and `promtool`: from PATH, else Debian's package, unpacked and not installed. */
export async function obtainPrometheus(): Promise<Obtained> {
  const found = await onPath('prometheus', process.env.PATH ?? '');
  if (found !== undefined && existsSync(join(dirname(found), 'promtool'))) return { path: dirname(found) };
  if (existsSync(BINARIES)) return { path: BINARIES };
  return locked('prometheus', async () => {
    if (existsSync(BINARIES)) return { path: BINARIES };
    try {
      await unpack();
      return { path: BINARIES };
    } catch (error) {
      const why = error instanceof Error ? error.message.slice(-300) : String(error);
      return { missing: `there is no "prometheus" on PATH, and Debian's package cannot be had: ${why}` };
    }
  });
}

async function unpack(): Promise<void> {
  const folder = `${HOME}.new`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  progress('Fetching Prometheus …');
  await run('apt-get', ['download', 'prometheus'], { cwd: folder }).catch(async () => {
    await run('apt-get', ['update', '-qq']);
    await run('apt-get', ['download', 'prometheus'], { cwd: folder });
  });
  const [archive] = readdirSync(folder).filter((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt-get left no package');
  await run('dpkg-deb', ['-x', archive, '.'], { cwd: folder });
  rmSync(HOME, { recursive: true, force: true });
  renameSync(folder, HOME);
}
