import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { closeAll } from '../door/door-client.ts';
import { fuzzDoor } from './fuzz.ts';

after(closeAll);

/** More with `POSTERN_FUZZ_FRAMES=10000000 node --test test/http2/fuzz.test.ts`. */
const frames = Number(process.env.POSTERN_FUZZ_FRAMES ?? 100_000);

describe('the native gRPC door under frames that no client sends', () => {
  it(`serves others, fails in nothing and keeps nothing, after ${frames}`, { timeout: 3_600_000 }, async (test) => {
    const seed = Number(process.env.POSTERN_FUZZ_SEED ?? 1);
    const { endings, leakMib, connections, checks } = await fuzzDoor({ frames, connections: 20, seed });
    test.diagnostic(`${connections} connections, ${checks} checks, ${JSON.stringify([...endings])}, ${leakMib} MiB`);
    assert.equal(endings.get('internal'), undefined);
    assert.ok((endings.get('protocol') ?? 0) > 0 && checks > 0, 'the frames try nothing');
    assert.ok(leakMib <= 20, `${leakMib} MiB are left`);
  });
});
