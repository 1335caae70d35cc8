import type { Breathe } from '../core/breather.ts';
import type { Looks } from '../match/owned-paths.ts';
import type { PathTemplate } from '../match/path-template.ts';
import type { Candidate } from './assign.ts';
import type { Claim, Lapsed, Place } from './claiming.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { HostGrants } from './host-grants.ts';
import type { ObjectMeta } from './object.ts';
import { LAPSED, type Part } from './part.ts';
import { PartClaims } from './part-claims.ts';
import { recordedBefore } from './recorded-before.ts';

const MAX_LOOKS = 1_000_000;

/** What status tells that a policy held, with the paths of the spec that it held it by. */
export function recordedClaim(candidate: Candidate): (Claim & { readonly by: CompiledPolicy }) | undefined {
  const by = recordedSpec(candidate);
  if (by === undefined) return undefined;
  const { hosts, templates } = by.target;
  return { hosts: hosts.filter((host) => candidate.recordedHosts.has(host)), templates, by };
}

/** What was refused once stays recorded: else whoever is recorded as well would have it by the next build. */
const recordedSpec = (candidate: Candidate): CompiledPolicy | undefined =>
  recordedBefore(candidate) ?? (candidate.accepted === undefined ? candidate.lapsed : undefined);

export interface LapsedOptions {
  /** Nothing was ever built in this process: what status tells counts. Later nobody but this process knows who held what. */
  readonly isFirst: boolean;
  readonly breathe: Breathe;
  /** Nodes of others' claims that may be looked at for all policies of a namespace, in each direction. */
  readonly maxLooks?: number;
}

/**
 * Finds what policies hold whose grant is gone, and takes it out of the grants: it denies, and passes to no other namespace,
 * until the policy is gone or asks for what it is granted. What a status alone tells of is taken from nobody who held it
 * and is granted it now: whoever may write a status would have a neighbour refused by it. It lapses
 * around what such a neighbour held; where the neighbour held more than it, nobody knows whose it was, and it does not.
 */
export async function lapseClaims(
  grants: HostGrants,
  candidates: readonly Candidate[],
  { isFirst, breathe, maxLooks = MAX_LOOKS }: LapsedOptions,
): Promise<ReadonlyMap<Candidate, Lapsed>> {
  const lapsed = new Map<Candidate, Lapsed>();
  for (const candidate of candidates) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    const found = lapsedOf(grants, candidate, isFirst);
    if (found !== undefined) lapsed.set(candidate, found);
  }
  const told = [...lapsed].filter(([, { isOnlyTold }]) => isOnlyTold);
  if (told.length > 0) await lapseAround(grants, told, { candidates, breathe, maxLooks });
  // Not before all are found: what one held must not hide that another lost its own.
  for (const { places, isOnlyTold } of lapsed.values()) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    if (isOnlyTold) continue;
    for (const { host, templates } of places) for (const template of templates) grants.lapse(host, template);
  }
  return lapsed;
}

/** What a namespace served in this process, or is recorded to have held before, as far as it is granted now. */
interface HeldPlace {
  readonly namespace: string;
  readonly host: string;
  readonly template: PathTemplate;
  readonly part: Part;
}

interface Around {
  readonly candidates: readonly Candidate[];
  readonly breathe: Breathe;
  readonly maxLooks: number;
}

async function lapseAround(
  grants: HostGrants,
  told: readonly (readonly [Candidate, Lapsed])[],
  { candidates, breathe, maxLooks }: Around,
): Promise<void> {
  const held = await heldNow(grants, candidates, breathe);
  const holders = new PartClaims();
  for (const { namespace, host, template } of held) holders.add(host, [template], namespace);
  const gone = new PartClaims();
  const looksOf = looksByNamespace(maxLooks);
  for (const [{ meta }, { places }] of told) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    const asking = { namespace: meta.namespace, looks: looksOf(meta.namespace) };
    for (const { host, templates } of places) {
      // Where nobody has looks left to tell it lapses: what denies is the safe side.
      const lost = templates.filter(
        (template) => !holders.reachesBeyond(host, template, asking) || asking.looks.left < 0,
      );
      for (const template of lost) grants.lapse(host, template);
      gone.add(host, lost, meta.namespace);
    }
  }
  const looksBack = looksByNamespace(maxLooks);
  for (const { namespace, host, template, part } of held) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    if (gone.isInTheWay(host, template, { namespace, looks: looksBack(namespace) })) grants.keep(host, template, part);
  }
}

function looksByNamespace(most: number): (namespace: string) => Looks {
  const all = new Map<string, Looks>();
  return (namespace) => {
    const looks = all.get(namespace) ?? { left: most };
    all.set(namespace, looks);
    return looks;
  };
}

async function heldNow(
  grants: HostGrants,
  candidates: readonly Candidate[],
  breathe: Breathe,
): Promise<readonly HeldPlace[]> {
  const held: HeldPlace[] = [];
  for (const candidate of candidates) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    const { accepted, isRestored, meta } = candidate;
    const claim = accepted !== undefined && !isRestored ? accepted.target : recordedClaim(candidate);
    for (const host of claim?.hosts ?? []) {
      for (const template of claim?.templates ?? []) {
        const part = grants.grantedFor(host, template);
        if (part?.selects(meta.namespace) === true) held.push({ namespace: meta.namespace, host, template, part });
      }
    }
  }
  return held;
}

function lapsedOf(grants: HostGrants, candidate: Candidate, isFirst: boolean): Lapsed | undefined {
  const { newest, accepted, isRestored, lapsed, meta } = candidate;
  // Its author has given up what is not granted any more.
  if (newest !== undefined && isAllGranted(grants, newest.target, meta)) return undefined;
  const known = (isRestored ? undefined : accepted) ?? lapsed;
  const recorded = known === undefined && isFirst ? recordedClaim(candidate) : undefined;
  const held = known ?? recorded?.by;
  if (held === undefined) return undefined;
  const { hosts, templates } = recorded ?? held.target;
  const places: Place[] = [];
  for (const host of hosts) {
    const gone = templates.filter((template) => !isGranted(grants, host, template, meta));
    if (gone.length > 0) places.push({ host, templates: gone, part: LAPSED });
  }
  const isOnlyTold = recorded !== undefined || (held === lapsed && candidate.isLapseOnlyTold);
  return places.length === 0 ? undefined : { held, places, isOnlyTold };
}

function isAllGranted(grants: HostGrants, { hosts, templates }: Claim, meta: ObjectMeta): boolean {
  return hosts.every(
    (host) =>
      grants.on(host).whole?.selects(meta.namespace) === true ||
      templates.every((template) => isGranted(grants, host, template, meta)),
  );
}

const isGranted = (grants: HostGrants, host: string, template: PathTemplate, { namespace }: ObjectMeta): boolean =>
  grants.grantedFor(host, template)?.selects(namespace) === true;
