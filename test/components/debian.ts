import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeAside } from '../../internal/envoy/aside.ts';
import { isProgram, onPath } from '../../internal/envoy/on-path.ts';
import { CACHE, type Obtained, obtain, progress, run } from './cache.ts';

interface Package {
  readonly name: string;
  /** Where the program lies in the package. */
  readonly program: string;
  /** Ends with 0 or 1 where the program has its libraries. */
  readonly says: string;
}

/** Programs out of Debian's packages, unpacked and never installed, with the libraries that this machine lacks. */
const PACKAGES = {
  h2load: { name: 'nghttp2-client', program: 'usr/bin/h2load', says: '--version' },
  nghttp: { name: 'nghttp2-client', program: 'usr/bin/nghttp', says: '--version' },
  nginx: { name: 'nginx', program: 'usr/sbin/nginx', says: '-v' },
  wrk: { name: 'wrk', program: 'usr/bin/wrk', says: '--version' },
} as const satisfies Record<string, Package>;
export type DebianProgram = keyof typeof PACKAGES;

const LAUNCHER = 'run';
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** A program to start: from PATH, else a script that starts the unpacked one with its libraries. */
export async function obtainDebian(name: DebianProgram): Promise<Obtained> {
  const found = await onPath(name, process.env.PATH ?? '');
  if (found !== undefined) return { path: found };
  const home = join(CACHE, `debian-${name}`);
  const path = join(home, LAUNCHER);
  const find = async (): Promise<string | undefined> => ((await isProgram(path)) ? path : undefined);
  const make = (): Promise<void> => makeAside(home, (folder) => unpack(name, folder));
  return obtain({ title: `"${name}"`, lock: 'debian', find, make });
}

async function unpack(name: DebianProgram, folder: string): Promise<void> {
  const apt = await onPath('apt-get', process.env.PATH ?? '');
  if (apt === undefined) throw new Error('it is not on PATH, and there is no "apt-get" to fetch it with');
  progress(`Fetching ${name} …`);
  const downloads = join(folder, 'downloads');
  await mkdir(downloads);
  const options = await download(PACKAGES[name].name, downloads, []).then(
    () => undefined,
    () => privateLists(),
  );
  // The lists of a new machine are empty or old; ours are fetched beside them, which needs no rights.
  if (options !== undefined) await download(PACKAGES[name].name, downloads, options);
  for (const file of (await readdir(downloads)).filter((entry) => entry.endsWith('.deb')))
    await run('dpkg-deb', ['-x', join(downloads, file), folder]);
  await rm(downloads, { recursive: true });
  await writeLauncher(name, folder);
}

/** The package and what it needs that is not installed: a simulated install knows, whatever the release calls it. */
async function download(name: string, folder: string, options: readonly string[]): Promise<void> {
  const limits = { cwd: folder, maxBuffer: MAX_OUTPUT_BYTES };
  const simulated = ['install', '--simulate', '--no-install-recommends', name];
  const { stdout } = await run('apt-get', [...options, ...simulated], limits);
  const wanted = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  // An installed package whose program is not on PATH.
  const names = wanted.length === 0 ? [name] : wanted;
  await run('apt-get', [...options, 'download', '-q', ...names], limits);
}

async function privateLists(): Promise<readonly string[]> {
  const apt = join(CACHE, 'apt');
  await mkdir(join(apt, 'lists/partial'), { recursive: true });
  await mkdir(join(apt, 'archives/partial'), { recursive: true });
  const settings = [`Dir::State::lists=${apt}/lists`, `Dir::Cache=${apt}`, 'Debug::NoLocking=true'];
  // Root hands downloads to a user who may not write here.
  const options = [...settings, 'APT::Sandbox::User=root'].flatMap((setting) => ['-o', setting]);
  await run('apt-get', [...options, 'update', '-q'], { maxBuffer: MAX_OUTPUT_BYTES });
  return options;
}

/** `$0` and not this folder: the whole lies elsewhere when it is used. */
async function writeLauncher(name: DebianProgram, folder: string): Promise<void> {
  const lines = [
    '#!/bin/sh',
    'home=$(dirname "$0")',
    'for folder in "$home"/usr/lib/*-linux-gnu "$home"/lib/*-linux-gnu; do',
    '  LD_LIBRARY_PATH=$folder$' + '{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}',
    'done',
    'export LD_LIBRARY_PATH',
    `exec "$home/${PACKAGES[name].program}" "$@"`,
    '',
  ];
  const path = join(folder, LAUNCHER);
  await writeFile(path, lines.join('\n'));
  await chmod(path, 0o755);
  // Not every program has a way to say its version that ends with 0; one that lacks a library ends with 127.
  const { code } = await run(path, [PACKAGES[name].says]).then(
    () => ({ code: 0 }),
    (error: { code?: number }) => ({ code: error.code ?? 1 }),
  );
  if (code > 1) throw new Error(`"${name}" of Debian's package does not run on this machine`);
}
