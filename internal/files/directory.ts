import { join } from 'node:path';
import { breather, inSlices } from '../core/breather.ts';
import type { Clock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { type DirectoryContent, gatherContent, isBelow, isRestless, type KnownFile } from './directory-content.ts';
import { contentRead, contentUnreadable, type FileContent } from './file-content.ts';
import { type Listing, listFiles } from './list-files.ts';
import { parseInSteps } from './parse-file.ts';
import { type Look, lookAtAll, readText, type Unreadable } from './read-text.ts';

interface Before {
  readonly known: KnownFile;
  readonly isAtOnce: boolean;
}

const GONE = 'gone';
const EMPTY = 'It is empty: write its objects, or delete it';
const EMPTIED = 'It is empty, so what it said before stays: delete the file to take its objects away';
const NEW_FILE: KnownFile = Object.freeze({ settled: undefined, seen: undefined, changes: 0, content: undefined });

/**
 * Policies as files: every YAML and JSON file below a directory, read strictly. A file counts when two looks at it are
 * equal, and is read again only when a look differs. One that cannot be read, or is empty, stands for what it said
 * before; one that is gone takes its objects along. No file keeps another from being read.
 */
export class PolicyDirectory {
  readonly #root: string;
  readonly #breathe: () => Promise<void> | undefined;
  #files: ReadonlyMap<string, KnownFile> = new Map();
  #listing: Listing | undefined = undefined;
  #isUnsettled = false;

  constructor(root: string, clock: Clock) {
    this.#root = root;
    this.#breathe = breather(clock);
  }

  /** The last look found something changed: another one, a little later, tells whether it is done. */
  get isUnsettled(): boolean {
    return this.#isUnsettled;
  }

  /**
   * Looks at everything, and reads what changed and is at rest. Not to be called while it runs.
   *
   * @returns undefined when there is nothing new
   * @throws {PosternError} ERR_POSTERN_FILE when the directory itself could never be read
   */
  read(): Promise<DirectoryContent | undefined> {
    return this.#read(false);
  }

  /** Reads everything as it stands, at rest or not: for those who serve nothing by it. */
  async readAtOnce(): Promise<DirectoryContent> {
    await this.#read(true);
    return this.#content();
  }

  async #read(isAtOnce: boolean): Promise<DirectoryContent | undefined> {
    const listing = await listFiles(this.#root);
    const whyNot = listing.unlisted.get('');
    if (whyNot !== undefined && this.#listing === undefined)
      throw new PosternError('ERR_POSTERN_FILE', `The policies in "${this.#root}": ${whyNot}`);
    let isChanged = !isSame(this.#listing?.unlisted, listing.unlisted);
    this.#listing = listing;
    this.#isUnsettled = false;
    const files = new Map<string, KnownFile>();
    const listed = new Set(listing.names);
    const looks = await lookAtAll(listing.names.map((name) => join(this.#root, name)));
    for (const name of [...listed.union(new Set(this.#files.keys()))].sort()) {
      const known = this.#files.get(name);
      const path = join(this.#root, name);
      const found = looks.get(path);
      const next =
        found === undefined
          ? this.#miss(name, known ?? NEW_FILE, isAtOnce)
          : await this.#seen(path, found, { known: known ?? NEW_FILE, isAtOnce });
      if (next !== undefined) files.set(name, next);
      if (next?.content !== known?.content || isRestless(next) !== isRestless(known)) isChanged = true;
      if ((next?.changes ?? 0) > (known?.changes ?? 0)) this.#isUnsettled = true;
    }
    this.#files = files;
    return isChanged ? this.#content() : undefined;
  }

  async #seen(path: string, found: Look | Unreadable, { known, isAtOnce }: Before): Promise<KnownFile> {
    const seen = typeof found === 'string' ? found : found.why;
    if (seen === known.settled) return known.seen === undefined ? known : { ...known, seen: undefined, changes: 0 };
    const changed = { ...known, seen, changes: known.changes + 1 };
    if (seen !== known.seen && !isAtOnce) return changed;
    const text = typeof found === 'string' ? await readText(path, found) : found;
    if (text === undefined && !isAtOnce) return changed;
    if (typeof text === 'string')
      return { settled: seen, seen: undefined, changes: 0, content: await this.#parse(path, text, known.content) };
    const unreadable = text ?? { why: 'It changes just now' };
    const content = contentUnreadable(path, unreadable, known.content);
    // What could not be opened is tried again with every look; what is no file is none until it is another one.
    if (typeof found === 'string') return { ...known, seen, content: isSaid(known.content, unreadable.why) ?? content };
    return { settled: seen, seen: undefined, changes: 0, content };
  }

  /** A file that was there: gone when it is missed twice, for some editors move it away to write it anew. */
  #miss(name: string, known: KnownFile, isAtOnce: boolean): KnownFile | undefined {
    if (this.#isBelowUnlisted(name)) return known;
    if (isAtOnce || known.content === undefined || known.seen === GONE) return undefined;
    return { ...known, seen: GONE, changes: known.changes + 1 };
  }

  async #parse(path: string, text: string, before: FileContent | undefined): Promise<FileContent> {
    if (text.trim() === '') {
      return contentUnreadable(path, { why: before === undefined ? EMPTY : EMPTIED }, before);
    }
    return contentRead(await inSlices(parseInSteps(path, text, before?.documents), this.#breathe), before);
  }

  #isBelowUnlisted(name: string): boolean {
    return [...(this.#listing?.unlisted.keys() ?? [])].some((directory) => isBelow(directory, name));
  }

  #content(): DirectoryContent {
    return gatherContent(this.#root, this.#listing?.unlisted ?? new Map(), this.#files);
  }
}

const isSame = (a: ReadonlyMap<string, string> | undefined, b: ReadonlyMap<string, string>): boolean =>
  a !== undefined && a.size === b.size && [...a].every(([directory, why]) => b.get(directory) === why);

/** The content, if all there is to say of it was said. */
const isSaid = (content: FileContent | undefined, why: string): FileContent | undefined =>
  content?.problems.length === 1 && content.problems[0]?.message === why ? content : undefined;
