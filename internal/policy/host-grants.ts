import type { Breathe } from '../core/breather.ts';
import { ProblemList } from '../core/problem.ts';
import { type PathTemplate, parsePathTemplate } from '../match/path-template.ts';
import { suffixesOf } from './claims.ts';
import type { CompiledCluster } from './cluster-objects.ts';
import { type Cell, GrantedPaths, GrantsOnHost, Level } from './granted-paths.ts';
import { Part } from './part.ts';

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
        for (const template of templates) {
          granted.#cell(host, template).selectors.set(selector, selects);
          granted.#levels.get(host)?.noteGranted(template);
        }
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
