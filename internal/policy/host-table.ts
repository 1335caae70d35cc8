import type { PathTable } from '../match/path-table.ts';
import type { PathOptions, Served } from './compiled-policy.ts';
import type { Grounds } from './grounds.ts';
import type { OwnHeaders } from './own-headers.ts';

/** What is governed together: of a claimed host, all that is of one part. */
export interface Ground {
  /** Every policy of it is in Audit. */
  readonly isAudit: boolean;
  /** How its paths are read: its policies agree on it. */
  readonly pathOptions: PathOptions;
  /** Headers that are its policies' to set, all together: behind one host is one upstream. */
  readonly own: OwnHeaders;
  /** The same by namespace, where several share the host. */
  readonly ownBy: ReadonlyMap<string, OwnHeaders> | undefined;
  readonly table: PathTable<Served>;
}

/** All that is governed under one host. */
export interface HostEntry extends Ground {
  /** The one namespace that holds the host; undefined where several share it by path. */
  readonly namespace: string | undefined;
  /** Where more than one ground meets at the host; the entry itself then tells what all of them have in common. */
  readonly grounds: Grounds | undefined;
}

/** Held hosts: exact before the longest wildcard; `*.example.org` covers one or more labels, not `example.org`. */
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
