import type { LabelMatcher } from '../match/label-selector.ts';
import { OwnedPaths } from '../match/owned-paths.ts';
import { PathTable } from '../match/path-table.ts';
import type { PathTemplate } from '../match/path-template.ts';
import { NOBODY } from './claiming.ts';
import { LAPSED, type Part } from './part.ts';

/** One host with one path template, as grants name it. */
export interface Cell {
  /** By the selector as it is written: equal ones are one. */
  readonly selectors: Map<string, LabelMatcher>;
  /** undefined until all grants are read, and where none names it but something lapsed there. */
  part: Part | undefined;
  isLapsed: boolean;
}

/** As owners of paths: whose they are does not matter. */
const GRANTED = 'granted';
const MOST_LOOKS = 1000;

/** What is granted of one host. Case in paths does not matter: a path in other letters is not somebody else's. */
export class Level {
  readonly #table = new PathTable<Cell>({ caseInsensitive: true });
  readonly cells: Cell[] = [];
  readonly #paths = new OwnedPaths();
  /** A cell covers every path: what is granted of wider hosts is not asked. */
  isWhole = false;

  cell(template: PathTemplate): Cell {
    const added: Cell = { selectors: new Map(), part: undefined, isLapsed: false };
    const { value } = this.#table.add({ template, value: added });
    if (value !== added) return value;
    this.cells.push(added);
    this.isWhole ||= template.segments[0]?.kind === 'rest';
    return added;
  }

  covering(template: PathTemplate, isWanted: (cell: Cell) => boolean): Cell | undefined {
    return this.#table.covering(template, isWanted)?.value;
  }

  /** Hears that a grant names it; what only lapsed there is none. */
  noteGranted(template: PathTemplate): void {
    this.#paths.add(template, GRANTED);
  }

  /** Whether any of it is granted; also true where that is much to tell. */
  overlaps(template: PathTemplate): boolean {
    return this.#paths.meetsOther(template, NOBODY, { left: MOST_LOOKS });
  }

  at(segments: readonly string[]): Cell | undefined {
    return this.#table.find(segments)?.value;
  }
}

/** What is granted of hosts that cover all of one, most specific first, to where nothing is left to be granted. */
export class GrantedPaths {
  readonly #levels: readonly Level[];

  constructor(levels: readonly Level[]) {
    this.#levels = levels;
  }

  /** The part that a path belongs to; undefined where it is granted to nobody. */
  partAt(segments: readonly string[]): Part | undefined {
    for (const level of this.#levels) {
      const cell = level.at(segments);
      if (cell !== undefined) return partOf(cell);
    }
    return undefined;
  }

  /** The one part of which paths of the host can be. */
  get only(): Part | undefined {
    let only: Part | undefined;
    for (const { cells } of this.#levels) {
      for (const cell of cells) {
        const part = partOf(cell);
        only ??= part;
        if (part !== only) return undefined;
      }
    }
    return only;
  }

  /** Whether all that is granted is of these parts. */
  areAllIn(isIn: (part: Part | undefined) => boolean): boolean {
    return this.#levels.every(({ cells }) => cells.every((cell) => isIn(partOf(cell))));
  }

  /** Whether every path that is granted at all may be claimed by the namespace. */
  areAllOf(namespace: string): boolean {
    return this.areAllIn((part) => part?.selects(namespace) === true);
  }
}

/** What claims of one host are granted: many of their paths are asked about. */
export class GrantsOnHost {
  readonly #levels: readonly Level[];
  /** Mostly all paths are of one cell, so that none has to be looked for. */
  readonly #only: Cell | undefined;

  /** @param levels most specific first */
  constructor(levels: readonly Level[]) {
    this.#levels = levels;
    const [first] = levels;
    const [only] = first?.cells ?? [];
    this.#only = first?.isWhole === true && first.cells.length === 1 && only?.part !== undefined ? only : undefined;
  }

  /** The part of all of its paths, where they are of one and nothing lapsed; undefined also where nothing is granted. */
  get whole(): Part | undefined {
    return this.#only?.isLapsed === false ? this.#only.part : undefined;
  }

  /** The part in which a claim of the path counts: of the most specific grant of all of it, lapsed or not. */
  grantedFor(template: PathTemplate): Part | undefined {
    return (this.#only ?? this.#covering(template, isGranted))?.part;
  }

  /** Whether any of it is granted to somebody: a grant of it would be carved out of that. */
  overlaps(template: PathTemplate): boolean {
    return this.#levels.some((level) => level.overlaps(template));
  }

  /** Whether all of it is of what lapsed, as far as no more specific grant names it. */
  isLapsed(template: PathTemplate): boolean {
    return (this.#only ?? this.#covering(template, isAny))?.isLapsed === true;
  }

  #covering(template: PathTemplate, isWanted: (cell: Cell) => boolean): Cell | undefined {
    for (const level of this.#levels) {
      const found = level.covering(template, isWanted);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

const isGranted = ({ part }: Cell): boolean => part !== undefined;
const isAny = (): boolean => true;
const partOf = ({ isLapsed, part }: Cell): Part | undefined => (isLapsed ? LAPSED : part);
