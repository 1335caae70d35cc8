import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PosternError } from '../core/error.ts';
import { objectKey } from '../policy/object.ts';
import { type FileObject, type LocatedProblem, MAX_FILE_BYTES, type ParsedFile, parseFile } from './parse-file.ts';

const MAX_FILES = 10_000;
const IS_YAML = /\.ya?ml$/;

/** What a directory holds now. */
export interface DirectoryContent {
  readonly objects: readonly FileObject[];
  readonly problems: readonly LocatedProblem[];
}

interface KnownFile {
  readonly text: string;
  readonly newest: ParsedFile;
  /** What serves: the newest content that had no problem in its shape. */
  readonly good: ParsedFile | undefined;
}

/**
 * Policies as files: every `*.yaml` below a directory, read strictly. A file that is broken keeps its last good
 * content; one that is gone takes its objects along.
 */
export class PolicyDirectory {
  readonly #root: string;
  #files = new Map<string, KnownFile>();

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Reads what changed since the last time.
   *
   * @returns undefined when nothing did
   * @throws {PosternError} ERR_POSTERN_FILE when the directory itself cannot be read
   */
  read(): DirectoryContent | undefined {
    const files = new Map<string, KnownFile>();
    let isChanged = false;
    for (const name of this.#list()) {
      const known = this.#files.get(name);
      const text = readText(join(this.#root, name));
      if (known !== undefined && known.text === text) {
        files.set(name, known);
        continue;
      }
      isChanged = true;
      const newest = text === undefined ? TOO_LARGE(join(this.#root, name)) : parseFile(join(this.#root, name), text);
      files.set(name, { text: text ?? '', newest, good: newest.problems.length === 0 ? newest : known?.good });
    }
    const isSame = !isChanged && files.size === this.#files.size && this.#files.size > 0;
    this.#files = files;
    return isSame ? undefined : this.#content();
  }

  #list(): string[] {
    try {
      if (statSync(this.#root).isFile()) throw new Error('it is a file');
      const names = readdirSync(this.#root, { recursive: true, encoding: 'utf8' })
        // Kubernetes mounts a ConfigMap's files behind "..data", and links to them.
        .filter((name) => IS_YAML.test(name) && !name.split('/').some((part) => part.startsWith('.')))
        .sort();
      if (names.length > MAX_FILES) throw new Error(`it holds more than ${MAX_FILES} files`);
      return names;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new PosternError('ERR_POSTERN_FILE', `Cannot read the policies in "${this.#root}": ${why}`, {
        cause: error,
      });
    }
  }

  #content(): DirectoryContent {
    const objects: FileObject[] = [];
    const problems: LocatedProblem[] = [];
    const seen = new Map<string, FileObject>();
    for (const { newest, good } of this.#files.values()) {
      problems.push(...newest.problems);
      for (const found of good?.objects ?? []) {
        const key = `${found.object.kind}/${objectKey(found.object.metadata)}`;
        const first = seen.get(key);
        if (first === undefined) {
          seen.set(key, found);
          objects.push(found);
          continue;
        }
        const place = found.placeOf('metadata.name');
        problems.push({
          reason: 'DuplicateName',
          path: 'metadata.name',
          severity: 'error',
          message: `${key} stands in "${first.file}" already, which is the one that counts`,
          place,
        });
      }
    }
    return { objects, problems };
  }
}

function readText(path: string): string | undefined {
  if (statSync(path).size > MAX_FILE_BYTES) return undefined;
  return readFileSync(path, 'utf8');
}

const TOO_LARGE = (file: string): ParsedFile => ({
  objects: [],
  problems: [
    {
      reason: 'Invalid',
      path: '',
      severity: 'error',
      message: `The file is larger than ${MAX_FILE_BYTES} bytes`,
      place: { file, line: 1, column: 1 },
    },
  ],
});
