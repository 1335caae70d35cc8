import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { requireComponent } from '../components/cache.ts';
import { closeAll, portOf, startDoor, useTransport } from '../door/door-client.ts';
import { obtainH2spec, runH2spec } from './h2spec.ts';

after(closeAll);

describe('the native gRPC door', () => {
  it('does as h2spec wants, in all of its generic, http2 and hpack sections', { timeout: 600_000 }, async (test) => {
    const program = requireComponent(await obtainH2spec(), test);
    if (program === undefined) return;
    useTransport('native');
    const door = await startDoor();
    const { passed, failed, failures } = await runH2spec(program, portOf(door));
    assert.equal(failed, 0, failures);
    assert.ok(passed > 140, `${passed} passed`);
    await door.drain(1000);
  });
});
