import { type DirectoryContent, PolicyDirectory } from '../files/directory.ts';
import { formatProblem } from '../files/format-problem.ts';
import type { FileObject, LocatedProblem } from '../files/parse-file.ts';
import { watchDirectory } from '../files/watch.ts';
import { objectKey } from '../policy/object.ts';
import { type KnownSecret, secretLookup } from '../policy/offered-secret.ts';
import type { ObjectReport, PolicyStore } from '../policy/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { PolicySourceAdapter } from './source.ts';

const idOf = ({ object }: FileObject): string => `${object.kind}/${objectKey(object.metadata)}`;

/** Feeds the store from a directory and says every problem once, with file, line and field. */
export class FileSource implements PolicySourceAdapter {
  readonly #root: string;
  readonly #log: Log;
  readonly #directory: PolicyDirectory;
  #objects = new Map<string, FileObject>();
  #fileProblems: readonly LocatedProblem[] = [];
  #reportProblems: readonly LocatedProblem[] = [];
  #said = new Set<string>();
  #watch: { stop(): void } | undefined = undefined;

  constructor(root: string, log: Log) {
    this.#root = root;
    this.#log = log;
    this.#directory = new PolicyDirectory(root);
  }

  secrets(namespace: string) {
    return secretLookup((name): KnownSecret => this.#objects.get(`Secret/${namespace}/${name}`)?.object ?? 'absent');
  }

  start(store: PolicyStore): Promise<void> {
    const content = this.#directory.read();
    if (content !== undefined) this.#take(content, store);
    store.complete();
    const onError = (error: unknown): void =>
      this.#log.error('The policies cannot be read; those that were read stay', { error });
    this.#watch = watchDirectory({
      root: this.#root,
      directory: this.#directory,
      onError,
      onChange: (next) => this.#take(next, store),
    });
    return Promise.resolve();
  }

  report(reports: readonly ObjectReport[]): void {
    this.#reportProblems = reports.flatMap(({ object, problems }) => {
      const file = this.#objects.get(`${object.kind}/${objectKey(object.metadata)}`);
      return file === undefined ? [] : problems.map((problem) => ({ ...problem, place: file.placeOf(problem.path) }));
    });
    this.#say();
  }

  problems = (): readonly string[] => [...this.#fileProblems, ...this.#reportProblems].map(formatProblem);

  stop(): Promise<void> {
    this.#watch?.stop();
    return Promise.resolve();
  }

  #take({ objects, problems }: DirectoryContent, store: PolicyStore): void {
    const next = new Map(objects.map((object) => [idOf(object), object]));
    for (const [id, known] of this.#objects) {
      if (next.has(id)) continue;
      store.delete(known.object.kind, known.object.metadata);
      if (known.object.kind === 'Secret') store.secretChanged(known.object.metadata.namespace);
    }
    const previous = this.#objects;
    this.#objects = next;
    for (const [id, { object }] of next) {
      if (previous.get(id)?.object === object) continue;
      if (object.kind === 'Secret') store.secretChanged(object.metadata.namespace);
      else store.apply(object);
    }
    this.#fileProblems = problems;
    this.#say();
  }

  /** Each problem is a line of the log when it appears, not with every build. */
  #say(): void {
    const now = new Set(this.problems());
    for (const problem of now) if (!this.#said.has(problem)) this.#log.warn(problem);
    this.#said = now;
  }
}
