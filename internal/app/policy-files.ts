import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { PolicyDirectory } from '../files/directory.ts';
import { IS_POLICY_FILE } from '../files/list-files.ts';
import { type FileObject, identityOf, type LocatedProblem, parseFile } from '../files/parse-file.ts';
import { MAX_FILE_BYTES } from '../files/read-text.ts';

/** What files hold, and what is wrong with them. */
export interface PolicyFiles {
  readonly objects: readonly FileObject[];
  readonly problems: readonly LocatedProblem[];
}

/**
 * Reads the policies of files and directories, each file once.
 *
 * @throws {PosternError} ERR_POSTERN_FILE when one cannot be read, or holds no such file
 */
export async function readPolicyFiles(paths: readonly string[]): Promise<PolicyFiles> {
  const objects = new Map<string, FileObject>();
  const problems = new Map<string, LocatedProblem>();
  for (const path of paths) {
    const content = await readOne(resolve(path));
    for (const problem of content.problems) add(problems, problem);
    for (const found of content.objects) {
      const first = objects.get(identityOf(found));
      if (first === undefined) objects.set(identityOf(found), found);
      else if (first.file !== found.file) add(problems, repeated(found, first));
    }
  }
  return { objects: [...objects.values()], problems: [...problems.values()] };
}

const add = (problems: Map<string, LocatedProblem>, problem: LocatedProblem): void =>
  void problems.set(JSON.stringify(problem), problem);

const repeated = (found: FileObject, first: FileObject): LocatedProblem => ({
  reason: 'DuplicateName',
  path: 'metadata.name',
  severity: 'error',
  message: `${identityOf(found)} stands in "${first.file}" already, which is the one that counts`,
  place: found.placeOf('metadata.name'),
});

async function readOne(path: string): Promise<PolicyFiles> {
  if (!existsSync(path)) throw new PosternError('ERR_POSTERN_FILE', `there is no file or directory "${path}"`);
  try {
    return statSync(path).isDirectory() ? await readDirectory(path) : readFile(path);
  } catch (error) {
    if (error instanceof PosternError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new PosternError('ERR_POSTERN_FILE', `"${path}" cannot be read: ${why}`, { cause: error });
  }
}

async function readDirectory(path: string): Promise<PolicyFiles> {
  const content = await new PolicyDirectory(path, systemClock).readAtOnce();
  if (content.objects.length > 0 || content.problems.length > 0) return content;
  const hasFiles = readdirSync(path, { recursive: true, encoding: 'utf8' }).some((name) => IS_POLICY_FILE.test(name));
  throw new PosternError('ERR_POSTERN_FILE', `${hasFiles ? 'no objects' : 'no YAML or JSON files'} in "${path}"`);
}

function readFile(path: string): PolicyFiles {
  if (!IS_POLICY_FILE.test(path)) throw new PosternError('ERR_POSTERN_FILE', `"${path}" is no YAML or JSON file`);
  if (statSync(path).size > MAX_FILE_BYTES)
    throw new PosternError('ERR_POSTERN_FILE', `"${path}" is larger than ${MAX_FILE_BYTES} bytes`);
  const content = withoutRepeats(parseFile(path, readFileSync(path, 'utf8')));
  if (content.objects.length === 0 && content.problems.length === 0)
    throw new PosternError('ERR_POSTERN_FILE', `no objects in "${path}"`);
  return content;
}

/** Within one file as between two: the first counts. */
function withoutRepeats({ objects, problems }: PolicyFiles): PolicyFiles {
  const first = new Map<string, FileObject>();
  const found = [...problems];
  for (const object of objects) {
    const before = first.get(identityOf(object));
    if (before === undefined) first.set(identityOf(object), object);
    else found.push(repeated(object, before));
  }
  return { objects: [...first.values()], problems: found };
}
