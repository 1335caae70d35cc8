import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './command.ts';

/** Builds what is shipped into a folder; gives the file to start. */
export async function bundle(folder: string): Promise<string> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'cmd/build/build.ts'), folder], { cwd: ROOT });
  return join(folder, 'cmd/postern/main.js');
}
