import { isDeepStrictEqual } from 'node:util';
import { load } from '../cases/run-case.ts';
import type { TenantAttack } from './tenant-attack.ts';
import { TENANT_OVERRIDES } from './tenant-baselines.ts';
import { TENANT_BUDGETS } from './tenant-budgets.ts';
import { TENANT_HOSTS } from './tenant-hosts.ts';
import { TENANT_LIMITS } from './tenant-limits.ts';
import { TENANT_SECRETS } from './tenant-secrets.ts';
import { TENANT_STATUS } from './tenant-status.ts';

export const TOPICS: Readonly<Record<string, readonly TenantAttack[]>> = {
  'hosts and paths': TENANT_HOSTS,
  'secrets and consumers': TENANT_SECRETS,
  limits: TENANT_LIMITS,
  budget: TENANT_BUDGETS,
  status: TENANT_STATUS,
  overrides: TENANT_OVERRIDES,
};

/** What came of an attack, in the words of what it has to come to. */
export interface Tried {
  readonly decided: readonly [string, string];
  /** Headers that it should have kept, and did not; and those that got through. */
  readonly lost: readonly string[];
  readonly passed: readonly string[];
  /** Objects of others that are not accepted by now, and were before. */
  readonly spoiled: readonly string[];
}

const NOTHING: readonly string[] = [];

/** Tries one attack on an agent of its own. */
export async function tryTenant(attack: TenantAttack): Promise<Tried> {
  const { instance, before, applies, objects = [], after, request, asks = [] } = attack;
  const agent = await load(before, instance);
  const whole = acceptedOf(agent.newest().reports);
  for (const object of objects) agent.store.apply(object);
  await agent.apply(applies);
  for (const asked of asks) await agent.check(asked);
  if (after?.apply !== undefined) await agent.apply(after.apply);
  if (after?.remove !== undefined) await agent.remove(after.remove);
  const { decision } = await agent.check(request);
  const removed = decision.edits.requestHeadersToRemove;
  const accepted = new Set(acceptedOf(agent.newest().reports));
  return {
    decided: [decision.policy?.namespace ?? 'none', decision.reason],
    lost: (attack.keeps ?? NOTHING).filter((header) => removed.includes(header)),
    passed: (attack.loses ?? NOTHING).filter((header) => !removed.includes(header)),
    // What the platform takes away afterwards is no attack's doing.
    spoiled: after === undefined ? whole.filter((name) => !accepted.has(name)) : NOTHING,
  };
}

/** What has to come of it where the attack is in vain. */
export const inVain = ({ decided }: TenantAttack): Tried => ({ decided, lost: [], passed: [], spoiled: [] });

interface Reported {
  readonly object: { readonly kind: string; readonly metadata: { readonly namespace: string; readonly name: string } };
  readonly isAccepted: boolean;
}

const acceptedOf = (reports: readonly Reported[]): readonly string[] =>
  reports
    .filter(({ isAccepted, object }) => isAccepted && object.metadata.namespace !== 'evil')
    .map(({ object: { kind, metadata } }) => `${kind}/${metadata.namespace}/${metadata.name}`);

export interface CountedAttacks {
  readonly attacks: number;
  readonly succeeded: readonly { readonly topic: string; readonly name: string }[];
}

/** Tries all of them. One that cannot be tried counts as one that succeeds. */
export async function countTenantAttacks(topics = TOPICS): Promise<CountedAttacks> {
  const succeeded: { topic: string; name: string }[] = [];
  let attacks = 0;
  for (const [topic, list] of Object.entries(topics)) {
    for (const attack of list) {
      attacks += 1;
      const tried = await tryTenant(attack).catch(() => undefined);
      if (!isDeepStrictEqual(tried, inVain(attack))) succeeded.push({ topic, name: attack.name });
    }
  }
  return { attacks, succeeded };
}
