import { countTenantAttacks } from '../../test/attack/try-tenant.ts';
import type { Figure } from '../figures.ts';

/** Attacks of one namespace on another's hosts, secrets, limits, budget and status, and how many of them succeed. */
export async function measureTenants(say: (line: string) => void): Promise<Figure[]> {
  const { attacks, succeeded } = await countTenantAttacks();
  for (const { topic, name } of succeeded) say(`  succeeds, on ${topic}: ${name}`);
  return [
    { key: 'tenant_attacks', value: attacks, unit: 'attacks', bar: '>= 40' },
    { key: 'tenant_open', value: succeeded.length, unit: 'attacks', bar: '0' },
  ];
}
