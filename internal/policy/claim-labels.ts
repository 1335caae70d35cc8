import type { Claim } from './claiming.ts';
import { suffixesOf } from './claims.ts';

const counts = new WeakMap<Claim, number>();

/** How many labels the hosts of a claim have: each is entered, and looked at where others are compared with it. */
export function labelCountOf(claim: Claim): number {
  let count = counts.get(claim);
  if (count === undefined) {
    count = 0;
    for (const host of claim.hosts) count += suffixesOf(host).length + 1;
    counts.set(claim, count);
  }
  return count;
}
