import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PosternError } from '../core/error.ts';
import { whyOf } from './read-text.ts';

const MAX_FILES = 10_000;
const MAX_DIRECTORIES = 1000;
/** JSON is YAML too. */
export const IS_POLICY_FILE = /\.(ya?ml|json)$/;

/** What lies below a directory, by names relative to it, in the order of these names. */
export interface Listing {
  readonly names: readonly string[];
  /** Directories of which nobody knows now what is in them, and why. */
  readonly unlisted: ReadonlyMap<string, string>;
}

/**
 * Every `*.yaml`, `*.yml` and `*.json` below a directory, whatever it is: a link, a pipe. Links to directories are
 * followed, each directory once. Names that begin with a dot are left out: Kubernetes keeps a ConfigMap's files behind
 * `..data`, and links to them.
 *
 * @throws {PosternError} ERR_POSTERN_FILE when there are more than anybody means to have
 */
export async function listFiles(root: string): Promise<Listing> {
  const names: string[] = [];
  const unlisted = new Map<string, string>();
  const seen = new Set<string>();
  const open = [''];
  // After all others, so that a directory has the name under which it lies there.
  const links: string[] = [];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop() ?? links.shift()) {
    try {
      const { dev, ino } = await stat(join(root, directory));
      if (seen.has(`${dev}:${ino}`)) continue;
      seen.add(`${dev}:${ino}`);
      const entries = await readdir(join(root, directory), { withFileTypes: true });
      for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        if (entry.name.startsWith('.')) continue;
        const name = directory === '' ? entry.name : `${directory}/${entry.name}`;
        if (IS_POLICY_FILE.test(entry.name)) names.push(name);
        if (entry.isDirectory()) open.push(name);
        else if (entry.isSymbolicLink() && (await isDirectory(join(root, name)))) links.push(name);
      }
    } catch (error) {
      unlisted.set(directory, whyOf(error));
    }
    if (names.length > MAX_FILES || seen.size > MAX_DIRECTORIES) {
      const why = `it holds more than ${MAX_FILES} files or ${MAX_DIRECTORIES} directories`;
      throw new PosternError('ERR_POSTERN_FILE', `Cannot read the policies in "${root}": ${why}`);
    }
  }
  return { names: names.sort(), unlisted };
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
