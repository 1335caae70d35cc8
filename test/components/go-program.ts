import { copyFile, mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isProgram } from '../../internal/envoy/on-path.ts';
import { CACHE, type Obtained, obtain, progress } from './cache.ts';
import { goBuild } from './go.ts';

/** A program of ours in Go. */
export interface GoProgram {
  /** Of its folder in the cache. */
  readonly name: string;
  /** For messages: "a client by grpc-go". */
  readonly title: string;
  /** Holds `main.go`, `go.mod` and `go.sum`. */
  readonly source: string;
}

const FILES = ['main.go', 'go.mod', 'go.sum'] as const;

/** Builds it the first time, and when its source has changed. */
export function obtainGoProgram({ name, title, source }: GoProgram): Promise<Obtained> {
  const home = join(CACHE, name);
  const binary = join(home, 'program');
  const find = async (): Promise<string | undefined> =>
    (await isProgram(binary)) && (await isSame(source, join(home, 'built'))) ? binary : undefined;
  return obtain({ title, lock: 'go', find, make: () => make({ title, source, home, binary }) });
}

interface Place extends Pick<GoProgram, 'title' | 'source'> {
  readonly home: string;
  readonly binary: string;
}

async function make({ title, source, home, binary }: Place): Promise<void> {
  progress(`Building ${title} …`);
  await copyTo(home, source);
  const to = `${binary}.new`;
  await goBuild({ folder: home, program: '.', flags: '-s -w', to });
  await rename(to, binary);
  // Apart from where it was built: Go may have written into its `go.mod`.
  await copyTo(join(home, 'built'), source);
}

async function copyTo(folder: string, source: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of FILES) await copyFile(join(source, file), join(folder, file));
}

async function isSame(source: string, built: string): Promise<boolean> {
  const text = (folder: string, file: string): Promise<string> =>
    readFile(join(folder, file), 'utf8').catch(() => 'there is none');
  for (const file of FILES) if ((await text(source, file)) !== (await text(built, file))) return false;
  return true;
}
