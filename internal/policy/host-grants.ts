import type { Breathe } from '../core/breather.ts';
import { ProblemList } from '../core/problem.ts';
import type { LabelMatcher, Labels } from '../match/label-selector.ts';
import { PathTable } from '../match/path-table.ts';
import { type PathTemplate, parsePathTemplate } from '../match/path-template.ts';
import { suffixesOf } from './claims.ts';
import type { CompiledCluster } from './cluster-objects.ts';

/**
 * What grants to the same namespaces give: hosts and paths that these may claim, whoever comes first. Where a more specific
 * grant is to other namespaces it is a part of its own, in which no claim counts that was made outside of it.
 */
export class Part {
  readonly #selectors: readonly LabelMatcher[];
  readonly #labelsOf: CompiledCluster['labelsOf'];
  readonly #known = new Map<string, boolean>();

  constructor(selectors: readonly LabelMatcher[], labelsOf: CompiledCluster['labelsOf']) {
    this.#selectors = selectors;
    this.#labelsOf = labelsOf;
  }

  /** A namespace whose labels nobody knows is granted nothing. */
  selects(namespace: string): boolean {
    let known = this.#known.get(namespace);
    if (known === undefined) {
      known = this.#isSelected(this.#labelsOf(namespace));
      this.#known.set(namespace, known);
    }
    return known;
  }

  #isSelected(labels: Labels | undefined): boolean {
    return labels !== undefined && this.#selectors.some((selects) => selects(labels));
  }
}

/** What a grant that was withdrawn leaves: nobody's, so it denies, until the policy that held it is gone or moved. */
export const LAPSED = new Part([], () => undefined);

/** One host with one path template, as grants name it. */
interface Cell {
  /** By the selector as it is written: equal ones are one. */
  readonly selectors: Map<string, LabelMatcher>;
  /** undefined until all grants are read, and where none names it but something lapsed there. */
  part: Part | undefined;
  isLapsed: boolean;
}

/** What is granted of one host. Case in paths does not matter: a path in other letters is not somebody else's. */
class Level {
  readonly #table = new PathTable<Cell>({ caseInsensitive: true });
  readonly cells: Cell[] = [];
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

/**
 * Who may claim which part of which host. A longer host goes before a shorter one, then the more specific path: what a
 * grant names so is carved out of every wider one.
 */
export class HostGrants {
  /** By host as granted, `*.` included. */
  readonly #levels = new Map<string, Level>();
  /** By host as claimed. */
  readonly #onHosts = new Map<string, GrantsOnHost>();

  /** @param breathe awaited between hosts */
  static async of({ grants, labelsOf }: CompiledCluster, breathe: Breathe): Promise<HostGrants> {
    const granted = new HostGrants();
    for (const { spec, selects } of grants) {
      const templates = spec.paths.flatMap((path) => parsePathTemplate(path, new ProblemList()) ?? []);
      const selector = JSON.stringify(spec.namespaceSelector);
      for (const host of spec.hosts) {
        const pause = breathe();
        if (pause !== undefined) await pause;
        for (const template of templates) granted.#cell(host, template).selectors.set(selector, selects);
      }
    }
    const parts = new Map<string, Part>();
    for (const { cells } of granted.#levels.values()) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      for (const cell of cells) {
        const key = JSON.stringify([...cell.selectors.keys()].sort());
        let part = parts.get(key);
        if (part === undefined) {
          part = new Part([...cell.selectors.values()], labelsOf);
          parts.set(key, part);
        }
        cell.part = part;
      }
    }
    return granted;
  }

  /** Hosts of which anything is granted, or lapsed. */
  hosts(): Iterable<string> {
    return this.#levels.keys();
  }

  /** Takes away what a policy held there by a grant that is gone, from whoever else is granted it too. */
  lapse(host: string, template: PathTemplate): void {
    this.#cell(host, template).isLapsed = true;
    this.#onHosts.clear();
  }

  /** Leaves there, of what lapsed around it, what a policy holds by a grant of this part. */
  keep(host: string, template: PathTemplate, part: Part): void {
    const cell = this.#cell(host, template);
    cell.part ??= part;
    cell.isLapsed = false;
    this.#onHosts.clear();
  }

  #cell(host: string, template: PathTemplate): Cell {
    let level = this.#levels.get(host);
    if (level === undefined) {
      level = new Level();
      this.#levels.set(host, level);
    }
    return level.cell(template);
  }

  /** @param host as claimed */
  on(host: string): GrantsOnHost {
    let known = this.#onHosts.get(host);
    if (known === undefined) {
      known = new GrantsOnHost([...this.#over(host)]);
      this.#onHosts.set(host, known);
    }
    return known;
  }

  /** The part in which a claim of this host and path counts: of the most specific grant of all of it, lapsed or not. */
  grantedFor(host: string, template: PathTemplate): Part | undefined {
    return this.on(host).grantedFor(template);
  }

  /** @param host a host of a request, or as claimed */
  pathsOf(host: string): GrantedPaths {
    const levels: Level[] = [];
    for (const level of this.#over(host)) {
      levels.push(level);
      if (level.isWhole) break;
    }
    return new GrantedPaths(levels);
  }

  /** Most specific first. */
  *#over(host: string): Iterable<Level> {
    const own = this.#levels.get(host);
    if (own !== undefined) yield own;
    for (const suffix of suffixesOf(host.startsWith('*.') ? host.slice(2) : host)) {
      const level = this.#levels.get(`*.${suffix}`);
      if (level !== undefined) yield level;
    }
  }
}
