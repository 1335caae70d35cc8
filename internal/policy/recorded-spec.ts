import { hash } from 'node:crypto';
import type { Steps } from '../core/breather.ts';
import { member } from '../core/member.ts';
import { ProblemList } from '../core/problem.ts';
import { isFilledFrom } from './baselines/defaults.ts';
import type { SourceObject } from './object.ts';

/** A spec that was accepted before, as a cluster's object carries it. */
export interface RecordedSpec {
  readonly generation: number;
  readonly spec: unknown;
  /** What baselines gave it then is in it, and nothing is given it any more. */
  readonly isFilled?: boolean;
}

/** Reads back what an object carries of the last spec that was accepted; whoever wrote it there is not to be trusted. */
export type RecordReader = (object: SourceObject) => RecordedSpec | undefined;

export interface RestoreOptions<T> {
  readonly recordedSpec: RecordReader;
  /** The newest spec of the object compiled: its record may only be of an older one. */
  readonly isRight: boolean;
  /** Compiles what was recorded as if it had just been written; undefined where it may not serve. */
  readonly compile: (recorded: RecordedSpec, problems: ProblemList) => Steps<T | undefined>;
}

/**
 * Restores the last good spec of before this process began, of one object over time. Of the object's own generation only
 * what a baseline gave it before may be different, and only where it does not compile with what it is given now: else the
 * newest is judged by itself, and there is none after it. It is compiled like any other, and whatever cannot be used is
 * ignored, for anybody who may write a status may have written it.
 */
export class Restorer {
  /** Digest of what was recorded in vain: it is not read again for the same object, however often its status changes. */
  #refused: string | undefined = undefined;

  /** What was recorded in vain may be of use now. */
  forget(): void {
    this.#refused = undefined;
  }

  *restore<T>(object: SourceObject, { recordedSpec, isRight, compile }: RestoreOptions<T>): Steps<T | undefined> {
    const digest = recordDigest(object);
    if (digest === this.#refused) return undefined;
    try {
      const recorded = recordedSpec(object);
      yield;
      if (recorded !== undefined && mayStandIn(recorded, object, isRight)) {
        const problems = new ProblemList();
        const restored = yield* compile(recorded, problems);
        if (restored !== undefined && !problems.hasErrors) return restored;
      }
    } catch {
      // As if nothing had been recorded.
    }
    this.#refused = digest;
    return undefined;
  }
}

function mayStandIn(recorded: RecordedSpec, { metadata, spec }: SourceObject, isRight: boolean): boolean {
  if (recorded.generation !== metadata.generation) return recorded.generation < metadata.generation;
  return !isRight && recorded.isFilled === true && isFilledFrom(recorded.spec, spec);
}

/** Of the generation too: what a record is good for depends on it. */
function recordDigest({ metadata, status }: SourceObject): string {
  const recorded = member(status, 'accepted') ?? member(status, 'instances') ?? null;
  return hash('sha256', `${metadata.generation} ${JSON.stringify(recorded)}`);
}
