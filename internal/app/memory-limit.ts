import { totalmem } from 'node:os';

/** Bytes that this process may have: what its control group allows, at most what the machine has. */
export function memoryLimitBytes(): number {
  const machine = totalmem();
  // Where nothing limits it Node says 0, undefined, or more than there is.
  const limit = process.constrainedMemory() || machine;
  return Math.min(limit, machine);
}
