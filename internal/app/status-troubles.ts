import type { DesiredStatus } from '../kube/apply-status.ts';
import { isOutage, reasonOf, statusOf } from '../kube/kube-error.ts';
import type { WriteTroubles } from '../kube/status-writer.ts';
import { grantingReads, grantingStatuses, type WatchGrant } from '../kube/watch-grant.ts';
import { objectKey } from '../policy/object.ts';
import { GROUP, KINDS } from '../policy/resource/kinds.ts';
import type { Log } from '../telemetry/log.ts';
import type { SourceTroubles, Trouble } from './source-troubles.ts';

export interface StatusTroublesOptions {
  readonly log: Log;
  readonly troubles: SourceTroubles;
  /** Whose objects are served; empty: all. */
  readonly namespaces: readonly string[];
  /** Whose token the API server is shown; undefined where it is not to be told. */
  readonly account: WatchGrant['account'];
}

type Where = Pick<Trouble, 'resource' | 'place'>;

interface Open extends Where {
  /** The objects whose status is not written for it. */
  readonly objects: Set<string>;
  /** What was said by the commands that mend it: every object is refused in words of its own. */
  readonly said: Map<string, string>;
}

const FORBIDDEN = 403;
/** RBAC's words for a right that is missing. */
const NO_READING = /cannot get resource/;
const NO_WRITING = /cannot patch resource/;
/** Of the admission policy of statuses (`crd/status-policy.ts`). */
const NO_CLUSTER_RIGHT = /patch hostgrants\/status/;

/**
 * What keeps statuses from being written, as troubles with the API server: missing rights are one for each kind and place
 * that rights are given for, with the commands that give them; what else is refused is one for each object.
 */
export class StatusTroubles implements WriteTroubles {
  readonly #options: StatusTroublesOptions;
  readonly #open = new Map<string, Open>();
  /** Where each object is one of those that are open. */
  readonly #whereOf = new Map<string, string>();

  constructor(options: StatusTroublesOptions) {
    this.#options = options;
  }

  begin(desired: DesiredStatus, error: unknown, isLasting: boolean): void {
    const why = reasonOf(error);
    if (isLasting) {
      this.end(desired);
      this.#options.log.warn('A status could not be written', { why: `${nameOf(desired)}: ${why}` });
      return;
    }
    const status = statusOf(error) ?? 0;
    const mend = status === FORBIDDEN ? this.#mending(desired, why) : undefined;
    const isOut = isOutage(status);
    const open = this.#opened(desired, mend !== undefined || isOut ? this.#placeOf(desired) : objectKey(desired));
    if (mend !== undefined && !open.said.has(mend)) open.said.set(mend, `${why}; no author sees a status so: ${mend}`);
    const said = (mend !== undefined && open.said.get(mend)) || why;
    const { resource, place } = open;
    this.#options.troubles.begin({ resource, place, why: said, outage: isOut ? why : undefined });
  }

  end(desired: DesiredStatus): void {
    const key = nameOf(desired);
    const where = this.#whereOf.get(key);
    const open = where === undefined ? undefined : this.#open.get(where);
    this.#whereOf.delete(key);
    if (where === undefined || open === undefined) return;
    open.objects.delete(key);
    if (open.objects.size > 0) return;
    this.#open.delete(where);
    this.#options.troubles.end(open);
  }

  forget(): void {
    for (const open of this.#open.values()) this.#options.troubles.forget(open);
    this.#open.clear();
    this.#whereOf.clear();
  }

  /** The trouble at a place, with this object as one of its own, and of no other any more. */
  #opened(desired: DesiredStatus, place: string): Open {
    const key = nameOf(desired);
    const resource = `${desired.resource.plural}/status`;
    const where = `${resource} ${place}`;
    if (this.#whereOf.get(key) !== where) this.end(desired);
    const open = this.#open.get(where) ?? { resource, place, objects: new Set(), said: new Map() };
    this.#open.set(where, open);
    open.objects.add(key);
    this.#whereOf.set(key, where);
    return open;
  }

  /** Where a role gives rights on it: its namespace, or the cluster (empty). */
  #placeOf({ namespace }: DesiredStatus): string {
    return this.#options.namespaces.length === 0 ? '' : namespace;
  }

  /** The commands that give what is missing: all kinds at once, for whoever lacks one mostly lacks the others. */
  #mending(desired: DesiredStatus, why: string): string | undefined {
    const { account, namespaces } = this.#options;
    const place = NO_CLUSTER_RIGHT.test(why) ? '' : this.#placeOf(desired);
    const isAll = namespaces.length === 0;
    const kinds = Object.values(KINDS).filter(({ scope }) => isAll || (scope === 'Cluster') === (place === ''));
    const resources = kinds.map(({ plural }) => `${plural}.${GROUP}`);
    const where = { namespace: place === '' ? undefined : place, account };
    if (NO_READING.test(why)) return grantingReads(resources, where);
    return NO_WRITING.test(why) || NO_CLUSTER_RIGHT.test(why) ? grantingStatuses(resources, where) : undefined;
  }
}

const nameOf = (desired: DesiredStatus): string => `${desired.kind} ${objectKey(desired)}`;
