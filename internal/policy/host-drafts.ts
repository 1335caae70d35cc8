import type { Breathe } from '../core/breather.ts';
import { PathTable } from '../match/path-table.ts';
import type { PathTemplate } from '../match/path-template.ts';
import type { Place } from './claiming.ts';
import { suffixesOf } from './claims.ts';
import { type PathOptions, type Served, STRICT } from './compiled-policy.ts';
import { type ClaimedHost, Grounds } from './grounds.ts';
import type { HostGrants } from './host-grants.ts';
import { type Ground, type HostEntry, HostTable } from './host-table.ts';
import { OVERRIDES, type OwnHeaders, ownOfAll, ownOfOthers } from './own-headers.ts';
import type { Part } from './part.ts';
import { isSameOptions } from './path-agreement.ts';

interface GroundDraft {
  readonly pathOptions: PathOptions;
  readonly table: PathTable<Served>;
  isAudit: boolean;
}

interface HostDraft {
  readonly grounds: Map<Part | undefined, GroundDraft[]>;
  /** By namespace that claims something of it: of each of its policies that serves. */
  readonly owns: Map<string, Set<OwnHeaders>>;
}

/** A part of a policy's target that an older policy governs. */
export interface Shadow {
  readonly host: string;
  readonly template: PathTemplate;
  /** Name of the older policy; it is of the same namespace. */
  readonly by: string;
}

export interface TableInputs {
  /** Undefined where hosts belong to whoever comes first. */
  readonly grants: HostGrants | undefined;
  /** What routes of a namespace may lead to the same upstream with. */
  readonly ofRoutes: ReadonlyMap<string, ReadonlySet<OwnHeaders>>;
  readonly breathe: Breathe;
}

/** Hosts with what is governed under them, while a snapshot is built. */
export class HostDrafts {
  readonly #hosts = new Map<string, HostDraft>();

  /** @returns what of it another policy holds already */
  add({ host, part, templates }: Place, served: Served, pathOptions: PathOptions): readonly Shadow[] {
    const draft = this.#draftOf(host);
    const ground = groundOf(draft, part, pathOptions);
    // What holds a policy besides its author is never in Audit.
    ground.isAudit &&= served.isAudit && served.standIn === undefined && served.policy?.held === undefined;
    let owns = draft.owns.get(served.namespace);
    if (owns === undefined) {
      owns = new Set([OVERRIDES]);
      draft.owns.set(served.namespace, owns);
    }
    if (served.policy !== undefined) owns.add(served.policy.edits.own);
    const lost: Shadow[] = [];
    for (const template of templates) {
      const { value } = ground.table.add({ template, value: served });
      if (value !== served) lost.push({ host, template, by: value.name });
    }
    return lost;
  }

  #draftOf(host: string): HostDraft {
    let draft = this.#hosts.get(host);
    if (draft === undefined) {
      draft = { grounds: new Map(), owns: new Map() };
      this.#hosts.set(host, draft);
    }
    return draft;
  }

  async table({ grants, ofRoutes, breathe }: TableInputs): Promise<HostTable> {
    const claimed = new Map<string, FinishedHost>();
    for (const [host, draft] of this.#hosts) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      claimed.set(host, finished(draft, { ofRoutes, grants }));
    }
    const table = new HostTable();
    for (const host of held(claimed, grants)) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      const entry = grants === undefined ? wholeOf(claimed.get(host)) : entryOf(host, claimed, grants);
      if (entry !== undefined) table.add(host, entry);
    }
    return table;
  }
}

function groundOf({ grounds }: HostDraft, part: Part | undefined, pathOptions: PathOptions): GroundDraft {
  const known = grounds.get(part);
  const found = known?.find((one) => isSameOptions(one.pathOptions, pathOptions));
  if (found !== undefined) return found;
  const ground = { pathOptions, table: new PathTable<Served>(pathOptions), isAudit: true };
  if (known === undefined) grounds.set(part, [ground]);
  else known.push(ground);
  return ground;
}

/** A claimed host with what all of its grounds have in common. */
interface FinishedHost extends ClaimedHost {
  /** What each namespace sets behind it. */
  readonly owns: ReadonlyMap<string, OwnHeaders>;
  readonly all: HostEntry;
}

