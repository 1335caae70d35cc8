import type { PathTable } from '../match/path-table.ts';
import type { PathOptions, Served } from './compiled-policy.ts';
import type { OwnHeaders } from './own-headers.ts';

/** All that is governed under one claimed host. */
export interface HostEntry {
  /** The one namespace that holds the host. */
  readonly namespace: string;
  /** Every policy of the host is in Audit. */
  readonly isAudit: boolean;
  /** How its paths are read: its policies agree on it. */
  readonly pathOptions: PathOptions;
  /** Headers that are its policies' to set, all together: behind one host is one upstream. */
  readonly own: OwnHeaders;
  readonly table: PathTable<Served>;
}

/** Claimed hosts: exact before the longest wildcard; `*.example.org` covers one or more labels, not `example.org`. */
export class HostTable {
  readonly #exact = new Map<string, HostEntry>();
  readonly #wildcards = new Map<string, HostEntry>();

  /**
   * Adds a host while the table is built; nothing is added once checks read it.
   *
   * @param host as claimed, `*.` included
   */
  add(host: string, entry: HostEntry): void {
    if (host.startsWith('*.')) this.#wildcards.set(host.slice(2), entry);
    else this.#exact.set(host, entry);
  }

  /** @param host canonical */
  find(host: string): HostEntry | undefined {
    const exact = this.#exact.get(host);
    if (exact !== undefined || this.#wildcards.size === 0) return exact;
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const entry = this.#wildcards.get(host.slice(dot + 1));
      if (entry !== undefined) return entry;
    }
    return undefined;
  }
}
