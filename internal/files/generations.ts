import type { SourceObject } from '../policy/object.ts';
import { type FileObject, identityOf } from './parse-file.ts';

interface Counted {
  readonly read: SourceObject;
  /** The same, with its generation. */
  readonly object: SourceObject;
}

/** Counts what an API server counts of its objects: each change of a spec is a generation, from 1 since the start. */
export class Generations {
  #known: ReadonlyMap<string, Counted> = new Map();

  /** The objects with their generations. One that did not change is the same object still; one that went is forgotten. */
  count(found: readonly FileObject[]): readonly FileObject[] {
    const next = new Map<string, Counted>();
    const counted = found.map((file): FileObject => {
      const id = identityOf(file);
      const known = countOne(file.object, this.#known.get(id));
      next.set(id, known);
      return known.object === file.object ? file : { ...file, object: known.object };
    });
    this.#known = next;
    return counted;
  }
}

function countOne(read: SourceObject, before: Counted | undefined): Counted {
  if (before?.read === read) return before;
  const last = before?.object.metadata.generation ?? 0;
  const isSame = before !== undefined && JSON.stringify(before.read.spec) === JSON.stringify(read.spec);
  const generation = isSame ? last : last + 1;
  if (generation === read.metadata.generation) return { read, object: read };
  return { read, object: { ...read, metadata: { ...read.metadata, generation } } };
}
