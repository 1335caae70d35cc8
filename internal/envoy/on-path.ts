import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Every executable file of this name on `searchPath` (a `PATH`), in its order. */
export async function allOnPath(name: string, searchPath: string): Promise<string[]> {
  const candidates = searchPath.split(delimiter).filter((folder) => folder !== '');
  const paths = candidates.map((folder) => join(folder, name));
  const areThere = await Promise.all(paths.map(isProgram));
  return paths.filter((_, position) => areThere[position]);
}

/** The first executable file of this name on `searchPath`. */
export async function onPath(name: string, searchPath: string): Promise<string | undefined> {
  return (await allOnPath(name, searchPath))[0];
}

/** Whether this is a file that this user may run; a folder may be "executable" too, so that is asked first. */
export async function isProgram(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) return false;
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
