import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Makes the folder `home` whole or not at all: `fill` works in a folder beside it, which takes its place when that
 * went well. Call it under a lock for `home`: what earlier processes left, killed halfway, is removed first.
 */
export async function makeAside(home: string, fill: (folder: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(home), { recursive: true });
  await removeLeftovers(home);
  const aside = `${home}.${randomBytes(4).toString('hex')}.partial`;
  try {
    await mkdir(aside);
    await fill(aside);
    await rm(home, { recursive: true, force: true });
    await rename(aside, home);
  } finally {
    await remove(aside);
  }
}

async function removeLeftovers(home: string): Promise<void> {
  const names = await readdir(dirname(home));
  const partial = names.filter((name) => name.startsWith(`${basename(home)}.`) && name.endsWith('.partial'));
  for (const name of partial) await remove(join(dirname(home), name));
}

/** Somebody's download may still be writing there, without its parent; it is left to the next time. */
const remove = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true }).catch(() => undefined);
