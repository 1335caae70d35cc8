import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';

const EVERY_MS = 25;

/** Waits until something outside this process holds, which can only be seen by asking again. */
export async function until(holds: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const give = performance.now() + withinMs;
  while (!(await holds())) {
    assert.ok(performance.now() < give, `it did not come about in time: ${holds.toString()}`);
    await wait(EVERY_MS);
  }
}
