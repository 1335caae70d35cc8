// The two gRPC doors answer alike: what a real Envoy sent, what the case files ask, and what is almost that.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import { closeAll } from '../door/door-client.ts';
import { envoyBinary } from '../envoy/harness.ts';
import { caseFiles } from './differences/case-requests.ts';
import {
  type Compared,
  compareCalls,
  compareConnections,
  compareMessages,
  nothingYet,
} from './differences/compare-doors.ts';
import { recordTraffic } from './differences/recorded-traffic.ts';

after(closeAll);

const MESSAGE = Buffer.from('hello there');
const CALLS = 1500;
const found = await envoyBinary();

const said = ({ compared, passed }: Compared): string => `${compared} compared, ${passed} passed`;

describe('the two gRPC doors', { timeout: 300_000 }, () => {
  it('answer the requests of the case files, and mutations of them, byte for byte alike', async (test) => {
    const all = nothingYet();
    for (const [seed, file] of caseFiles().entries()) {
      const { compared, passed, differences } = await compareMessages(file, [], 2, seed);
      all.compared += compared;
      all.passed += passed;
      all.differences.push(...differences);
    }
    assert.deepEqual(all.differences, []);
    assert.ok(all.passed > 300 && all.compared - all.passed > 300, said(all));
    test.diagnostic(said(all));
  });

  it('let the same calls through, save where they differ on purpose', async (test) => {
    const result = await compareCalls([MESSAGE], CALLS, 1);
    assert.deepEqual(result.differences, []);
    assert.ok(result.passed > CALLS / 4 && result.passed < CALLS, said(result));
    test.diagnostic(said(result));
  });

  it('answer whole connections of a real Envoy alike, also where bits of them are turned', {
    skip: skipWithout(found),
  }, async (test) => {
    const { messages, connections } = await recordTraffic();
    const result = await compareConnections(connections, 3, 1);
    assert.deepEqual(result.differences, []);
    assert.ok(messages.length > 100 && result.passed > 4 * messages.length * 0.9, said(result));
    test.diagnostic(`${messages.length} messages recorded; ${said(result)}`);
  });
});