function finished({ grounds, owns }: HostDraft, { ofRoutes, grants }: Omit<TableInputs, 'breathe'>): FinishedHost {
  const [only, ...others] = owns.keys();
  const byNamespace = new Map<string, OwnHeaders>();
  for (const [namespace, own] of owns)
    byNamespace.set(namespace, ownOfAll([...own, ...(ofRoutes.get(namespace) ?? [])]));
  const own = ownOfAll([...byNamespace.values()]);
  // Also one namespace alone may have guests by a route, where grants leave paths to nobody.
  const isAlone = others.length === 0 && (grants === undefined || own === OVERRIDES);
  const shared = { own, ownBy: isAlone ? undefined : ownOfOthers(byNamespace) };
  const all = [...grounds].map(([part, drafts]): [Part | undefined, readonly Ground[]] => [
    part,
    drafts.map((ground) => Object.freeze({ ...ground, ...shared })),
  ]);
  const isAudit = all.every(([, ofPart]) => ofPart.every((ground) => ground.isAudit));
  const namespace = others.length === 0 ? only : undefined;
  const common = { namespace, isAudit, ...shared, pathOptions: STRICT, table: NOTHING, grounds: undefined };
  return { grounds: new Map(all), namespaces: new Set(owns.keys()), owns: byNamespace, all: Object.freeze(common) };
}

/** No path is in it. */
const NOTHING = new PathTable<Served>(STRICT);

/** Claimed hosts; and where grants say something else of what is below a claimed wildcard, those too. */
function* held(claimed: ReadonlyMap<string, unknown>, grants: HostGrants | undefined): Iterable<string> {
  yield* claimed.keys();
  for (const host of grants?.hosts() ?? []) {
    if (!claimed.has(host) && wildcardsOver(host).some((wildcard) => claimed.has(wildcard))) yield host;
  }
}

const wildcardsOver = (host: string): readonly string[] =>
  suffixesOf(host.startsWith('*.') ? host.slice(2) : host).map((suffix) => `*.${suffix}`);

/** First come there is one ground to a host, and one namespace. */
function wholeOf(host: FinishedHost | undefined): HostEntry | undefined {
  const [ground] = host?.grounds.get(undefined) ?? [];
  return host && ground && Object.freeze({ ...host.all, ...ground });
}

function entryOf(host: string, claimed: ReadonlyMap<string, FinishedHost>, grants: HostGrants): HostEntry {
  const over = [host, ...wildcardsOver(host)].flatMap((one) => claimed.get(one) ?? []);
  const granted = grants.pathsOf(host);
  const { only } = granted;
  const [first, ...others] = over;
  const [ground, ...otherGrounds] = (only && first?.grounds.get(only)) ?? [];
  // Mostly the paths of a host are all of one part: nothing more is asked than where there are no grants.
  if (
    first !== undefined &&
    ground !== undefined &&
    otherGrounds.length === 0 &&
    !others.some(({ grounds }) => grounds.has(only))
  )
    return Object.freeze({ ...first.all, ...ground });
  const namespaces = new Set(over.map(({ all }) => all.namespace));
  return Object.freeze({
    namespace: namespaces.size === 1 ? first?.all.namespace : undefined,
    // What nobody has claimed of it is not in Audit.
    isAudit:
      over.every(({ all }) => all.isAudit) && granted.areAllIn((part) => over.some(({ grounds }) => grounds.has(part))),
    own: ownOfAll(over.map(({ all }) => all.own)),
    ownBy: ownOfOthers(ownsOf(over)),
    pathOptions: STRICT,
    table: NOTHING,
    grounds: new Grounds(granted, over),
  });
}

function ownsOf(over: readonly FinishedHost[]): ReadonlyMap<string, OwnHeaders> {
  const owns = new Map<string, OwnHeaders>();
  for (const host of over) {
    for (const [namespace, own] of host.owns) {
      const before = owns.get(namespace);
      owns.set(namespace, before === undefined ? own : ownOfAll([before, own]));
    }
  }
  return owns;
}
