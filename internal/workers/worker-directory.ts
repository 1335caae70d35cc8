import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PosternError } from '../core/error.ts';

/**
 * A folder for sockets between the workers, that nobody else may enter.
 *
 * @throws {PosternError} ERR_POSTERN_LISTEN, which says where it cannot be made and what to do
 */
export function makeDirectory(): string {
  const parent = tmpdir();
  try {
    return mkdtempSync(join(parent, 'postern-'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `--workers needs a folder for sockets in "${parent}", which cannot be made: ${why}. Make it writable, or name another one in TMPDIR`;
    throw new PosternError('ERR_POSTERN_LISTEN', message, { cause: error });
  }
}
