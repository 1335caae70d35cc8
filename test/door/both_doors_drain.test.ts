import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { startTestAgent } from '../envoy/harness.ts';
import { checkOver, closeClients, OPEN_POLICY } from './client.ts';

describe('an agent with both doors', () => {
  after(() => closeClients());

  it('goes on serving gRPC until --drain-delay is over, as one without the HTTP door does', async () => {
    const agent = await startTestAgent(OPEN_POLICY, {
      'http-addr': '127.0.0.1:0',
      'drain-delay': '10m',
      'drain-timeout': '20m',
    });
    await agent.ready;
    const ask = async (): Promise<number> => (await checkOver(agent.grpcAddress, { host: 'open.example.org' })).http;
    assert.equal(await ask(), 200);
    const stopped = agent.stop();
    const ready = await fetch(
      `http://127.0.0.1:${agent.adminAddress.kind === 'tcp' ? agent.adminAddress.port : 0}/readyz`,
    );
    assert.equal(ready.status, 503);
    assert.equal(await ask(), 200);
    // Nobody waits for who is not connected any more.
    closeClients();
    await stopped;
  });
});
