import { setTimeout as pause } from 'node:timers/promises';
import { breather, inSlices } from '../core/breather.ts';
import type { Clock } from '../core/clock.ts';
import { PolicyDirectory } from '../files/directory.ts';
import { type DirectoryContent, MAX_CHANGES } from '../files/directory-content.ts';
import { formatLine, formatProblem } from '../files/format-problem.ts';
import { Generations } from '../files/generations.ts';
import { type FileObject, identityOf, type LocatedProblem } from '../files/parse-file.ts';
import { SETTLE_MS, watchDirectory } from '../files/watch.ts';
import { type KnownSecret, secretLookup } from '../policy/offered-secret.ts';
import type { ObjectReport, PolicyFeed } from '../policy/store.ts';
import type { Log } from '../telemetry/log.ts';
import { type ProblemLines, problemLines } from './problem-lines.ts';
import type { PolicySourceAdapter } from './source.ts';

export interface FileSourceOptions {
  readonly root: string;
  readonly log: Log;
  readonly clock: Clock;
  /** What becomes of requests that no policy governs. */
  readonly unmatched: 'deny' | 'allow';
}

const NOTHING_FOUND: ProblemLines = Object.freeze({ problems: [], lines: [], unaccepted: new Set<string>() });

/** Feeds the store from a directory and says every problem once, with file, line and field. */
export class FileSource implements PolicySourceAdapter {
  readonly #options: FileSourceOptions;
  readonly #directory: PolicyDirectory;
  readonly #breathe: () => Promise<void> | undefined;
  readonly #generations = new Generations();
  #objects: ReadonlyMap<string, FileObject> = new Map();
  #unread: readonly string[] = [];
  #kept: readonly string[] = [];
  #fileProblems: readonly LocatedProblem[] = [];
  #reports: readonly ObjectReport[] = [];
  #found = NOTHING_FOUND;
  #policies: number | undefined = undefined;
  #said = new Set<string>();
  #watch: { stop(): void } | undefined = undefined;

  constructor(options: FileSourceOptions) {
    this.#options = options;
    this.#directory = new PolicyDirectory(options.root, options.clock);
    this.#breathe = breather(options.clock);
  }

  secrets(namespace: string) {
    return secretLookup((name): KnownSecret => this.#objects.get(`Secret/${namespace}/${name}`)?.object ?? 'absent');
  }

  async start(store: PolicyFeed): Promise<void> {
    const { root, log, clock } = this.#options;
    // The same looks as later: whoever writes just now is waited for, but not for ever.
    for (let looks = 0; looks <= MAX_CHANGES; looks += 1) {
      const content = await this.#directory.read();
      if (content !== undefined) this.#take(content, store);
      if (!this.#directory.isUnsettled) break;
      await pause(SETTLE_MS);
    }
    store.complete();
    this.#watch = watchDirectory({
      root,
      directory: this.#directory,
      clock,
      onError: (error) => log.error('The policies cannot be read; those that were read stay', { error }),
      onChange: (next) => this.#take(next, store),
    });
  }

  report({ reports }: { readonly reports: readonly ObjectReport[] }): void {
    this.#reports = reports;
    this.#sayWhetherEmpty(reports.filter(({ object }) => object.kind === 'APIPolicy').length);
    void this.#locate(reports);
  }

  problems = (): readonly string[] => [...this.#fileProblems, ...this.#found.problems].map(formatProblem);

  fileProblems = (): number => this.#fileProblems.length;

  stop(): Promise<void> {
    this.#watch?.stop();
    return Promise.resolve();
  }

  /** Most often somebody deleted more than was meant. */
  #sayWhetherEmpty(policies: number): void {
    const before = this.#policies;
    this.#policies = policies;
    if (policies > 0 || before === 0) return;
    const what =
      this.#options.unmatched === 'allow' && this.#unread.length === 0
        ? 'every request passes (unmatched)'
        : 'every request is refused (no_route)';
    this.#options.log.warn(`${before === undefined ? 'There is no policy' : 'No policy is left'}: ${what}`);
  }

  #take({ objects: found, problems, unread, kept }: DirectoryContent, store: PolicyFeed): void {
    const objects = this.#generations.count(found);
    const next = new Map(objects.map((object) => [identityOf(object), object]));
    let changes = 0;
    for (const [id, known] of this.#objects) {
      if (next.has(id)) continue;
      changes += 1;
      store.delete(known.object.kind, known.object.metadata);
      if (known.object.kind === 'Secret') store.secretChanged(known.object.metadata.namespace);
    }
    const previous = this.#objects;
    this.#objects = next;
    for (const [id, { object }] of next) {
      if (previous.get(id)?.object === object) continue;
      changes += 1;
      if (object.kind === 'Secret') store.secretChanged(object.metadata.namespace);
      else store.apply(object);
    }
    store.setUnread(unread.length > 0);
    if (this.#watch !== undefined && changes > 0)
      this.#options.log.info('Policies reloaded', { changes, objects: countsOf(objects) });
    this.#sayWhole(problems, objects);
    this.#fileProblems = problems;
    this.#unread = unread;
    this.#kept = kept;
    this.#say();
  }

  /** Finds the places of many problems beside the checks; what a newer build has found comes in its stead. */
  async #locate(reports: readonly ObjectReport[]): Promise<void> {
    const found = await inSlices(problemLines(reports, this.#objects), this.#breathe);
    if (this.#reports !== reports) return;
    const before = this.#found;
    this.#found = found;
    this.#say();
    for (const policy of before.unaccepted)
      if (!found.unaccepted.has(policy) && this.#objects.has(policy))
        this.#options.log.info('The newest version of a policy serves now', { policy });
  }

  /** Files and directories that could not be read as a whole, and now can. */
  #sayWhole(problems: readonly LocatedProblem[], objects: readonly FileObject[]): void {
    const broken = new Set(problems.map(({ place }) => place.file));
    for (const file of new Set(this.#fileProblems.map(({ place }) => place.file)))
      if (!broken.has(file) && objects.some((object) => object.file === file || object.file.startsWith(`${file}/`)))
        this.#options.log.info('A file that was broken is whole again', { file });
  }

  /** What serves of files that cannot be read; of a policy that is wrong its own lines say so. */
  #standings(): readonly string[] {
    const closed =
      this.#options.unmatched === 'allow'
        ? '; until it is, hosts that no policy is known to hold are refused, also with --unmatched=allow'
        : '';
    return [
      ...this.#kept.map((path) => `${path}: what was read of it before goes on serving`),
      ...this.#unread.map((path) => `${path}: what was never read of it does not serve${closed}`),
    ];
  }

  /** Each problem is a line of the log when it appears, not with every build. */
  #say(): void {
    const now = new Set([...this.#fileProblems.map(formatLine), ...this.#standings(), ...this.#found.lines]);
    for (const problem of now) if (!this.#said.has(problem)) this.#options.log.warn(problem);
    this.#said = now;
  }
}

/** How many objects of each kind, as in `2 APIPolicy, 1 Secret`. */
function countsOf(objects: readonly FileObject[]): string {
  const counts = new Map<string, number>();
  for (const { object } of objects) counts.set(object.kind, (counts.get(object.kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}
