import { accessSync, constants, statSync } from 'node:fs';
import { relative, resolve } from 'node:path';

/** Folder that the paths of a command line count from: npm starts scripts in the package's own and tells the other. */
function pathBase(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const { npm_lifecycle_event: script, INIT_CWD: typedIn } = env;
  return script === undefined || typedIn === undefined || typedIn === '' ? process.cwd() : typedIn;
}

/** A path as it was typed, made absolute. */
export const fromPathBase = (path: string): string => resolve(pathBase(), path);

/** A path as short as it can be typed again. */
export function shortPath(path: string): string {
  const short = relative(pathBase(), path);
  return short === '' || short.startsWith('..') ? path : short;
}

/** Why a path is not the file or directory that is wanted, as a clause; undefined when it is and can be read. */
export function pathProblem(path: string, wanted: 'file' | 'directory'): string | undefined {
  const absolute = resolve(path);
  const found = kindOf(absolute);
  if (found === undefined) return `there is no ${wanted} "${absolute}"`;
  if (found !== wanted) return `"${absolute}" is a ${found}`;
  try {
    accessSync(absolute, constants.R_OK);
    return undefined;
  } catch {
    return `"${absolute}" may not be read by this user`;
  }
}

/** What lies at a path, devices and pipes counted as files; undefined when nothing does that can be seen. */
function kindOf(path: string): 'file' | 'directory' | undefined {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file';
  } catch {
    return undefined;
  }
}
