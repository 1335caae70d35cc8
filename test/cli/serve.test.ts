import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startServe } from './agent-process.ts';
import { ROOT } from './command.ts';

const SAMPLE = readFileSync(join(ROOT, 'policies/orders.yaml'), 'utf8');

describe('postern serve', () => {
  it('starts with the variables that Kubernetes sets for Services called postern', async () => {
    const serving = await startServe(
      SAMPLE,
      {},
      {
        POSTERN_SERVICE_HOST: '10.0.0.7',
        POSTERN_SERVICE_PORT: '9191',
        POSTERN_PORT: 'tcp://10.0.0.7:9191',
        POSTERN_PORT_9191_TCP: 'tcp://10.0.0.7:9191',
        POSTERN_PORT_9191_TCP_ADDR: '10.0.0.7',
        POSTERN_X_SERVICE_HOST: '10.0.0.8',
        POSTERN_X_PORT_9193_TCP_PROTO: 'tcp',
      },
    );
    assert.equal((await fetch(`http://${serving.adminAddress}/readyz`)).status, 200);
    assert.equal(await serving.stop(), 0);
  });
});
